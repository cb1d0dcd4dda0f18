package sqs

import (
	"net/http"
	"strings"

	"restock/local/aws/awsapi"
)

// Authorization lists the permissions that each operation requires.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
func (s *Service) Authorization() *awsapi.Authorization {
	return &awsapi.Authorization{
		Permissions: s.permissions,
		Denied: awsapi.Error{Status: http.StatusForbidden, Code: "AccessDeniedException",
			QueryCode: "AccessDenied"},
	}
}

func (s *Service) permissions(operation string, decode func(any) error) ([]awsapi.Permission, error) {
	// The fields by which operations name a queue: each operation has one of them.
	var in struct {
		QueueURL       string `json:"QueueUrl" xml:"QueueUrl"`
		QueueName      string
		Tags           tags   `json:"tags" xml:"Tag"`
		SourceARN      string `json:"SourceArn" xml:"SourceArn"`
		DestinationARN string `json:"DestinationArn" xml:"DestinationArn"`
		TaskHandle     string
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	// IAM has no actions for batches.
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
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
	if operation == "CreateQueue" && len(in.Tags) > 0 {
		permissions = append(permissions, awsapi.Permission{Action: "sqs:TagQueue", Resource: queue})
	}
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

// arnOfURL returns the ARN of the queue with a URL. The queue need not exist.
func (s *Service) arnOfURL(queueURL string) string {
	account, name := s.splitURL(queueURL)
	return arnIn(s.config.Region, account, name)
}

// sourceOf returns the ARN of the queue from which a task moves messages.
func sourceOf(handle string) string {
	h, ok := parseTaskHandle(handle)
	if !ok {
		return "*" // the operation refuses it
	}
	return h.SourceARN
}

// moveDestinations returns the queues to which a task may send: the requested one, or all queues
// from which the messages may have come.
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
