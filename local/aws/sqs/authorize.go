package sqs

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"path"
	"strings"

	"restock/local/aws/awsapi"
)

// Authorization says which permissions the operations ask for.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
func (s *Service) Authorization() *awsapi.Authorization {
	return &awsapi.Authorization{
		Permissions: s.permissions,
		Denied:      awsapi.Error{Status: http.StatusForbidden, Code: "AccessDeniedException", QueryCode: "AccessDenied"},
	}
}

func (s *Service) permissions(operation string, decode func(any) error) ([]awsapi.Permission, error) {
	// How operations name a queue: each has one of these.
	var in struct {
		QueueURL       string `json:"QueueUrl"`
		QueueName      string
		SourceARN      string `json:"SourceArn"`
		DestinationARN string `json:"DestinationArn"`
		TaskHandle     string
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	// Batches have no actions of their own.
	action := "sqs:" + strings.TrimSuffix(operation, "Batch")
	var queue string
	switch operation {
	case "ListQueues":
		queue = "*"
	case "CreateQueue", "GetQueueUrl":
		queue = s.arnOf(in.QueueName)
	case "StartMessageMoveTask", "ListMessageMoveTasks":
		queue = in.SourceARN
	case "CancelMessageMoveTask":
		queue = sourceOf(in.TaskHandle)
	default:
		queue = s.arnOfURL(in.QueueURL)
	}
	permissions := []awsapi.Permission{{Action: action, Resource: queue}}
	switch operation {
	case "StartMessageMoveTask", "CancelMessageMoveTask":
		for _, also := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			permissions = append(permissions, awsapi.Permission{Action: also, Resource: queue})
		}
	}
	if operation == "StartMessageMoveTask" {
		for _, destination := range s.moveDestinations(in.SourceARN, in.DestinationARN) {
			permissions = append(permissions, awsapi.Permission{Action: "sqs:SendMessage", Resource: destination})
		}
	}
	return permissions, nil
}

// arnOfURL is the ARN that the queue at a URL has, or would have.
func (s *Service) arnOfURL(queueURL string) string {
	u, err := url.Parse(queueURL)
	if err != nil {
		return s.arnOf("") // the operation refuses it
	}
	account, name := path.Split(path.Clean(u.Path))
	return arnIn(s.config.Region, strings.Trim(account, "/"), name)
}

// sourceOf is the queue that a task moves messages from. Its handle says it, after an id, as on AWS.
func sourceOf(taskHandle string) string {
	text, err := base64.StdEncoding.DecodeString(taskHandle)
	if err != nil {
		return "*" // the operation refuses it
	}
	_, source, _ := strings.Cut(string(text), " ")
	return source
}

// moveDestinations are the queues that a task sends to: the one that is asked for, or those that the messages may have come from.
func (s *Service) moveDestinations(source, destination string) (arns []string) {
	if destination != "" {
		return []string{destination}
	}
	for _, q := range s.list(func(q *Queue) bool {
		return q.config.RedrivePolicy != nil && q.config.RedrivePolicy.DeadLetterTargetARN == source
	}) {
		arns = append(arns, q.arn)
	}
	return arns
}
