package sns

import (
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"
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
	if in.Protocol != "sqs" {
		return subscribeOutput{},
			invalidParameter("Protocol: the local run delivers to sqs alone, not to " + strconv.Quote(in.Protocol))
	}
	config := SubscriptionConfig{QueueARN: in.Endpoint}
	if err := config.set(in.Attributes.decode()); err != nil {
		return subscribeOutput{}, err
	}
	sub, err := t.Subscribe(config)
	if err != nil {
		return subscribeOutput{}, err
	}
	s.log.Info("queue subscribed", "topic", t.config.Name, "queue", sub.QueueARN)
	return subscribeOutput{SubscriptionARN: sub.ARN}, nil
}

type subscriptionInput struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
}

func (in subscriptionInput) validate() error {
	if !strings.HasPrefix(in.SubscriptionARN, "arn:aws:sns:") || strings.Count(in.SubscriptionARN, ":") != 6 {
		return invalidParameter("SubscriptionArn")
	}
	return nil
}

// https://docs.aws.amazon.com/sns/latest/api/API_Unsubscribe.html
func (s *Service) unsubscribe(_ context.Context, in subscriptionInput) (none, error) {
	if err := in.validate(); err != nil {
		return none{}, err
	}
	return none{}, s.editSubscription(in.SubscriptionARN, func(sub Subscription) (Subscription, bool, error) {
		return sub, false, nil
	})
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
			sub.filter, err = sub.newFilter()
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
	return attributesOutput{}, subscriptionNotFound(in.SubscriptionARN)
}

func (s *Service) describe(sub Subscription) (attributesOutput, error) {
	out := attributes{
		{"SubscriptionArn", sub.ARN},
		{"TopicArn", sub.TopicARN},
		{"Owner", s.config.AccountID},
		{"Protocol", "sqs"},
		{"Endpoint", sub.QueueARN},
		{"RawMessageDelivery", strconv.FormatBool(sub.RawMessageDelivery)},
		{"PendingConfirmation", "false"},
		{"ConfirmationWasAuthenticated", "true"},
	}
	if sub.FilterPolicy != "" {
		out = append(out, attributeEntry{"FilterPolicy", sub.FilterPolicy},
			attributeEntry{"FilterPolicyScope", string(cmp.Or(sub.FilterPolicyScope, MessageAttributes))})
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
