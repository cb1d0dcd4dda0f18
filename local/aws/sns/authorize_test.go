package sns_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"restock/local/aws/awsapi"
	"restock/local/aws/sns"
)

// refuser refuses every permission, and records the requested ones.
type refuser struct{ asked []awsapi.Permission }

func (r *refuser) Credentials(accessKeyID string) (awsapi.Credentials, bool) {
	return awsapi.Credentials{AccessKeyID: accessKeyID, SecretAccessKey: "secret"}, true
}

func (r *refuser) Authorize(_ string, p awsapi.Permission) error {
	r.asked = append(r.asked, p)
	return errors.New("not you")
}

// "To be able to tag a topic on creation, you must have the sns:CreateTopic and sns:TagResource
// permissions." https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
func TestATopicWithTagsRequiresTwoPermissions(t *testing.T) {
	service := sns.New(sns.Config{Region: "eu-west-1", AccountID: "000000000000"}, slog.New(slog.DiscardHandler))
	got, err := service.Authorization().Permissions("CreateTopic", func(input any) error {
		return json.Unmarshal([]byte(`{"Name":"news","Tags":[{"Key":"a"}]}`), input)
	})
	const topic = "arn:aws:sns:eu-west-1:000000000000:news"
	want := []awsapi.Permission{
		{Action: "sns:CreateTopic", Resource: topic}, {Action: "sns:TagResource", Resource: topic},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
func TestPermissionsOfOperations(t *testing.T) {
	const topic = "arn:aws:sns:eu-west-1:000000000000:news"
	service := sns.New(sns.Config{Region: "eu-west-1", AccountID: "000000000000"}, slog.New(slog.DiscardHandler))
	api := service.API()
	api.Authorization = service.Authorization()
	r := &refuser{}
	server := httptest.NewServer(awsapi.NewAuthorizedHandler(slog.New(slog.DiscardHandler), "eu-west-1", r, api))
	t.Cleanup(server.Close)
	client := awssns.NewFromConfig(aws.Config{
		Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	subscription := aws.String(topic + ":0a1b")
	for name, c := range map[string]struct {
		call func() error
		want awsapi.Permission
	}{
		"publish": {func() error {
			_, err := client.Publish(t.Context(), &awssns.PublishInput{
				TopicArn: aws.String(topic), Message: aws.String("m"),
			})
			return err
		}, awsapi.Permission{Action: "sns:Publish", Resource: topic}},
		"publish to a target": {func() error {
			_, err := client.Publish(t.Context(), &awssns.PublishInput{
				TargetArn: aws.String(topic), Message: aws.String("m"),
			})
			return err
		}, awsapi.Permission{Action: "sns:Publish", Resource: topic}},
		"publish a batch": {func() error {
			entries := []types.PublishBatchRequestEntry{{Id: aws.String("1"), Message: aws.String("m")}}
			_, err := client.PublishBatch(t.Context(), &awssns.PublishBatchInput{
				TopicArn: aws.String(topic), PublishBatchRequestEntries: entries,
			})
			return err
		}, awsapi.Permission{Action: "sns:Publish", Resource: topic}},
		"create": {func() error {
			_, err := client.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: aws.String("news")})
			return err
		}, awsapi.Permission{Action: "sns:CreateTopic", Resource: topic}},
		"a topic's attributes": {func() error {
			_, err := client.GetTopicAttributes(t.Context(), &awssns.GetTopicAttributesInput{
				TopicArn: aws.String(topic),
			})
			return err
		}, awsapi.Permission{Action: "sns:GetTopicAttributes", Resource: topic}},
		"setting a topic's attributes": {func() error {
			_, err := client.SetTopicAttributes(t.Context(), &awssns.SetTopicAttributesInput{
				TopicArn: aws.String(topic), AttributeName: aws.String("DisplayName"),
			})
			return err
		}, awsapi.Permission{Action: "sns:SetTopicAttributes", Resource: topic}},
		"tag": {func() error {
			_, err := client.TagResource(t.Context(), &awssns.TagResourceInput{
				ResourceArn: aws.String(topic), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
			})
			return err
		}, awsapi.Permission{Action: "sns:TagResource", Resource: topic}},
		"list": {func() error {
			_, err := client.ListTopics(t.Context(), &awssns.ListTopicsInput{})
			return err
		}, awsapi.Permission{Action: "sns:ListTopics", Resource: "*"}},
		"unsubscribe": {func() error {
			_, err := client.Unsubscribe(t.Context(), &awssns.UnsubscribeInput{SubscriptionArn: subscription})
			return err
		}, awsapi.Permission{Action: "sns:Unsubscribe", Resource: "*"}},
	} {
		r.asked = nil
		err := c.call()
		if !slices.Equal(r.asked, []awsapi.Permission{c.want}) {
			t.Errorf("%s: asks for %v, want %v", name, r.asked, c.want)
		}
		var refused *types.AuthorizationErrorException
		if !errors.As(err, &refused) || refused.ErrorMessage() != "not you" {
			t.Errorf("%s: got %v, want an AuthorizationErrorException", name, err)
		}
	}
}
