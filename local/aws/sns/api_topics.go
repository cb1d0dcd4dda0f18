package sns

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
)

// attributes is a map in the query protocol.
type attributes []attributeEntry

type attributeEntry struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func (a attributes) decode() map[string]string {
	m := map[string]string{}
	for _, entry := range a {
		m[entry.Key] = entry.Value
	}
	return m
}

type createTopicInput struct {
	Name       string
	Attributes attributes `xml:"Attributes>entry"`
	Tags       []tag      `xml:"Tags>member"`
}

type createTopicOutput struct {
	TopicARN string `xml:"TopicArn"`
}

// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
func (s *Service) createTopic(_ context.Context, in createTopicInput) (createTopicOutput, error) {
	config, given := TopicConfig{Name: in.Name}, in.Attributes.decode()
	config.FIFO = given["FifoTopic"] == "true"
	delete(given, "FifoTopic")
	for name, value := range given {
		field := config.attribute(name)
		if field == nil {
			return createTopicOutput{}, invalidParameter("Attributes Reason: Unknown attribute " + name)
		}
		*field = value
	}
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return createTopicOutput{}, err
	}
	t, isNew, err := s.topicOf(config, tags)
	if err != nil {
		return createTopicOutput{}, err
	}
	if isNew {
		s.log.Info("topic created", "topic", t.name)
		return createTopicOutput{t.arn}, nil
	}
	existing := t.settings()
	for name, value := range given {
		if *existing.attribute(name) != value {
			return createTopicOutput{},
				invalidParameter("Attributes Reason: Topic already exists with different attributes")
		}
	}
	kept := t.listTags()
	for key, value := range tags {
		if was, has := kept[key]; !has || was != value {
			return createTopicOutput{}, invalidParameter("Tags Reason: Topic already exists with different tags")
		}
	}
	return createTopicOutput{t.arn}, nil
}

type topicInput struct {
	TopicARN string `xml:"TopicArn"`
}

type none struct{}

// deleteTopic deletes a topic and its subscriptions. A missing topic is no error.
// https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html
func (s *Service) deleteTopic(_ context.Context, in topicInput) (none, error) {
	if err := s.checkTopicARN("TopicArn", in.TopicARN); err != nil {
		return none{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, exists := s.topics[in.TopicARN]; exists {
		for _, sub := range t.subscriptions {
			s.orphans[sub.ARN] = sub
		}
		delete(s.topics, in.TopicARN)
	}
	s.log.Info("topic deleted", "topic", in.TopicARN)
	return none{}, nil
}

type attributesOutput struct {
	Attributes attributes `xml:"Attributes>entry"`
}

// The documents that every topic has unless it has others. Deliveries to HTTP endpoints, which the
// second is about, are not available.
const (
	defaultTopicPolicy = `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{` +
		`"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes",` +
		`"SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe",` +
		`"SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"%s","Condition":{"StringEquals":{` +
		`"AWS:SourceOwner":"%s"}}}]}`
	effectiveDeliveryPolicy = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,` +
		`"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,` +
		`"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{` +
		`"headerContentType":"text/plain; charset=UTF-8"}}}`
)

// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
func (s *Service) getTopicAttributes(_ context.Context, in topicInput) (attributesOutput, error) {
	t, err := s.find(in.TopicARN)
	if err != nil {
		return attributesOutput{}, err
	}
	config := t.settings()
	out := attributes{
		{"TopicArn", t.arn},
		{"Owner", s.config.AccountID},
		{"DisplayName", config.DisplayName},
		{"SubscriptionsConfirmed", strconv.Itoa(len(t.Subscriptions()))},
		{"SubscriptionsPending", "0"},
		{"SubscriptionsDeleted", "0"},
		{"Policy", cmp.Or(config.Policy, fmt.Sprintf(defaultTopicPolicy, t.arn, s.config.AccountID))},
		{"EffectiveDeliveryPolicy", effectiveDeliveryPolicy},
	}
	if config.FIFO {
		out = append(out, attributeEntry{"FifoTopic", "true"},
			attributeEntry{"ContentBasedDeduplication", cmp.Or(config.ContentBasedDeduplication, "false")},
			attributeEntry{"FifoThroughputScope", cmp.Or(config.FIFOThroughputScope, "Topic")})
	}
	for _, name := range []string{"KmsMasterKeyId", "SignatureVersion", "TracingConfig"} {
		if value := *config.attribute(name); value != "" {
			out = append(out, attributeEntry{name, value})
		}
	}
	return attributesOutput{out}, nil
}

type setTopicAttributesInput struct {
	topicInput
	AttributeName  string
	AttributeValue string
}

// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
func (s *Service) setTopicAttributes(_ context.Context, in setTopicAttributesInput) (none, error) {
	t, err := s.find(in.TopicARN)
	if err != nil {
		return none{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	config := t.config
	field := config.attribute(in.AttributeName)
	if field == nil {
		return none{}, invalidParameter("AttributeName")
	}
	*field = in.AttributeValue
	if err := config.validate(); err != nil {
		return none{}, err
	}
	t.config = config
	return none{}, nil
}
