package console_test

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/view/console"
	"restock/local/view/console/consoletest"
	"restock/test/await"
)

// actionStack runs a stack with a topic t, its queue q and the dead-letter queue of q.
func actionStack(t *testing.T) (h *consoletest.Harness, q, dlq *sqs.Queue) {
	t.Helper()
	h = newHarness(t)
	service := sqs.New(sqs.Config{Region: "eu-central-1", AccountID: "000000000000"}, h.Log.With("part", "sqs"))
	q, dlq = queuesOf(t, service)
	log := h.Log.With("part", "sns")
	topics := sns.New(sns.Config{Region: "eu-central-1", AccountID: "000000000000", Queues: service}, log)
	topic, err := topics.CreateTopic(sns.TopicConfig{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topic.Subscribe(sns.SubscriptionConfig{QueueARN: q.ARN(), RawMessageDelivery: true}); err != nil {
		t.Fatal(err)
	}
	g := picture()
	for i, n := range g.Nodes {
		if n.Name == "q" || n.Name == "dlq" {
			g.Nodes[i].ARN = map[string]string{"q": q.ARN(), "dlq": dlq.ARN()}[n.Name]
		}
	}
	g.Nodes = append(g.Nodes, console.Node{ID: "topic:t", Kind: console.KindTopic, Name: "t", ARN: topic.ARN()})
	err = h.Console.Run(console.Stack{
		Graph: g, Topics: []*sns.Topic{topic}, Queues: []*sqs.Queue{q, dlq},
		PassTime: func(context.Context) console.Passed { return console.Passed{Schedules: 3, Messages: 2} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, q, dlq
}

func bodies(q *sqs.Queue) (all []string) {
	for _, m := range q.Peek(100) {
		all = append(all, m.Body)
	}
	return all
}

func TestAPersonSendsMessages(t *testing.T) {
	t.Parallel()
	h, q, _ := actionStack(t)
	var sent struct{ ID string }
	for body, want := range map[string]int{
		`{"node":"queue:q","body":"to the queue","attributes":[{"name":"size","type":"Number","value":"3"}]}`: 200,
		`{"node":"topic:t","body":"to the topic","subject":"hello","attributes":[{"name":"a","value":"b"}]}`:  200,
	} {
		if status := h.Post(t, "/send", body, &sent); status != want || sent.ID == "" {
			t.Errorf("%s: got %d %+v", body, status, sent)
		}
	}
	got := map[string]map[string]sqs.MessageAttribute{}
	for _, m := range q.Peek(9) {
		got[m.Body] = m.Attributes
	}
	want := map[string]map[string]sqs.MessageAttribute{
		"to the queue": {"size": {DataType: "Number", StringValue: "3"}},
		"to the topic": {"a": {DataType: "String", StringValue: "b"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the queue has %v, want %v", got, want)
	}
	// Each message begins a journey: what it causes can be found.
	var journeys []console.JourneySummary
	await.Until(t, "there are two journeys", func() bool {
		h.Get(t, "/journeys", &journeys)
		return len(journeys) == 2
	})
	names := []string{journeys[0].Summary, journeys[1].Summary}
	slices.Sort(names)
	if !slices.Equal(names, []string{"message published by a person", "message sent by a person"}) {
		t.Errorf("the journeys are %q", names)
	}
	h.Refuse(t, "/send", `{"node":"function:stock","body":"x"}`, 404, "no topic and no queue")
	h.Refuse(t, "/send", `{"node":"queue:q","body":""}`, 409, "MessageBody")
	h.Refuse(t, "/send", `{"node":"topic:t","body":""}`, 409, "Empty message")
}

func TestOneDeadLetterIsRedrivenOrDeleted(t *testing.T) {
	t.Parallel()
	h, q, dlq := actionStack(t)
	for _, body := range []string{"first", "second", "third"} {
		if _, err := q.Send(sqs.SendInput{Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	// A message moves to the dead-letter queue when it would be received for the second time.
	for range 2 {
		if _, err := q.Receive(t.Context(), sqs.ReceiveOptions{MaxMessages: 10, Wait: new(time.Duration)}); err != nil {
			t.Fatal(err)
		}
	}
	letters := dlq.Peek(9)
	if len(letters) != 3 {
		t.Fatalf("there are %d dead letters, want 3", len(letters))
	}
	named := func(body string) string {
		for _, m := range letters {
			if m.Body == body {
				return `{"queue":"dlq","message":"` + m.ID + `"}`
			}
		}
		return ""
	}
	var done struct{ Moved int }
	if status := h.Post(t, "/redrive", named("second"), &done); status != 200 || done.Moved != 1 {
		t.Errorf("got %d %+v, want one moved", status, done)
	}
	if status := h.Post(t, "/delete", named("first"), &done); status != 200 {
		t.Errorf("got %d", status)
	}
	if back, left := bodies(q), bodies(dlq); !slices.Equal(back, []string{"second"}) ||
		!slices.Equal(left, []string{"third"}) {
		t.Errorf("the queue has %q and the dead-letter queue %q, want the second and the third", back, left)
	}
	for _, path := range []string{"/redrive", "/delete"} {
		h.Refuse(t, path, named("first"), 409, "no longer in the queue")
		h.Refuse(t, path, `{"queue":"nowhere","message":"1"}`, 404, "no queue")
	}
	var message struct{ ID string }
	h.Post(t, "/send", `{"node":"dead-letter-queue:dlq","body":"by hand"}`, &message)
	h.Refuse(t, "/redrive", `{"queue":"dlq","message":"`+message.ID+`"}`, 409, "came from is not known")
}

func TestAQueueIsPurgedAndAMinutePasses(t *testing.T) {
	t.Parallel()
	h, q, _ := actionStack(t)
	for range 3 {
		if _, err := q.Send(sqs.SendInput{Body: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	var done struct{ Deleted, Schedules int }
	if status := h.Post(t, "/purge", `{"queue":"q"}`, &done); status != 200 || done.Deleted != 3 || len(bodies(q)) > 0 {
		t.Errorf("got %d %+v, and %d messages are left; want 3 deleted", status, done, len(bodies(q)))
	}
	h.Refuse(t, "/purge", `{"queue":"q"}`, 409, "PurgeQueue") // SQS allows one a minute
	if status := h.Post(t, "/pass-time", `{}`, &done); status != 200 || done.Schedules != 3 {
		t.Errorf("got %d %+v, want 3 schedules", status, done)
	}
	newHarness(t).Refuse(t, "/pass-time", `{}`, 503, "starting")
}
