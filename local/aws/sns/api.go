package sns

import (
	"net/http"
	"regexp"

	"restock/local/aws/awsapi"
)

// API returns the service's operations for an AWS endpoint.
// https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
func (s *Service) API() awsapi.Service {
	return awsapi.Service{
		Name:          "sns",
		Protocol:      awsapi.Query("2010-03-31", "http://sns.amazonaws.com/doc/2010-03-31/"),
		Authorization: s.Authorization(),
		Operations: map[string]awsapi.Operation{
			"Publish":      awsapi.Handle(s.publish),
			"PublishBatch": awsapi.Handle(s.publishBatch),

			"CreateTopic":               awsapi.Handle(s.createTopic),
			"DeleteTopic":               awsapi.Handle(s.deleteTopic),
			"Subscribe":                 awsapi.Handle(s.subscribe),
			"Unsubscribe":               awsapi.Handle(s.unsubscribe),
			"GetSubscriptionAttributes": awsapi.Handle(s.getSubscriptionAttributes),
			"SetSubscriptionAttributes": awsapi.Handle(s.setSubscriptionAttributes),

			"ListTopics":               awsapi.Handle(s.listTopics),
			"GetTopicAttributes":       awsapi.Handle(s.getTopicAttributes),
			"ListSubscriptions":        awsapi.Handle(s.listSubscriptions),
			"ListSubscriptionsByTopic": awsapi.Handle(s.listSubscriptionsByTopic),
		},
	}
}

func invalidParameter(reason string) error {
	return awsapi.Errorf("InvalidParameter", "Invalid parameter: %s", reason)
}

var topicARN = regexp.MustCompile(`^arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$`)

func (s *Service) find(arn string) (*Topic, error) {
	if !topicARN.MatchString(arn) {
		return nil, invalidParameter("TopicArn")
	}
	t := s.Topic(arn)
	if t == nil {
		return nil, &awsapi.Error{Status: http.StatusNotFound, Code: "NotFound",
			Message: "Topic does not exist: " + arn}
	}
	return t, nil
}
