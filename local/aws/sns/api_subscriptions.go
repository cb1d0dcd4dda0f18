package sns

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"restock/local/aws/awsapi"
)

type subscribeInput struct {
	topicInput
	Protocol   string
	Endpoint   string
	Attributes attributes `xml:"Attributes>entry"`
	// ignored: the subscription of a queue needs no confirmation
	ReturnSubscriptionARN bool `xml:"ReturnSubscriptionArn"`
}

type subscribeOutput struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
}

// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
func (s *Service) subscribe(_ context.Context, in subscribeInput) (subscribeOutput, error) {
	t, err := s.find(in.TopicARN)
	if err != nil {
		return subscribeOutput{}, err
	}
	refused := t.allows(in.Protocol, in.Endpoint)
	switch {
	case refused != nil:
		return subscribeOutput{}, refused
	case slices.Contains(otherProtocols, in.Protocol):
		return subscribeOutput{},
			invalidParameter("Protocol: the local run delivers to sqs alone, not to " + strconv.Quote(in.Protocol))
	case in.Protocol != "sqs":
		return subscribeOutput{}, invalidParameter("Amazon SNS does not support this protocol string: " + in.Protocol)
	case !queueARN.MatchString(in.Endpoint):
		return subscribeOutput{}, invalidParameter("SQS endpoint ARN")
	}
	config, given := SubscriptionConfig{QueueARN: in.Endpoint}, in.Attributes.decode()
	names := slices.Sorted(maps.Keys(given))
	for _, name := range names {
		if err := config.Set(name, given[name]); err != nil {
			return subscribeOutput{}, ofAttributes(err)
		}
	}
	sub, err := t.subscribe(config, names)
	if err != nil {
		return subscribeOutput{}, ofAttributes(err)
	}
	s.log.Info("queue subscribed", "topic", t.name, "queue", sub.QueueARN)
	return subscribeOutput{SubscriptionARN: sub.ARN}, nil
}

// https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
var otherProtocols = []string{
	"http", "https", "email", "email-json", "sms", "application", "lambda", "firehose",
}

// ofAttributes says in an error that the attributes of Subscribe are wrong.
func ofAttributes(err error) error {
	const invalid, attributes = "Invalid parameter: ", "Attributes Reason: "
	var refused *awsapi.Error
	if !errors.As(err, &refused) {
		return err
	}
	reason := strings.TrimPrefix(refused.Message, invalid)
	return invalidParameter(attributes + strings.TrimPrefix(reason, attributes))
}

type subscriptionInput struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
}

func (in subscriptionInput) validate() error {
	const parameter = "SubscriptionArn"
	if in.SubscriptionARN == "" {
		return invalidParameter(parameter + " Reason: no value for required parameter")
	}
	if err := checkARN(parameter, in.SubscriptionARN); err != nil {
		return err
	}
	if !strings.HasPrefix(in.SubscriptionARN, "arn:aws:sns:") || strings.Count(in.SubscriptionARN, ":") != 6 {
		return invalidParameter("SubscriptionId")
	}
	return nil
}

// unsubscribe removes a subscription. A missing subscription is no error.
// https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html
func (s *Service) unsubscribe(_ context.Context, in subscriptionInput) (none, error) {
	if err := in.validate(); err != nil {
		return none{}, err
	}
	_ = s.editSubscription(in.SubscriptionARN, func(sub Subscription) (Subscription, bool, error) {
		return sub, false, nil
	})
	return none{}, nil
}

type setSubscriptionAttributesInput struct {
	subscriptionInput
	AttributeName  string
	AttributeValue string
}

// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
func (s *Service) setSubscriptionAttributes(_ context.Context, in setSubscriptionAttributesInput) (none, error) {
	if err := in.validate(); err != nil {
		return none{}, err
	}
	return none{}, s.editSubscription(in.SubscriptionARN,
		func(sub Subscription) (_ Subscription, keep bool, err error) {
			if err := sub.Set(in.AttributeName, in.AttributeValue); err != nil {
				return sub, true, err
			}
			sub.filter, err = sub.newFilter(sub.TopicARN)
			return sub, true, err
		})
}

// https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html
func (s *Service) getSubscriptionAttributes(_ context.Context, in subscriptionInput) (attributesOutput, error) {
	if err := in.validate(); err != nil {
		return attributesOutput{}, err
	}
	for _, t := range s.list() {
		for _, sub := range t.Subscriptions() {
			if sub.ARN == in.SubscriptionARN {
				return s.describe(sub)
			}
		}
	}
	s.mu.RLock()
	orphan, ok := s.orphans[in.SubscriptionARN]
	s.mu.RUnlock()
	if ok {
		return s.describe(orphan)
	}
	return attributesOutput{}, subscriptionNotFound()
}

func (s *Service) describe(sub Subscription) (attributesOutput, error) {
	out := attributes{
		{"SubscriptionArn", sub.ARN},
		{"TopicArn", sub.TopicARN},
		{"Owner", s.config.AccountID},
		{"Protocol", sub.protocol()},
		{"Endpoint", sub.endpoint()},
		{"RawMessageDelivery", strconv.FormatBool(sub.RawMessageDelivery)},
		{"PendingConfirmation", "false"},
		{"ConfirmationWasAuthenticated", "true"},
		// The person who started the run, or the program that they deployed, made it.
		{"SubscriptionPrincipal", "arn:aws:iam::" + s.config.AccountID + ":root"},
	}
	if sub.FilterPolicy != "" {
		out = append(out, attributeEntry{"FilterPolicy", sub.FilterPolicy},
			attributeEntry{"FilterPolicyScope", sub.get("FilterPolicyScope")})
	}
	if sub.DeadLetterQueueARN != "" {
		policy, err := json.Marshal(map[string]string{"deadLetterTargetArn": sub.DeadLetterQueueARN})
		if err != nil {
			return attributesOutput{}, err
		}
		out = append(out, attributeEntry{"RedrivePolicy", string(policy)})
	}
	return attributesOutput{out}, nil
}
