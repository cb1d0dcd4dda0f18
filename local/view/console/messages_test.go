package console_test

import (
	"strings"
	"testing"
	"time"

	"restock/local/aws/sqs"
	"restock/local/view/console"
	"restock/local/view/events"
	"restock/test/await"
)

func TestMessagesAreShownWithoutReceivingThemAndWithoutSecrets(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	q, dlq := queues(t)
	err := h.Console.Run(console.Stack{
		Graph: picture(), Queues: []*sqs.Queue{q, dlq}, Secrets: func() []string { return []string{"the password"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	const secret = `{"Message":"{\"login\":\"the password\"}","CallbackUrl":"https://shop/c?signature=abc"}`
	const want, long = `{"Message":"{\"login\":\"(hidden)\"}","CallbackUrl":"https://shop/c?…"}`, 100_000
	for _, queue := range []*sqs.Queue{q, dlq} {
		for _, body := range []string{secret, strings.Repeat("x", long)} {
			if _, err := queue.Send(sqs.SendInput{Body: body}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var state struct {
		DeadLetters []console.Message `json:"dead_letters"`
	}
	await.Until(t, "the state has the dead letters", func() bool {
		h.Get(t, "/state", &state)
		return len(state.DeadLetters) == 2
	})
	for _, node := range []string{"queue:q", "dead-letter-queue:dlq"} {
		var lines console.NodeLines
		h.Get(t, "/nodes/"+node, &lines)
		for _, list := range [][]console.Message{lines.Messages, state.DeadLetters} {
			if len(list) != 2 || list[0].Body != (console.Body{Text: want, Size: len(secret)}) ||
				list[0].Receives != 0 || len(list[1].Body.Text) > 16<<10 || list[1].Body.Size != long ||
				!list[1].Body.Cut {
				t.Errorf("%s: got %d messages, the first %+v; want %s, and the beginning of a long one",
					node, len(list), list[0], want)
			}
		}
	}
	noWait := time.Duration(0)
	got, err := q.Receive(t.Context(), sqs.ReceiveOptions{Wait: &noWait})
	if err != nil || len(got) != 1 || got[0].ReceiveCount != 1 {
		t.Errorf("the first receive after the console showed the message: got %+v, %v", got, err)
	}
}

// A message is gone from its queue long before a person opens its journey.
func TestAMessageOfAJourneyCanBeOpened(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const text = `{"Type":"Notification","MessageId":"notified","Message":"{\"a\":1}","Signature":"abc"}`
	const inQueue = len(text) + 100 // the log leaves out the queries of URLs
	h.Log.With("part", "sqs").Debug("message sent", events.MessageSent.Attr(), "queue", "q", "message", "sent",
		"bytes", inQueue, "body", text)
	for _, id := range []string{"sent", "notified"} {
		var got console.Body
		await.Until(t, "the message "+id+" has a body", func() bool {
			return h.Get(t, "/messages/"+id, &got) == 200
		})
		const want = `{"Type":"Notification","MessageId":"notified","Message":"{\"a\":1}","Signature":"(hidden)"}`
		if got != (console.Body{Text: want, Size: inQueue}) {
			t.Errorf("%s: got %+v, want %s", id, got, want)
		}
	}
	var refused struct{ Error string }
	if status := h.Get(t, "/messages/nothing", &refused); status != 404 || !strings.Contains(refused.Error, "2000") {
		t.Errorf("a message that the console has not kept: got %d %+v", status, refused)
	}
}
