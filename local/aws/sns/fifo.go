package sns

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"restock/local/aws/sqs"
)

// maxTopicName limits the name of a topic, with fifoSuffix, in characters.
const maxTopicName = 256

// fifoSuffix ends the name of a FIFO topic or queue, and of no other one.
const fifoSuffix = ".fifo"

const scopeMessageGroup = "MessageGroup"

// fifo is the state that only a FIFO topic has.
type fifo struct {
	// mu is held until a message is delivered: every queue gets the messages in the order of their
	// sequence numbers.
	mu       sync.Mutex
	accepted sqs.Deduplicator[published]
	count    int // of the accepted messages
}

// validateFIFO checks the name of a topic, and the attributes that only FIFO topics have.
// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
func (c TopicConfig) validateFIFO() error {
	name, isFIFO := strings.CutSuffix(c.Name, fifoSuffix)
	switch {
	case c.FIFO != isFIFO || !topicName.MatchString(name) || len(c.Name) > maxTopicName:
		return invalidParameter("Topic Name")
	case !c.FIFO && c.ContentBasedDeduplication+c.FIFOThroughputScope != "":
		return invalidParameter("Content-based deduplication and FifoThroughputScope are for FIFO topics only")
	case !slices.Contains([]string{"", "true", "false"}, c.ContentBasedDeduplication):
		return invalidParameter("ContentBasedDeduplication: it must be true or false")
	case !slices.Contains([]string{"", "Topic", scopeMessageGroup}, c.FIFOThroughputScope):
		return invalidParameter("FifoThroughputScope: it must be Topic or " + scopeMessageGroup)
	default:
		return nil
	}
}

// validateGroup checks the ids of a message group and of duplicates. A FIFO topic requires them,
// and a standard topic has no duplicates. The texts about the types are AWS's, of LocalStack's
// sns/test_sns. Those about the characters are SQS's.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
func (c TopicConfig) validateGroup(n Notification) error {
	switch {
	case !c.FIFO && n.DeduplicationID != "":
		return invalidParameter("MessageDeduplicationId Reason: The request includes MessageDeduplicationId " +
			"parameter that is not valid for this topic type")
	case c.FIFO && n.GroupID == "":
		return invalidParameter("The MessageGroupId parameter is required for FIFO topics")
	case c.FIFO && n.DeduplicationID == "" && c.ContentBasedDeduplication != "true":
		return invalidParameter("The topic should either have ContentBasedDeduplication enabled or " +
			"MessageDeduplicationId provided explicitly")
	}
	for parameter, id := range map[string]string{
		"MessageGroupId": n.GroupID, "MessageDeduplicationId": n.DeduplicationID,
	} {
		if id != "" && !sqs.IsMessageID(id) {
			return invalidParameter(parameter + " Reason: " + parameter + " can only include alphanumeric and " +
				"punctuation characters. 1 to 128 in length")
		}
	}
	return nil
}

// publishInOrder publishes a message to a FIFO topic, unless it is a duplicate.
// https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
func (t *Topic) publishInOrder(ctx context.Context, n Notification, perGroup bool) published {
	t.fifo.mu.Lock()
	defer t.fifo.mu.Unlock()
	now := time.Now()
	n.DeduplicationID = cmp.Or(n.DeduplicationID, sqs.ContentID(n.Message))
	t.fifo.accepted.PerGroup = perGroup
	if original, ok := t.fifo.accepted.Original(n.GroupID, n.DeduplicationID, now); ok {
		t.service.log.InfoContext(ctx, "message dropped: the topic got its deduplication id within five minutes",
			"topic", t.name, "original", original.id, "subject", n.Subject)
		return original
	}
	t.fifo.count++
	n.sequenceNumber = sqs.SequenceNumber(t.fifo.count)
	p := published{t.deliverAll(ctx, n), n.sequenceNumber}
	t.fifo.accepted.Remember(n.GroupID, n.DeduplicationID, now, p)
	return p
}

// allows returns AWS's refusal of a subscription that a topic of this type cannot have.
// https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html
// https://github.com/localstack/localstack/blob/main/tests/aws/services/sns/test_sns.py
func (t *Topic) allows(protocol, endpoint string) error {
	switch {
	case t.fifo != nil && protocol != "sqs":
		return invalidParameter("Invalid protocol type: " + protocol)
	case t.fifo == nil && protocol == "sqs" && strings.HasSuffix(endpoint, fifoSuffix):
		return invalidParameter("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to " +
			"standard SNS topics")
	default:
		return nil
	}
}

// allowsDeadLetters returns an error if the dead-letter queue of a subscription has the wrong type.
// A standard queue that subscribes to a FIFO topic may have either type. The text about FIFO
// queues is AWS's, of LocalStack's sns/test_sns.
// https://docs.aws.amazon.com/sns/latest/dg/sns-configure-dead-letter-queue.html
func (c SubscriptionConfig) allowsDeadLetters(topicARN string) error {
	toFIFO := strings.HasSuffix(c.DeadLetterQueueARN, fifoSuffix)
	switch {
	case c.DeadLetterQueueARN == "":
		return nil
	case strings.HasSuffix(c.QueueARN, fifoSuffix) && !toFIFO:
		return invalidParameter("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.")
	case !strings.HasSuffix(topicARN, fifoSuffix) && toFIFO:
		return invalidParameter("RedrivePolicy: must use a standard queue as DLQ for a Subscription to a standard " +
			"Topic.")
	default:
		return nil
	}
}
