package sns

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"restock/local/aws/awsapi"
)

// Subscription is a topic's delivery to a queue.
type Subscription struct {
	ARN      string
	TopicARN string
	SubscriptionConfig

	filter filter // what FilterPolicy says
}

// SubscriptionConfig is what is delivered, and how.
// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
type SubscriptionConfig struct {
	// QueueARN is the queue to deliver to. It need not exist: SNS finds that out when it delivers.
	QueueARN string
	// RawMessageDelivery sends the message's body and attributes as they are, without SNS's envelope.
	// https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
	RawMessageDelivery bool
	// FilterPolicy is the JSON text of the policy that says which messages are delivered; "" delivers all.
	FilterPolicy string
	// FilterPolicyScope is what the policy is about; "" is MessageAttributes.
	FilterPolicyScope FilterPolicyScope
	// DeadLetterQueueARN is the queue for messages that could not be delivered; without one they are lost.
	DeadLetterQueueARN string
}

// FilterPolicyScope is the part of a message that a filter policy is about.
type FilterPolicyScope string

// What a filter policy can be about.
const (
	MessageAttributes FilterPolicyScope = "MessageAttributes"
	MessageBody       FilterPolicyScope = "MessageBody"
)

var queueARN = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$`)

// newFilter checks the configuration and reads its filter policy.
func (c SubscriptionConfig) newFilter() (filter, error) {
	switch {
	case !queueARN.MatchString(c.QueueARN):
		return nil, invalidParameter("SQS endpoint ARN")
	case c.DeadLetterQueueARN != "" && !queueARN.MatchString(c.DeadLetterQueueARN):
		return nil, invalidParameter("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	case c.FilterPolicyScope != "" && c.FilterPolicyScope != MessageAttributes && c.FilterPolicyScope != MessageBody:
		return nil, invalidParameter("FilterPolicyScope: must be MessageAttributes or MessageBody")
	case c.FilterPolicy == "":
		return nil, nil
	}
	f, err := parseFilter(c.FilterPolicy, c.FilterPolicyScope)
	if err != nil {
		return nil, invalidParameter("FilterPolicy: " + err.Error())
	}
	return f, nil
}

// Set sets an attribute by the API's name, such as "FilterPolicy", to the value as the API writes it. It is an error if there is no
// such attribute, or the value is not of its kind.
func (c *SubscriptionConfig) Set(attribute, value string) (err error) {
	switch attribute {
	case "RawMessageDelivery":
		c.RawMessageDelivery, err = strconv.ParseBool(value)
	case "FilterPolicy":
		c.FilterPolicy = value
		if value == "{}" { // which is how a policy is removed
			c.FilterPolicy = ""
		}
	case "FilterPolicyScope":
		c.FilterPolicyScope = FilterPolicyScope(value)
	case "RedrivePolicy":
		var policy struct {
			DeadLetterTargetARN string `json:"deadLetterTargetArn"`
		}
		if value != "" {
			err = json.Unmarshal([]byte(value), &policy)
		}
		c.DeadLetterQueueARN = policy.DeadLetterTargetARN
	default:
		return invalidParameter("AttributeName")
	}
	if err != nil {
		return invalidParameter(attribute + ": the value is not one that it takes")
	}
	return nil
}

func (c *SubscriptionConfig) set(attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if err := c.Set(name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

// Subscribe delivers what is published from now on to a queue, too. It returns the subscription of the queue that there is
// already, if that is the same. The error is an *awsapi.Error: a filter policy that SNS does not take, for one.
func (t *Topic) Subscribe(config SubscriptionConfig) (Subscription, error) {
	filter, err := config.newFilter()
	if err != nil {
		return Subscription{}, err
	}
	t.service.mu.Lock()
	defer t.service.mu.Unlock()
	for _, existing := range t.subscriptions {
		switch {
		case existing.SubscriptionConfig == config:
			return existing, nil
		case existing.QueueARN == config.QueueARN:
			return Subscription{}, invalidParameter("Attributes Reason: Subscription already exists with different attributes")
		}
	}
	sub := Subscription{
		ARN:                t.arn + ":" + uuid.NewString(),
		TopicARN:           t.arn,
		SubscriptionConfig: config,
		filter:             filter,
	}
	t.subscriptions = append(slices.Clip(t.subscriptions), sub)
	return sub, nil
}

// Subscriptions returns the topic's subscriptions, in the order they were made.
func (t *Topic) Subscriptions() []Subscription {
	t.service.mu.RLock()
	defer t.service.mu.RUnlock()
	return t.subscriptions
}

// accepts reports whether the subscription's filter policy lets a message through.
func (sub Subscription) accepts(n Notification) bool {
	switch {
	case sub.FilterPolicy == "":
		return true
	case sub.FilterPolicyScope == MessageBody:
		return sub.filter.matchesBody(n.Message)
	default:
		return sub.filter.matchesAttributes(n.Attributes)
	}
}

// editSubscription replaces a subscription with what edit makes of it; false removes it.
func (s *Service) editSubscription(arn string, edit func(Subscription) (_ Subscription, keep bool, _ error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.topics {
		i := slices.IndexFunc(t.subscriptions, func(sub Subscription) bool { return sub.ARN == arn })
		if i < 0 {
			continue
		}
		edited, keep, err := edit(t.subscriptions[i])
		if err != nil {
			return err
		}
		// Publishers may be going through the slice: it is replaced, never changed.
		changed := slices.Clone(t.subscriptions)
		if keep {
			changed[i] = edited
		} else {
			changed = slices.Delete(changed, i, i+1)
		}
		t.subscriptions = changed
		return nil
	}
	return subscriptionNotFound(arn)
}

func subscriptionNotFound(arn string) error {
	return &awsapi.Error{Status: 404, Code: "NotFound", Message: fmt.Sprintf("Subscription does not exist: %s", arn)}
}
