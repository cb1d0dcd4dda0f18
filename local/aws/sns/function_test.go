package sns_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"restock/local/aws/async"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/test/await"
)

type invoked chan []byte

func (i invoked) Invoke(_ context.Context, payload []byte) ([]byte, error) {
	i <- payload
	return nil, nil
}

func TestTopicInvokesItsFunction(t *testing.T) {
	const arn = "arn:aws:lambda:eu-west-1:000000000000:function:reader"
	calls := make(invoked, 1)
	s := sns.New(sns.Config{
		Region: "eu-west-1", AccountID: "000000000000",
		Function: func(topicARN, functionARN string) async.Invoker {
			if functionARN != arn || !strings.HasSuffix(topicARN, ":news") {
				t.Errorf("topic %s asks for the function %s", topicARN, functionARN)
			}
			return calls
		},
	}, slog.New(slog.DiscardHandler))
	defer s.Close()
	topic, err := s.CreateTopic(sns.TopicConfig{Name: "news"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topic.Subscribe(sns.SubscriptionConfig{FunctionARN: arn}); err != nil {
		t.Fatal(err)
	}
	id, err := topic.Publish(sns.Notification{
		Message: "buy sugar", Subject: "note", Attributes: map[string]sqs.MessageAttribute{
			"kind": {DataType: "String", StringValue: "shop"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got events.SNSEvent
	text := await.Receive(t, "the function is invoked", calls)
	if err := json.Unmarshal(text, &got); err != nil || len(got.Records) != 1 {
		t.Fatalf("got the event %s, %v; want one record", text, err)
	}
	r := got.Records[0]
	if r.EventSource != "aws:sns" || r.EventVersion != "1.0" || r.EventSubscriptionArn == "" ||
		r.SNS.MessageID != id || r.SNS.Message != "buy sugar" || r.SNS.Subject != "note" ||
		r.SNS.Type != "Notification" || r.SNS.SigningCertURL == "" || r.SNS.UnsubscribeURL == "" {
		t.Errorf("got the record %+v", r)
	}
	if strings.Contains(string(text), "SigningCertURL") {
		t.Errorf("got %s, want the names of a function's event only", text)
	}
}
