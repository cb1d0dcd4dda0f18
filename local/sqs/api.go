package sqs

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"restock/local/awsapi"
)

// API returns the service's operations for an AWS endpoint.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
func (s *Service) API() awsapi.Service {
	return awsapi.Service{
		Name:     "sqs",
		Protocol: awsapi.QueryCompatibleJSON("1.0", "AmazonSQS", "com.amazonaws.sqs"),
		Operations: map[string]awsapi.Operation{
			"GetQueueUrl":                awsapi.Handle(s.getQueueURL),
			"GetQueueAttributes":         awsapi.Handle(s.getQueueAttributes),
			"ListQueues":                 awsapi.Handle(s.listQueues),
			"ListDeadLetterSourceQueues": awsapi.Handle(s.listDeadLetterSourceQueues),
			"PurgeQueue":                 awsapi.Handle(s.purgeQueue),

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

// none is the output of an operation without one.
type none struct{}

type getQueueURLInput struct {
	QueueName              string
	QueueOwnerAWSAccountID string `json:"QueueOwnerAWSAccountId"`
}

type getQueueURLOutput struct {
	QueueURL string `json:"QueueUrl"`
}

func (s *Service) getQueueURL(_ context.Context, in getQueueURLInput) (getQueueURLOutput, error) {
	if in.QueueName == "" {
		return getQueueURLOutput{}, missingParameter("QueueName")
	}
	if in.QueueOwnerAWSAccountID != "" && in.QueueOwnerAWSAccountID != s.config.AccountID {
		return getQueueURLOutput{}, queueDoesNotExist(in.QueueOwnerAWSAccountID + "/" + in.QueueName)
	}
	q, err := s.byName(in.QueueName)
	if err != nil {
		return getQueueURLOutput{}, err
	}
	return getQueueURLOutput{QueueURL: q.url}, nil
}

type queueInput struct {
	QueueURL string `json:"QueueUrl"`
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
	QueueURLs []string `json:"QueueUrls,omitempty"`
	NextToken string   `json:",omitempty"`
}

func (s *Service) listQueues(_ context.Context, in listQueuesInput) (listQueuesOutput, error) {
	queues := s.list(func(q *Queue) bool { return strings.HasPrefix(q.config.Name, in.QueueNamePrefix) })
	page, next, err := pageOfURLs(queues, in.MaxResults, in.NextToken)
	return listQueuesOutput{QueueURLs: page, NextToken: next}, err
}

type listDeadLetterSourceQueuesInput struct {
	queueInput
	MaxResults int
	NextToken  string
}

type listDeadLetterSourceQueuesOutput struct {
	QueueURLs []string `json:"queueUrls"` // in lower case: so it is on AWS, in this output alone
	NextToken string   `json:",omitempty"`
}

func (s *Service) listDeadLetterSourceQueues(_ context.Context, in listDeadLetterSourceQueuesInput) (listDeadLetterSourceQueuesOutput, error) {
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

type getQueueAttributesInput struct {
	queueInput
	AttributeNames []string
}

type getQueueAttributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

// attributesNotHere are attributes that SQS has and that no queue here has a value for: asking for them is no error.
var attributesNotHere = []string{
	"Policy", "FifoQueue", "ContentBasedDeduplication", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds",
	"DeduplicationScope", "FifoThroughputLimit", "RedriveAllowPolicy", "SqsManagedSseEnabled", "RedrivePolicy",
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func (s *Service) getQueueAttributes(_ context.Context, in getQueueAttributesInput) (getQueueAttributesOutput, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return getQueueAttributesOutput{}, err
	}
	all, err := q.attributes()
	if err != nil {
		return getQueueAttributesOutput{}, err
	}
	if slices.Contains(in.AttributeNames, "All") {
		return getQueueAttributesOutput{Attributes: all}, nil
	}
	asked := map[string]string{}
	for _, name := range in.AttributeNames {
		value, ok := all[name]
		switch {
		case ok:
			asked[name] = value
		case !slices.Contains(attributesNotHere, name):
			return getQueueAttributesOutput{}, invalidAttributeName(name)
		}
	}
	return getQueueAttributesOutput{Attributes: asked}, nil
}

func (q *Queue) attributes() (map[string]string, error) {
	counts := q.Counts()
	inSeconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	created := strconv.FormatInt(q.created.Unix(), 10)
	attributes := map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(counts.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(counts.InFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(counts.Delayed),
		"CreatedTimestamp":                      created,
		"LastModifiedTimestamp":                 created,
		"DelaySeconds":                          inSeconds(q.config.Delay),
		"MaximumMessageSize":                    strconv.Itoa(q.config.MaximumMessageSize),
		"MessageRetentionPeriod":                inSeconds(q.config.MessageRetentionPeriod),
		"QueueArn":                              q.arn,
		"ReceiveMessageWaitTimeSeconds":         inSeconds(q.config.ReceiveMessageWaitTime),
		"VisibilityTimeout":                     inSeconds(q.config.VisibilityTimeout),
	}
	if q.config.RedrivePolicy != nil {
		policy, err := json.Marshal(q.config.RedrivePolicy)
		if err != nil {
			return nil, err
		}
		attributes["RedrivePolicy"] = string(policy)
	}
	return attributes, nil
}
