package sns

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"restock/local/aws/sqs"
)

// TestLostMessagesAreWarnings publishes the same message twice, with the attributes units (String
// "12") and weight (Number "3"), and the body {"sku":"CP-1"}.
func TestLostMessagesAreWarnings(t *testing.T) {
	const (
		mismatch  = "the filter of a subscription can never take messages like this one"
		unclaimed = "no subscription of the topic takes the message: it is lost"
	)
	for _, tt := range []struct {
		name    string
		filters []string // of the subscriptions; in braces: of the message's body
		others  bool
		want    []string // the texts of the two publications' warnings
		parts   []string // of the first warning
	}{
		{"no subscription", nil, false, []string{"level=INFO msg=\"the topic has no subscription: its messages reach"},
			[]string{"topic=arn:aws:sns:eu-west-1:000000000000:stock_empty", "declared_in=\"topic \""}},
		{"an e-mail subscription", nil, true, nil, nil},
		{"no filter", []string{""}, false, nil, nil},
		{"a number where a String is sent", []string{`{"units":[{"numeric":[">",5]}]}`, ""}, false,
			[]string{mismatch},
			[]string{"attribute=units", `published="String \"12\""`, `filter_wants="[{\"numeric\":[\">\",5]}]"`,
				"scope=MessageAttributes", "declared_in=\"subscription 0\""}},
		{"a String where a number is sent", []string{`{"weight":["3"]}`, ""}, false, []string{mismatch},
			[]string{"attribute=weight", `published="Number \"3\""`, `filter_wants="[\"3\"]"`}},
		{"an attribute that is not sent", []string{`{"unit":["12"]}`, ""}, false, []string{mismatch},
			[]string{"attribute=unit", `published="nothing: the message has units, weight"`}},
		{"a key that the body lacks", []string{`({"name":["x"]})`, ""}, false, []string{mismatch},
			[]string{"attribute=name", `published="nothing: the body has sku"`, "scope=MessageBody"}},
		{"a kind of value that the body lacks", []string{`({"sku":[1]})`, ""}, false, []string{mismatch},
			[]string{"attribute=sku", `published="[\"CP-1\"]"`, "filter_wants=[1]"}},
		{"another value", []string{`{"units":["13"]}`, ""}, false, nil, nil},
		{"values that each filter may take", []string{`{"units":["13",{"prefix":"2"}],"weight":[3]}`,
			`{"units":[{"anything-but":"12"}]}`, `{"other":[{"exists":true}]}`, `{"units":[{"exists":false}]}`}, false,
			[]string{unclaimed, unclaimed}, []string{`{\"units\":[{\"anything-but\":\"12\"}]}`}},
		{"nobody, because of the kind", []string{`{"units":[12]}`}, false,
			[]string{mismatch, unclaimed, unclaimed}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			queues := sqs.New(sqs.Config{BaseURL: "http://x", Region: "eu-west-1", AccountID: "000000000000"},
				slog.New(slog.DiscardHandler))
			var log strings.Builder
			level := slog.LevelWarn
			if len(tt.filters) == 0 && len(tt.want) > 0 {
				level = slog.LevelInfo
			}
			service := New(Config{
				Region: "eu-west-1", AccountID: "000000000000", Queues: queues,
				DeclaredIn: func(_, queueARN string) string {
					if queueARN == "" {
						return "topic "
					}
					return "subscription " + queueARN[len(queueARN)-1:]
				},
			}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})))
			topic, err := service.CreateTopic(TopicConfig{Name: "stock_empty", OtherSubscribers: tt.others})
			if err != nil {
				t.Fatal(err)
			}
			for i, filter := range tt.filters {
				queue, err := queues.CreateQueue(sqs.NewQueueConfig("queue" + string(rune('0'+i))))
				if err != nil {
					t.Fatal(err)
				}
				config := SubscriptionConfig{QueueARN: queue.ARN(), FilterPolicy: strings.Trim(filter, "()")}
				if strings.HasPrefix(filter, "(") {
					config.FilterPolicyScope = MessageBody
				}
				if _, err := topic.Subscribe(config); err != nil {
					t.Fatal(err)
				}
			}
			attributes := map[string]sqs.MessageAttribute{
				"units":  {DataType: "String", StringValue: "12"},
				"weight": {DataType: "Number", StringValue: "3"},
			}
			for range 2 {
				n := Notification{Message: `{"sku":"CP-1"}`, Attributes: attributes}
				if _, err := topic.Publish(n); err != nil {
					t.Fatal(err)
				}
			}
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			lines = slices.DeleteFunc(lines, func(line string) bool {
				return strings.Contains(line, "message published")
			})
			if log.Len() == 0 {
				lines = nil
			}
			if len(lines) != len(tt.want) {
				t.Fatalf("got the warnings %q, want %q", lines, tt.want)
			}
			for i, want := range tt.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("got the warning %s, want %q", lines[i], want)
				}
			}
			for _, part := range tt.parts {
				if !strings.Contains(lines[0], part) {
					t.Errorf("got the warning %s, want %s in it", lines[0], part)
				}
			}
		})
	}
}
