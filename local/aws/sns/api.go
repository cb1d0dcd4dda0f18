package sns

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

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
			"SetTopicAttributes":        awsapi.Handle(s.setTopicAttributes),
			"TagResource":               awsapi.Handle(s.tagResource),
			"UntagResource":             awsapi.Handle(s.untagResource),
			"ListTagsForResource":       awsapi.Handle(s.listTagsForResource),
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

var topicARN = regexp.MustCompile(`^arn:aws:sns:[a-z0-9-]+:\d{12}:([A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo)$`)

// checkARN returns AWS's error for a parameter that must be an ARN.
func checkARN(parameter, arn string) error {
	if n := strings.Count(arn, ":") + 1; n < 6 {
		return invalidParameter(fmt.Sprintf("%s Reason: An ARN must have at least 6 elements, not %d", parameter, n))
	}
	return nil
}

// checkTopicARN returns an error unless the ARN may be of a topic in the service's region.
func (s *Service) checkTopicARN(parameter, arn string) error {
	if err := checkARN(parameter, arn); err != nil {
		return err
	}
	if !topicARN.MatchString(arn) || strings.Split(arn, ":")[3] != s.config.Region {
		return invalidParameter(parameter)
	}
	return nil
}

func (s *Service) find(arn string) (*Topic, error) { return s.findAs("TopicArn", arn) }

func (s *Service) findAs(parameter, arn string) (*Topic, error) {
	if err := s.checkTopicARN(parameter, arn); err != nil {
		return nil, err
	}
	t := s.Topic(arn)
	if t == nil {
		return nil, &awsapi.Error{Status: http.StatusNotFound, Code: "NotFound", Message: "Topic does not exist"}
	}
	return t, nil
}
