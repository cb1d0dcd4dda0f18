package sns

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"restock/local/aws/awsapi"
)

// Subscription is the delivery of a topic's messages to a queue or a function.
type Subscription struct {
	ARN      string
	TopicARN string
	SubscriptionConfig

	filter filter // parsed FilterPolicy
}

// SubscriptionConfig says what is delivered to a queue, and in which form.
// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
type SubscriptionConfig struct {
	// QueueARN is the target queue. It need not exist: SNS checks it when it delivers.
	QueueARN string
	// FunctionARN is the target function, in place of a queue.
	FunctionARN string
	// RawMessageDelivery sends the message's body and attributes unchanged, without SNS's envelope.
	// https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
	RawMessageDelivery bool
	// FilterPolicy is the JSON text of the policy that selects the delivered messages; "" selects
	// all.
	FilterPolicy string
	// FilterPolicyScope is the part of the message to which the policy applies; "" means
	// MessageAttributes.
	FilterPolicyScope FilterPolicyScope
	// DeadLetterQueueARN is the queue for undeliverable messages. Without one they are lost.
	DeadLetterQueueARN string
}

// FilterPolicyScope is the part of a message to which a filter policy applies.
type FilterPolicyScope string

// The scopes of a filter policy.
const (
	MessageAttributes FilterPolicyScope = "MessageAttributes"
	MessageBody       FilterPolicyScope = "MessageBody"
)

var queueARN = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:([A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo)$`)

// newFilter checks the configuration of a topic's subscription and parses its filter policy.
func (c SubscriptionConfig) newFilter(topicARN string) (filter, error) {
	if c.FunctionARN == "" && !queueARN.MatchString(c.QueueARN) {
		return nil, invalidParameter("SQS endpoint ARN")
	}
	if c.DeadLetterQueueARN != "" && !queueARN.MatchString(c.DeadLetterQueueARN) {
		return nil, invalidParameter("RedrivePolicy: deadLetterTargetArn is an invalid arn")
	}
	if err := c.allowsDeadLetters(topicARN); err != nil {
		return nil, err
	}
	if c.FilterPolicy == "" {
		return nil, nil
	}
	f, err := parseFilter(c.FilterPolicy, c.FilterPolicyScope)
	switch {
	case errors.Is(err, errNested):
		return nil, invalidParameter(err.Error())
	case err != nil:
		return nil, invalidParameter("FilterPolicy: " + err.Error())
	}
	return f, nil
}

// Set sets an attribute by the API's name, such as "FilterPolicy". The value is the API's text. Set
// fails if the attribute does not exist or the value has the wrong type.
func (c *SubscriptionConfig) Set(attribute, value string) error {
	switch attribute {
	case "RawMessageDelivery":
		switch strings.ToLower(value) {
		case "true":
			c.RawMessageDelivery = true
		case "false":
			c.RawMessageDelivery = false
		default:
			return invalidParameter(attribute + ": Invalid value [" + value + "]. Must be true or false.")
		}
	case "FilterPolicy":
		c.FilterPolicy = value
		if value == "{}" { // "{}" removes a policy
			c.FilterPolicy = ""
		}
	case "FilterPolicyScope":
		switch scope := FilterPolicyScope(value); scope {
		case "", MessageAttributes, MessageBody:
			c.FilterPolicyScope = scope
		default:
			return invalidParameter(attribute + ": Invalid value [" + value +
				"]. Please use either MessageBody or MessageAttributes")
		}
	case "RedrivePolicy":
		c.DeadLetterQueueARN = ""
		if value == "" {
			return nil
		}
		var policy struct {
			DeadLetterTargetARN string `json:"deadLetterTargetArn"`
		}
		if err := json.Unmarshal([]byte(value), &policy); err != nil {
			return invalidParameter(attribute + ": failed to parse JSON. " + jsonRefusal(value, err))
		}
		c.DeadLetterQueueARN = policy.DeadLetterTargetARN
	default:
		return invalidParameter("AttributeName")
	}
	return nil
}

// get returns an attribute that Set sets.
func (c SubscriptionConfig) get(attribute string) string {
	switch attribute {
	case "RawMessageDelivery":
		return strconv.FormatBool(c.RawMessageDelivery)
	case "FilterPolicy":
		return c.FilterPolicy
	case "FilterPolicyScope":
		return string(cmp.Or(c.FilterPolicyScope, MessageAttributes))
	default:
		return c.DeadLetterQueueARN
	}
}

// endpoint returns the ARN of the target.
func (c SubscriptionConfig) endpoint() string { return cmp.Or(c.FunctionARN, c.QueueARN) }

// protocol returns the name of the target's protocol in SNS's API.
func (c SubscriptionConfig) protocol() string {
	if c.FunctionARN != "" {
		return "lambda"
	}
	return "sqs"
}

// settable are the attributes of a subscription.
var settable = []string{"RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"}

// Subscribe delivers messages that are published from now on to a queue. If the queue has the same
// subscription already, Subscribe returns that one. The error is an *awsapi.Error, for example for
// a filter policy that SNS refuses.
func (t *Topic) Subscribe(config SubscriptionConfig) (Subscription, error) {
	if err := t.allows(config.protocol(), config.endpoint()); err != nil {
		return Subscription{}, err
	}
	return t.subscribe(config, settable)
}

// subscribe is Subscribe for a caller that gave some of the attributes. They must be the same as
// those of an existing subscription.
func (t *Topic) subscribe(config SubscriptionConfig, given []string) (Subscription, error) {
	filter, err := config.newFilter(t.arn)
	if err != nil {
		return Subscription{}, err
	}
	t.service.mu.Lock()
	defer t.service.mu.Unlock()
	for _, existing := range t.subscriptions {
		if existing.endpoint() != config.endpoint() {
			continue
		}
		for _, attribute := range given {
			if existing.get(attribute) != config.get(attribute) {
				return Subscription{},
					invalidParameter("Attributes Reason: Subscription already exists with different attributes")
			}
		}
		return existing, nil
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

// Subscriptions returns the topic's subscriptions in the order of their creation.
func (t *Topic) Subscriptions() []Subscription {
	t.service.mu.RLock()
	defer t.service.mu.RUnlock()
	return t.subscriptions
}

// accepts reports whether the subscription's filter policy accepts a message.
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

// editSubscription replaces a subscription with the one that edit returns. If edit returns false,
// it removes the subscription.
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
		// A publisher may be reading the slice, so it is replaced, never changed.
		changed := slices.Clone(t.subscriptions)
		if keep {
			changed[i] = edited
		} else {
			changed = slices.Delete(changed, i, i+1)
		}
		t.subscriptions = changed
		return nil
	}
	return subscriptionNotFound()
}

func subscriptionNotFound() error {
	return &awsapi.Error{Status: 404, Code: "NotFound", Message: "Subscription does not exist"}
}
