package console

import (
	"encoding/json"
	"sync"
	"time"

	"restock/local/sqs"
)

// A DeadLetter is a message in a dead-letter queue.
type DeadLetter struct {
	Queue    string    `json:"queue"`
	ID       string    `json:"id"`
	Sent     time.Time `json:"sent"`
	Receives int       `json:"receives"`
	Subject  string    `json:"subject,omitempty"` // of the notification that it is, if it is one
	Body     string    `json:"body"`
	Why      *Why      `json:"why,omitempty"` // the last failure that was heard of
	Journey  string    `json:"journey,omitempty"`
}

// Why is a failure to process a message.
type Why struct {
	Time     time.Time `json:"time"`
	Function string    `json:"function"`
	Error    string    `json:"error"`
}

// maxDeadLetters is how many messages are shown of a dead-letter queue.
const maxDeadLetters = 50

// deadLettersIn are the messages in dead-letter queues, the oldest of each first.
func deadLettersIn(queues []*sqs.Queue, whys *failures, journeys *journeys) []DeadLetter {
	letters := []DeadLetter{}
	for _, q := range queues {
		for _, m := range q.Peek(maxDeadLetters) {
			var notification struct{ Subject string }
			_ = json.Unmarshal([]byte(m.Body), &notification) // any other text has no subject
			letters = append(letters, DeadLetter{
				Queue: q.Name(), ID: m.ID, Sent: m.SentAt.UTC(), Receives: m.ReceiveCount, Subject: notification.Subject, Body: m.Body,
				Why: whys.of(m.ID), Journey: journeys.of(messageRef(m.ID)),
			})
		}
	}
	return letters
}

// maxFailures is of how many messages the last failure is kept.
const maxFailures = 2000

// failures are why messages failed: the last failure of each, of the messages that failed last.
type failures struct {
	mu        sync.Mutex // guards what follows
	byMessage map[string]*Why
	order     []string // the messages, in the order of their first failure
}

func newFailures() *failures { return &failures{byMessage: map[string]*Why{}} }

// failed keeps a failure. One that says no more than that there was one does not replace what a function itself has said.
func (f *failures) failed(message string, why Why, telling bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.byMessage[message]; known != nil {
		if telling {
			*known = why
		}
		return
	}
	if len(f.order) >= maxFailures {
		delete(f.byMessage, f.order[0])
		f.order = f.order[1:]
	}
	f.byMessage[message] = &why
	f.order = append(f.order, message)
}

// of is a message's last failure; nil if none is known.
func (f *failures) of(message string) *Why {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.byMessage[message]
	if known == nil {
		return nil
	}
	why := *known
	return &why
}
