package sns

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"restock/local/aws/sqs"
)

func TestMessageThatCannotBeDeliveredGoesToTheDeadLetterQueueOrIsLost(t *testing.T) {
	const refusal = "the queue's policy does not let the topic send"
	for _, tt := range []struct {
		name      string
		queue     string          // the subscribed queue
		withDLQ   bool            // the subscription has a dead-letter queue
		refused   map[string]bool // queues to which the topic may not send
		delivered map[string]int  // messages, by queue
		log       []string
	}{
		{"delivered", "queue", true, nil, map[string]int{"queue": 1}, nil},
		{"refused", "queue", true, map[string]bool{"queue": true}, map[string]int{"dlq": 1},
			[]string{"dead-letter queue", refusal}},
		{"no such queue", "nowhere", true, nil, map[string]int{"dlq": 1},
			[]string{"dead-letter queue", "no queue", "nowhere"}},
		{"refused, without a dead-letter queue", "queue", false, map[string]bool{"queue": true}, nil,
			[]string{"lost", refusal}},
		{"refused twice", "queue", true, map[string]bool{"queue": true, "dlq": true}, nil, []string{"lost", refusal}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const arn = "arn:aws:sqs:ap-northeast-2:000000000000:"
			queues := sqs.New(sqs.Config{BaseURL: "http://x", Region: "ap-northeast-2", AccountID: "000000000000"},
				slog.New(slog.DiscardHandler))
			for _, name := range []string{"queue", "dlq"} {
				if _, err := queues.CreateQueue(sqs.NewQueueConfig(name)); err != nil {
					t.Fatal(err)
				}
			}
			var log strings.Builder
			service := New(Config{
				Region: "ap-northeast-2", AccountID: "000000000000", Queues: queues,
				AuthorizeDelivery: func(topicARN, queueARN string) error {
					if !strings.HasSuffix(topicARN, ":stock_empty") {
						t.Errorf("asked for topic %s, want stock_empty", topicARN)
					}
					if tt.refused[strings.TrimPrefix(queueARN, arn)] {
						return errors.New(refusal)
					}
					return nil
				},
			}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
			topic, err := service.CreateTopic(TopicConfig{Name: "stock_empty"})
			if err != nil {
				t.Fatal(err)
			}
			config := SubscriptionConfig{QueueARN: arn + tt.queue}
			if tt.withDLQ {
				config.DeadLetterQueueARN = arn + "dlq"
			}
			if _, err := topic.Subscribe(config); err != nil {
				t.Fatal(err)
			}
			if _, err := topic.Publish(Notification{Message: "x"}); err != nil {
				t.Errorf("publishing: %v: a delivery is no concern of the publisher's", err)
			}
			for _, name := range []string{"queue", "dlq"} {
				if got := queues.Queue(arn + name).Counts().Visible; got != tt.delivered[name] {
					t.Errorf("messages in %s: got %d, want %d", name, got, tt.delivered[name])
				}
			}
			if (log.Len() > 0) != (tt.log != nil) {
				t.Errorf("log: got %q, want %q in it", log.String(), tt.log)
			}
			for _, want := range tt.log {
				if !strings.Contains(log.String(), want) {
					t.Errorf("log: got %q, want %q in it", log.String(), want)
				}
			}
		})
	}
}

func TestSubscriptionIsOneAQueue(t *testing.T) {
	f := newFixture(t, false)
	again, err := f.topic.Subscribe(SubscriptionConfig{QueueARN: f.queue.ARN()})
	if err != nil || again.ARN != f.sub.ARN {
		t.Errorf("subscribing again: got %s, %v; want %s", again.ARN, err, f.sub.ARN)
	}
	if _, err := f.topic.Subscribe(SubscriptionConfig{QueueARN: f.queue.ARN(), RawMessageDelivery: true}); err == nil {
		t.Error("subscribing again with another attribute: got no error")
	}
}
