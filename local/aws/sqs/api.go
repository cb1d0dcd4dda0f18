package sqs

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"restock/local/aws/awsapi"
)

// API returns the service's operations for an AWS endpoint.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
func (s *Service) API() awsapi.Service {
	return awsapi.Service{
		Name:          "sqs",
		Protocol:      awsapi.QueryCompatibleJSON("1.0", "AmazonSQS", "com.amazonaws.sqs"),
		Authorization: s.Authorization(),
		InvalidText:   invalidMessageContents(),
		Operations: map[string]awsapi.Operation{
			"CreateQueue":                awsapi.Handle(s.createQueue),
			"DeleteQueue":                awsapi.Handle(s.deleteQueue),
			"GetQueueUrl":                awsapi.Handle(s.getQueueURL),
			"GetQueueAttributes":         awsapi.Handle(s.getQueueAttributes),
			"SetQueueAttributes":         awsapi.Handle(s.setQueueAttributes),
			"ListQueues":                 awsapi.Handle(s.listQueues),
			"ListDeadLetterSourceQueues": awsapi.Handle(s.listDeadLetterSourceQueues),
			"PurgeQueue":                 awsapi.Handle(s.purgeQueue),
			"TagQueue":                   awsapi.Handle(s.tagQueue),
			"UntagQueue":                 awsapi.Handle(s.untagQueue),
			"ListQueueTags":              awsapi.Handle(s.listQueueTags),

			"StartMessageMoveTask":  awsapi.Handle(s.startMessageMoveTask),
			"ListMessageMoveTasks":  awsapi.Handle(s.listMessageMoveTasks),
			"CancelMessageMoveTask": awsapi.Handle(s.cancelMessageMoveTask),

			"SendMessage":                  awsapi.Handle(s.sendMessage),
			"SendMessageBatch":             awsapi.Handle(s.sendMessageBatch),
			"ReceiveMessage":               awsapi.Handle(s.receiveMessage),
			"DeleteMessage":                awsapi.Handle(s.deleteMessage),
			"DeleteMessageBatch":           awsapi.Handle(s.deleteMessageBatch),
			"ChangeMessageVisibility":      awsapi.Handle(s.changeMessageVisibility),
			"ChangeMessageVisibilityBatch": awsapi.Handle(s.changeMessageVisibilityBatch),
		},
	}
}

// QueryAPI returns the same operations in the query protocol, which the SDKs used before November
// 2023.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html
func (s *Service) QueryAPI() awsapi.Service {
	api := s.API()
	api.Protocol = awsapi.Query("2012-11-05", "http://queue.amazonaws.com/doc/2012-11-05/")
	// In this protocol, a request with AttributeNames ignores MessageSystemAttributeNames. In JSON
	// it does not (LocalStack's sqs/test_sqs, validated on 2024-06-05:
	// test_message_system_attribute_names_with_attribute_names).
	api.Operations["ReceiveMessage"] = awsapi.Handle(
		func(ctx context.Context, in receiveMessageInput) (receiveMessageOutput, error) {
			if len(in.AttributeNames) > 0 {
				in.MessageSystemAttributeNames = nil
			}
			return s.receiveMessage(ctx, in)
		})
	return api
}

// none is the output of an operation that returns nothing.
type none struct{}

type getQueueURLInput struct {
	QueueName              string
	QueueOwnerAWSAccountID string `json:"QueueOwnerAWSAccountId" xml:"QueueOwnerAWSAccountId"`
}

type getQueueURLOutput struct {
	QueueURL string `json:"QueueUrl" xml:"QueueUrl"`
}

func (s *Service) getQueueURL(_ context.Context, in getQueueURLInput) (getQueueURLOutput, error) {
	if in.QueueName == "" {
		return getQueueURLOutput{}, missingParameter("QueueName")
	}
	if in.QueueOwnerAWSAccountID != "" && in.QueueOwnerAWSAccountID != s.config.AccountID {
		return getQueueURLOutput{}, queueDoesNotExist()
	}
	q, err := s.byName(in.QueueName)
	if err != nil {
		return getQueueURLOutput{}, err
	}
	return getQueueURLOutput{QueueURL: q.url}, nil
}

type queueInput struct {
	QueueURL string `json:"QueueUrl" xml:"QueueUrl"`
}

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string `xml:"Attribute"`
	Tags       tags              `json:"tags" xml:"Tag"` // AWS writes this field in lower case
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
func (s *Service) createQueue(_ context.Context, in createQueueInput) (getQueueURLOutput, error) {
	if in.QueueName == "" {
		return getQueueURLOutput{}, missingParameter("QueueName")
	}
	config := NewQueueConfig(in.QueueName)
	if err := config.set(in.Attributes); err != nil {
		return getQueueURLOutput{}, err
	}
	if err := in.Tags.validate(); err != nil {
		return getQueueURLOutput{}, err
	}
	existing, err := s.byName(in.QueueName)
	if err == nil {
		return getQueueURLOutput{QueueURL: existing.url}, existing.has(in.Attributes)
	}
	q, err := s.addQueue(config)
	if err != nil {
		return getQueueURLOutput{}, err
	}
	s.log.Info("queue created", "queue", q.name)
	return getQueueURLOutput{QueueURL: q.url}, q.tag(in.Tags)
}

// has returns nil if the queue's attributes have the given values. Otherwise it returns the error
// that the name is taken.
func (q *Queue) has(values map[string]string) error {
	was := q.Config()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		same := was
		if err := same.Set(name, values[name]); err != nil {
			return err
		}
		if !reflect.DeepEqual(was, same) {
			return queueNameExists(name)
		}
	}
	return nil
}

func (s *Service) deleteQueue(_ context.Context, in queueInput) (none, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return none{}, err
	}
	q.delete()
	s.log.Info("queue deleted", "queue", q.name)
	return none{}, nil
}

func (s *Service) purgeQueue(_ context.Context, in queueInput) (none, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return none{}, err
	}
	return none{}, q.Purge()
}

const maxListed = 1000 // queues a page, and the default

type listQueuesInput struct {
	QueueNamePrefix string
	MaxResults      int
	NextToken       string
}

type listQueuesOutput struct {
	QueueURLs []string `json:"QueueUrls,omitempty" xml:"QueueUrl"`
	NextToken string   `json:",omitempty" xml:",omitempty"`
}

func (s *Service) listQueues(_ context.Context, in listQueuesInput) (listQueuesOutput, error) {
	queues := s.list(func(q *Queue) bool { return strings.HasPrefix(q.name, in.QueueNamePrefix) })
	page, next, err := pageOfURLs(queues, in.MaxResults, in.NextToken)
	if in.MaxResults == 0 {
		next = "" // SQS pages its answer only if MaxResults is set
	}
	return listQueuesOutput{QueueURLs: page, NextToken: next}, err
}

type listDeadLetterSourceQueuesInput struct {
	queueInput
	MaxResults int
	NextToken  string
}

type listDeadLetterSourceQueuesOutput struct {
	// AWS writes this field in lower case, in this output only.
	QueueURLs []string `json:"queueUrls" xml:"QueueUrl"`
	NextToken string   `json:",omitempty" xml:",omitempty"`
}

func (s *Service) listDeadLetterSourceQueues(_ context.Context,
	in listDeadLetterSourceQueuesInput) (listDeadLetterSourceQueuesOutput, error) {
	target, err := s.byURL(in.QueueURL)
	if err != nil {
		return listDeadLetterSourceQueuesOutput{}, err
	}
	sources := s.list(func(q *Queue) bool {
		return q.config.RedrivePolicy != nil && q.config.RedrivePolicy.DeadLetterTargetARN == target.arn
	})
	page, next, err := pageOfURLs(sources, in.MaxResults, in.NextToken)
	return listDeadLetterSourceQueuesOutput{QueueURLs: page, NextToken: next}, err
}

func pageOfURLs(queues []*Queue, limit int, token string) (urls []string, next string, err error) {
	if limit < 0 || limit > maxListed {
		return nil, "", outOfRange("MaxResults", limit, 1, maxListed)
	}
	if limit == 0 {
		limit = maxListed
	}
	page, next, ok := awsapi.Page(queues, limit, token)
	if !ok {
		return nil, "", invalidParameter("Value %s for parameter NextToken is invalid.", token)
	}
	urls = []string{}
	for _, q := range page {
		urls = append(urls, q.url)
	}
	return urls, next, nil
}
