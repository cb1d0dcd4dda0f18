package sqs

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"restock/local/aws/awsapi"
)

type getQueueAttributesInput struct {
	queueInput
	AttributeNames []string `xml:"AttributeName"`
}

type getQueueAttributesOutput struct {
	Attributes awsapi.FlatMap[string] `json:",omitempty" xml:"Attribute"`
}

// absentAttributes are attributes that exist in SQS but may have no value on a standard queue. A
// request for one of them is no error.
var absentAttributes = []string{
	"ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit",
	"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "Policy", "RedriveAllowPolicy", "RedrivePolicy",
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func (s *Service) getQueueAttributes(_ context.Context, in getQueueAttributesInput) (getQueueAttributesOutput, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return getQueueAttributesOutput{}, err
	}
	all := q.attributes()
	if slices.Contains(in.AttributeNames, "All") {
		return getQueueAttributesOutput{Attributes: all}, nil
	}
	asked := map[string]string{}
	for _, name := range in.AttributeNames {
		value, ok := all[name]
		switch {
		case ok:
			asked[name] = value
		case !slices.Contains(absentAttributes, name):
			return getQueueAttributesOutput{}, unknownAttribute(name)
		}
	}
	return getQueueAttributesOutput{Attributes: asked}, nil
}

func (q *Queue) attributes() map[string]string {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	counts := q.count(time.Now())
	attributes := map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(counts.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(counts.InFlight),
		"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(counts.Delayed),
		"CreatedTimestamp":                      strconv.FormatInt(q.created.Unix(), 10),
		"LastModifiedTimestamp":                 strconv.FormatInt(q.modified.Unix(), 10),
		"QueueArn":                              q.arn,
	}
	maps.Copy(attributes, q.config.attributes())
	return attributes
}

type setQueueAttributesInput struct {
	queueInput
	Attributes map[string]string `xml:"Attribute"`
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func (s *Service) setQueueAttributes(_ context.Context, in setQueueAttributesInput) (none, error) {
	q, err := s.byURL(in.QueueURL)
	if err != nil {
		return none{}, err
	}
	if err := q.configure(in.Attributes); err != nil {
		return none{}, err
	}
	s.log.Info("queue's attributes set", "queue", q.name, "attributes", slices.Sorted(maps.Keys(in.Attributes)))
	return none{}, nil
}

func (q *Queue) configure(attributes map[string]string) error {
	q.service.mu.Lock()
	defer q.service.mu.Unlock()
	if q.deleted {
		return queueDoesNotExist()
	}
	config := q.config
	if err := config.set(attributes); err != nil {
		return err
	}
	if config.FIFO != q.config.FIFO {
		return unknownAttribute("FifoQueue")
	}
	if err := config.validate(); err != nil {
		return err
	}
	if err := q.service.validateRedrive(q.arn, config); err != nil {
		return err
	}
	q.config, q.modified = config, time.Now()
	return nil
}
