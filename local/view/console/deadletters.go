package console

import (
	"encoding/json"
	"math"
	"sync"
	"time"

	"restock/local/aws/sqs"
)

// A DeadLetter is a message in a dead-letter queue.
type DeadLetter struct {
	Queue    string    `json:"queue"`
	ID       string    `json:"id"`
	Sent     time.Time `json:"sent"`
	Receives int       `json:"receives"`
	Subject  string    `json:"subject,omitempty"` // of the notification that it is, if it is one
	Body     string    `json:"body"`
	Order    string    `json:"order,omitempty"` // the production order that it asks for; several letters may ask for one
	Expired  bool      `json:"expired"`         // stock drops it: the sweep asks for the order again by itself
	Why      *Why      `json:"why,omitempty"`   // the last failure that was heard of
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
			c := contentsOf(m.Body)
			letters = append(letters, DeadLetter{
				Queue: q.Name(), ID: m.ID, Sent: m.SentAt.UTC(), Receives: m.ReceiveCount, Subject: c.Subject,
				Body:  m.Body,
				Order: c.Order, Expired: c.expired(), Why: whys.of(m.ID), Journey: journeys.of(messageRef(m.ID)),
			})
		}
	}
	return letters
}

// The contents of a message are what the console reads in its body, or in that of the SNS
// notification that it is.
type contents struct {
	MessageID   string    `json:"MessageId"` // of the notification
	Subject     string    // of the notification
	Message     string    // of the notification
	Correlation string    `json:"correlation_id"`
	Order       string    `json:"production_order_id"` // that a stock_empty message asks for
	ValidUntil  time.Time `json:"valid_until"`         // from then on, stock drops the message
}

// contentsOf reads a body. Any other text has no contents.
func contentsOf(body string) (c contents) {
	_ = json.Unmarshal([]byte(body), &c)
	if c.Message != "" {
		_ = json.Unmarshal([]byte(c.Message), &c)
	}
	return c
}

func (c contents) expired() bool {
	return c.Order != "" && !c.ValidUntil.IsZero() && !time.Now().Before(c.ValidUntil)
}

// A redriven says what was sent back from a dead-letter queue.
type redriven struct {
	Moved   int `json:"moved"`
	Orders  int `json:"orders"`  // production orders that the messages ask for
	Expired int `json:"expired"` // messages that stock drops
}

// redrive sends the messages of a dead-letter queue back to where they came from.
func redrive(q *sqs.Queue) (r redriven, err error) {
	letters := q.Peek(math.MaxInt) // before they move
	if r.Moved, err = q.Redrive(); err != nil {
		return redriven{}, err
	}
	orders := map[string]bool{}
	for _, m := range letters {
		c := contentsOf(m.Body)
		if c.Order != "" {
			orders[c.Order] = true
		}
		if c.expired() {
			r.Expired++
		}
	}
	r.Orders = len(orders)
	return r, nil
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
