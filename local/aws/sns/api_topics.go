package sns

import (
	"context"
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
}

type createTopicOutput struct {
	TopicARN string `xml:"TopicArn"`
}

// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
func (s *Service) createTopic(_ context.Context, in createTopicInput) (createTopicOutput, error) {
	config := TopicConfig{Name: in.Name}
	for name, value := range in.Attributes.decode() {
		switch name {
		case "DisplayName":
			config.DisplayName = value
		case "Policy":
			config.Policy = value
		case "KmsMasterKeyId":
			config.KMSMasterKeyID = value
		default:
			return createTopicOutput{}, invalidParameter("Attributes Reason: Unknown attribute " + name)
		}
	}
	t, isNew, err := s.topicOf(config)
	switch {
	case err != nil:
		return createTopicOutput{}, err
	case isNew:
		s.log.Info("topic created", "topic", config.Name)
	case len(in.Attributes) > 0 && t.config != config:
		return createTopicOutput{},
			invalidParameter("Attributes Reason: Topic already exists with different attributes")
	}
	return createTopicOutput{TopicARN: t.arn}, nil
}

type topicInput struct {
	TopicARN string `xml:"TopicArn"`
}

type none struct{}

// deleteTopic deletes a topic and its subscriptions. A missing topic is no error.
// https://docs.aws.amazon.com/sns/latest/api/API_DeleteTopic.html
func (s *Service) deleteTopic(_ context.Context, in topicInput) (none, error) {
	if !topicARN.MatchString(in.TopicARN) {
		return none{}, invalidParameter("TopicArn")
	}
	s.mu.Lock()
	delete(s.topics, in.TopicARN)
	s.mu.Unlock()
	s.log.Info("topic deleted", "topic", in.TopicARN)
	return none{}, nil
}

type attributesOutput struct {
	Attributes attributes `xml:"Attributes>entry"`
}

// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
func (s *Service) getTopicAttributes(_ context.Context, in topicInput) (attributesOutput, error) {
	t, err := s.find(in.TopicARN)
	if err != nil {
		return attributesOutput{}, err
	}
	out := attributes{
		{"TopicArn", t.arn},
		{"Owner", s.config.AccountID},
		{"DisplayName", t.config.DisplayName},
		{"SubscriptionsConfirmed", strconv.Itoa(len(t.Subscriptions()))},
		{"SubscriptionsPending", "0"},
		{"SubscriptionsDeleted", "0"},
	}
	return attributesOutput{out.withSet("Policy", t.config.Policy).withSet("KmsMasterKeyId",
		t.config.KMSMasterKeyID)}, nil
}

// withSet adds an attribute if it has a value.
func (a attributes) withSet(name, value string) attributes {
	if value == "" {
		return a
	}
	return append(a, attributeEntry{name, value})
}
