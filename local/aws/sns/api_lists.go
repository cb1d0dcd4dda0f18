package sns

import (
	"context"

	"restock/local/aws/awsapi"
)

// pageSize is the number of topics or subscriptions in an answer.
// https://docs.aws.amazon.com/sns/latest/api/API_ListTopics.html
const pageSize = 100

type listTopicsInput struct {
	NextToken string
}

type listTopicsOutput struct {
	Topics    []topicEntry `xml:"Topics>member"`
	NextToken string       `xml:",omitempty"`
}

type topicEntry struct {
	TopicARN string `xml:"TopicArn"`
}

func (s *Service) listTopics(_ context.Context, in listTopicsInput) (listTopicsOutput, error) {
	page, next, ok := awsapi.Page(s.list(), pageSize, in.NextToken)
	if !ok {
		return listTopicsOutput{}, invalidParameter("NextToken")
	}
	out := listTopicsOutput{NextToken: next}
	for _, t := range page {
		out.Topics = append(out.Topics, topicEntry{t.arn})
	}
	return out, nil
}

type listSubscriptionsInput struct {
	NextToken string
}

type listSubscriptionsOutput struct {
	Subscriptions []subscriptionEntry `xml:"Subscriptions>member"`
	NextToken     string              `xml:",omitempty"`
}

type subscriptionEntry struct {
	SubscriptionARN string `xml:"SubscriptionArn"`
	Owner           string
	Protocol        string
	Endpoint        string
	TopicARN        string `xml:"TopicArn"`
}

func (s *Service) listSubscriptions(_ context.Context, in listSubscriptionsInput) (listSubscriptionsOutput, error) {
	var all []Subscription
	for _, t := range s.list() {
		all = append(all, t.Subscriptions()...)
	}
	return s.pageOfSubscriptions(all, in.NextToken)
}

type listSubscriptionsByTopicInput struct {
	TopicARN  string `xml:"TopicArn"`
	NextToken string
}

func (s *Service) listSubscriptionsByTopic(_ context.Context,
	in listSubscriptionsByTopicInput) (listSubscriptionsOutput, error) {
	t, err := s.find(in.TopicARN)
	if err != nil {
		return listSubscriptionsOutput{}, err
	}
	return s.pageOfSubscriptions(t.Subscriptions(), in.NextToken)
}

func (s *Service) pageOfSubscriptions(all []Subscription, token string) (listSubscriptionsOutput, error) {
	page, next, ok := awsapi.Page(all, pageSize, token)
	if !ok {
		return listSubscriptionsOutput{}, invalidParameter("NextToken")
	}
	out := listSubscriptionsOutput{NextToken: next}
	for _, sub := range page {
		out.Subscriptions = append(out.Subscriptions, subscriptionEntry{
			SubscriptionARN: sub.ARN,
			Owner:           s.config.AccountID,
			Protocol:        sub.protocol(),
			Endpoint:        sub.endpoint(),
			TopicARN:        sub.TopicARN,
		})
	}
	return out, nil
}
