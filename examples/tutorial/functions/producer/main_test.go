package main

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A queue keeps what it is sent.
type queue struct {
	bodies []string
	err    error
}

func (q *queue) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	if q.err != nil {
		return nil, q.err
	}
	q.bodies = append(q.bodies, *in.QueueUrl+" "+*in.MessageBody)
	return &sqs.SendMessageOutput{}, nil
}

func TestProducerSendsTheBody(t *testing.T) {
	q := &queue{}
	p := producer{q, "https://queue"}
	for _, r := range []events.APIGatewayV2HTTPRequest{
		{Body: `{"input": 1}`},
		{Body: base64.StdEncoding.EncodeToString([]byte(`{"input": "one"}`)), IsBase64Encoded: true},
	} {
		got, err := p.handle(t.Context(), r)
		if err != nil || got.StatusCode != 202 || got.Body != `{"message":"Message accepted!"}` {
			t.Errorf("%s: got %d %s, %v; want 202", r.Body, got.StatusCode, got.Body, err)
		}
	}
	want := [2]string{`https://queue {"input": 1}`, `https://queue {"input": "one"}`}
	if len(q.bodies) != 2 || [2]string(q.bodies) != want {
		t.Errorf("sent were %q, want %q", q.bodies, want)
	}
}

func TestProducerSendsNothingThatIsNotJSON(t *testing.T) {
	q := &queue{}
	for _, body := range []string{"", "{", "하나"} {
		got, err := producer{q, "https://queue"}.handle(t.Context(), events.APIGatewayV2HTTPRequest{Body: body})
		if err != nil || got.StatusCode != 400 {
			t.Errorf("%q: got %d %s, %v; want 400", body, got.StatusCode, got.Body, err)
		}
	}
	if len(q.bodies) > 0 {
		t.Errorf("sent were %q, want nothing", q.bodies)
	}
}

func TestProducerDoesNotSayThatItSentWhatItDidNot(t *testing.T) {
	denied := errors.New("AccessDenied")
	got, err := producer{&queue{err: denied}, "https://queue"}.handle(t.Context(), events.APIGatewayV2HTTPRequest{Body: `{"input": 1}`})
	if !errors.Is(err, denied) || got.Body != "" {
		t.Errorf("got %d %s, %v; want no answer and an error", got.StatusCode, got.Body, err)
	}
}
