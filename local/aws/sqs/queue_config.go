package sqs

import (
	"regexp"
	"strings"
	"time"

	"restock/infra/policy/evaluation"
)

// QueueConfig holds a queue's attributes. Durations are whole seconds. NewQueueConfig returns SQS's
// defaults.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
type QueueConfig struct {
	// Name has up to 80 letters, digits, hyphens and underscores. That of a FIFO queue ends with
	// ".fifo".
	Name string
	// VisibilityTimeout hides a received message from other receivers: 0 to 12 hours.
	VisibilityTimeout time.Duration
	// MessageRetentionPeriod is the time after which a message is deleted: 1 minute to 14 days.
	MessageRetentionPeriod time.Duration
	// Delay hides a new message at first: 0 to 15 minutes.
	Delay time.Duration
	// MaximumMessageSize limits a message's body and attributes together, in bytes: 1 KiB to 1 MiB.
	MaximumMessageSize int
	// ReceiveMessageWaitTime is the default wait of a receiver: 0 to 20 seconds.
	ReceiveMessageWaitTime time.Duration
	// RedrivePolicy names the queue for messages that were received too often. May be nil.
	RedrivePolicy *RedrivePolicy
	// RedriveAllowPolicy restricts which queues may use this one as their dead-letter queue. Nil
	// allows all.
	RedriveAllowPolicy *RedriveAllowPolicy
	// Policy is the text of the queue's access policy, or "". The queue stores it for the caller
	// that evaluates policies.
	Policy string
	// KMSMasterKeyID names the KMS key that encrypts the messages, or is "". The stand-in encrypts
	// nothing.
	KMSMasterKeyID string
	// KMSDataKeyReusePeriod is how long SQS uses a data key of the KMS key: 1 minute to 1 day.
	KMSDataKeyReusePeriod time.Duration
	// SQSManagedSSE means that SQS encrypts the messages with its own keys.
	SQSManagedSSE bool
	// FIFO makes a FIFO queue. It cannot change. The fields below are for FIFO queues only.
	FIFO bool
	// ContentBasedDeduplication derives the deduplication id of a message from its body, unless the
	// sender gives one.
	ContentBasedDeduplication bool
	// DeduplicationScope says where a deduplication id identifies a message: queue or messageGroup.
	DeduplicationScope string
	// FIFOThroughputLimit is perQueue or perMessageGroupId. The stand-in has no such limit.
	FIFOThroughputLimit string
}

// The values of DeduplicationScope and FIFOThroughputLimit. The first one of each is the default.
const (
	scopeQueue        = "queue"
	scopeMessageGroup = "messageGroup"
	limitPerQueue     = "perQueue"
	limitPerGroup     = "perMessageGroupId"
)

// RedrivePolicy moves a message to a dead-letter queue instead of delivering it more than
// MaxReceiveCount times. Its JSON form is that of the queue attribute.
type RedrivePolicy struct {
	DeadLetterTargetARN string `json:"deadLetterTargetArn"`
	MaxReceiveCount     int    `json:"maxReceiveCount"` // 1 to 1,000
}

// RedriveAllowPolicy restricts which queues may name a queue as their dead-letter queue. Its JSON
// form is that of the queue attribute.
type RedriveAllowPolicy struct {
	// Permission is allowAll, denyAll or byQueue.
	Permission string `json:"redrivePermission"`
	// SourceQueueARNs are the 1 to 10 allowed queues if Permission is byQueue.
	SourceQueueARNs []string `json:"sourceQueueArns,omitempty"`
}

// SQS's defaults.
const (
	DefaultVisibilityTimeout      = 30 * time.Second
	DefaultMessageRetentionPeriod = 4 * 24 * time.Hour
	DefaultMaximumMessageSize     = 1 << 20
	DefaultKMSDataKeyReusePeriod  = 5 * time.Minute
)

// NewQueueConfig returns SQS's defaults for a queue with a name.
func NewQueueConfig(name string) QueueConfig {
	return QueueConfig{
		Name:                   name,
		VisibilityTimeout:      DefaultVisibilityTimeout,
		MessageRetentionPeriod: DefaultMessageRetentionPeriod,
		MaximumMessageSize:     DefaultMaximumMessageSize,
		KMSDataKeyReusePeriod:  DefaultKMSDataKeyReusePeriod,
		SQSManagedSSE:          true,
		DeduplicationScope:     scopeQueue,
		FIFOThroughputLimit:    limitPerQueue,
	}
}

// queueName matches the names of standard queues, and those of FIFO queues without ".fifo".
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (c QueueConfig) validate() error {
	base, hasSuffix := strings.CutSuffix(c.Name, fifoSuffix)
	switch {
	case c.FIFO && (!hasSuffix || !queueName.MatchString(base) || len(c.Name) > 80):
		return invalidParameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or " +
			"underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case !c.FIFO && hasSuffix:
		return invalidParameter("Only the name of a FIFO queue ends with .fifo: set FifoQueue to true.")
	case !c.FIFO && !queueName.MatchString(c.Name):
		return invalidParameter("The name must be 1 to 80 letters, digits, hyphens and underscores.")
	}
	for _, d := range []struct {
		attribute       string
		value, min, max time.Duration
	}{
		{"VisibilityTimeout", c.VisibilityTimeout, 0, maxVisibilityTimeout},
		{"MessageRetentionPeriod", c.MessageRetentionPeriod, time.Minute, 14 * 24 * time.Hour},
		{"DelaySeconds", c.Delay, 0, maxDelay},
		{"ReceiveMessageWaitTimeSeconds", c.ReceiveMessageWaitTime, 0, maxWait},
		{"KmsDataKeyReusePeriodSeconds", c.KMSDataKeyReusePeriod, time.Minute, 24 * time.Hour},
	} {
		if d.value < d.min || d.value > d.max || d.value%time.Second != 0 {
			return invalidAttributeValue("The attribute %s is %v: it must be %v to %v, in whole seconds.", d.attribute,
				d.value, d.min, d.max)
		}
	}
	if c.MaximumMessageSize < 1<<10 || c.MaximumMessageSize > 1<<20 {
		return invalidAttributeValue("The attribute MaximumMessageSize is %d bytes: it must be 1024 to 1048576.",
			c.MaximumMessageSize)
	}
	if c.Policy != "" {
		if _, err := evaluation.Parse(evaluation.Resource, c.Policy); err != nil {
			return invalidAttributeValue("Invalid value for the parameter Policy: %v.", err)
		}
	}
	if c.KMSMasterKeyID != "" && c.SQSManagedSSE {
		return invalidAttributeName(
			"You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS " +
				"SSE.")
	}
	if c.FIFO {
		switch {
		case c.DeduplicationScope != scopeQueue && c.DeduplicationScope != scopeMessageGroup:
			return invalidAttributeValue("Invalid value for the parameter DeduplicationScope.")
		case c.FIFOThroughputLimit != limitPerQueue && c.FIFOThroughputLimit != limitPerGroup:
			return invalidAttributeValue("Invalid value for the parameter FifoThroughputLimit.")
		case c.FIFOThroughputLimit == limitPerGroup && c.DeduplicationScope != scopeMessageGroup:
			return invalidAttributeValue(
				"The FifoThroughputLimit perMessageGroupId requires the DeduplicationScope messageGroup.")
		}
	}
	return c.RedriveAllowPolicy.validate()
}

// maxSourceQueues limits the queues that a redrive allow policy names.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue.html
const maxSourceQueues = 10

func (p *RedriveAllowPolicy) validate() error {
	if p == nil {
		return nil
	}
	n := len(p.SourceQueueARNs)
	switch p.Permission {
	case "allowAll", "denyAll":
		if n != 0 {
			return invalidAttributeValue(
				"The attribute RedriveAllowPolicy names source queues, which it may only with the permission byQueue.")
		}
	case "byQueue":
		if n < 1 || n > maxSourceQueues {
			return invalidAttributeValue("The attribute RedriveAllowPolicy names %d source queues: it must be 1 to %d.",
				n, maxSourceQueues)
		}
	default:
		return invalidAttributeValue(
			"The attribute RedriveAllowPolicy has the permission %q: it must be allowAll, denyAll or byQueue.",
			p.Permission)
	}
	return nil
}
