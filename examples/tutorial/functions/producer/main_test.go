package main

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A queue records the messages that it gets, or fails with err.
type queue struct {
	bodies []string
	err    error
}

func (q *queue) SendMessage(_ context.Context, in *sqs.SendMessageInput,
	_ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	if q.err != nil {
		return nil, q.err
	}
	q.bodies = append(q.bodies, *in.QueueUrl+" "+*in.MessageBody)
	return &sqs.SendMessageOutput{}, nil
}

func TestProducerSendsTheBody(t *testing.T) {
	q := &queue{}
	p := producer{q, "https://queue"}
	for _, r := range []request{
		{Body: `{"input": 1}`},
		{Body: base64.StdEncoding.EncodeToString([]byte(`{"input": "one"}`)), IsBase64Encoded: true},
	} {
		got, err := p.handle(t.Context(), r)
		if err != nil || got.StatusCode != 202 || got.Body != `{"message":"Message accepted!"}` {
			t.Errorf("%s: got %d %s, %v; want 202", r.Body, got.StatusCode, got.Body, err)
		}
	}
	want := []string{`https://queue {"input": 1}`, `https://queue {"input": "one"}`}
	if !slices.Equal(q.bodies, want) {
		t.Errorf("got the messages %q, want %q", q.bodies, want)
	}
}

func TestProducerRefusesWhatIsNotJSON(t *testing.T) {
	q := &queue{}
	for _, body := range []string{"", "{", "하나"} {
		got, err := producer{q, "https://queue"}.handle(t.Context(), request{Body: body})
		if err != nil || got.StatusCode != 400 {
			t.Errorf("%q: got %d %s, %v; want 400", body, got.StatusCode, got.Body, err)
		}
	}
	if len(q.bodies) > 0 {
		t.Errorf("got the messages %q, want none", q.bodies)
	}
}

func TestProducerFailsIfTheMessageIsNotSent(t *testing.T) {
	denied := errors.New("AccessDenied")
	p := producer{&queue{err: denied}, "https://queue"}
	got, err := p.handle(t.Context(), request{Body: `{"input": 1}`})
	if !errors.Is(err, denied) || got.Body != "" {
		t.Errorf("got %d %s, %v; want no answer and an error", got.StatusCode, got.Body, err)
	}
}
