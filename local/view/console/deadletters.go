package console

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"restock/local/aws/sqs"
)

// A Message is a message in a queue: for the page, mostly a dead letter.
type Message struct {
	Queue    string    `json:"queue"`
	ID       string    `json:"id"`
	Sent     time.Time `json:"sent"`
	Receives int       `json:"receives"`
	Subject  string    `json:"subject,omitempty"` // if the message is a notification of SNS
	Body     Body      `json:"body"`
	About    string    `json:"about,omitempty"`    // what the message means for the program: see Panel.Messages
	Obsolete bool      `json:"obsolete,omitempty"` // see Panel.Obsolete
	Why      *Why      `json:"why,omitempty"`      // the last known failure
	Journey  string    `json:"journey,omitempty"`
}

// Why is a failure to process a message.
type Why struct {
	Time     time.Time `json:"time"`
	Function string    `json:"function"`
	Error    string    `json:"error"`
}

// maxPeeked is how many messages of each queue the console shows.
const maxPeeked = 50

// messagesIn returns the messages in queues, oldest first in each queue, and what all of them mean
// for the program. It does not receive them.
func (c *Console) messagesIn(queues []*sqs.Queue) (messages []Message, about string) {
	messages = []Message{}
	var bodies []string
	h, o := c.hider(), c.observer
	for _, q := range queues {
		for _, m := range q.Peek(maxPeeked) {
			bodies = append(bodies, m.Body)
			messages = append(messages, Message{
				Queue: q.Name(), ID: m.ID, Sent: m.SentAt.UTC(), Receives: m.ReceiveCount,
				Subject: contentsOf(m.Body).subject, Body: newBody(m.Body, maxListedBody).shown(h),
				About: c.about(m.Body), Obsolete: c.obsolete(m.Body),
				Why: o.deadLetters.of(m.ID), Journey: o.journeys.of(messageRef(m.ID)),
			})
		}
	}
	if len(bodies) > 1 {
		about = c.about(bodies...)
	}
	return messages, about
}

// about returns what messages mean for the program, in sentences of the panels.
func (c *Console) about(bodies ...string) string {
	var sentences []string
	for _, p := range c.config.Panels {
		if p.Messages != nil {
			sentences = append(sentences, p.Messages(bodies))
		}
	}
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
}

// obsolete reports whether a message can only be deleted.
func (c *Console) obsolete(body string) bool {
	return slices.ContainsFunc(c.config.Panels, func(p Panel) bool { return p.Obsolete != nil && p.Obsolete(body) })
}

// keepMessage keeps the body of a message that was sent, for its id and for that of the
// notification in it. The caller holds the lock.
func (o *observer) keepMessage(e *Event, notification string) {
	size := e.number("bytes")
	sent := body{e.text("body"), size, size > maxListedBody} // the log leaves out the queries of URLs
	o.messages.add(e.text("message"), len(sent.text), sent)
	if notification != "" {
		o.messages.add(notification, 0, sent) // the same text
	}
}

// message returns the body of a message that was sent.
func (o *observer) message(id string) (body, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.messages.find(id)
}

func (c *Console) serveMessage(w http.ResponseWriter, r *http.Request) {
	sent, known := c.observer.message(r.PathValue("id"))
	if !known {
		Refuse(w, http.StatusNotFound, fmt.Errorf("the message is not one of the latest %d, whose bodies the console "+
			"keeps", maxKeptMessages))
		return
	}
	Answer(w, http.StatusOK, sent.shown(c.hider()))
}

// contents are the fields of a message's body. If the message is a notification of SNS, fields are
// those of the JSON in it.
type contents struct {
	notification string // the id of the notification; empty if the message is none
	subject      string // of the notification
	fields       map[string]any
}

// text returns a field that is a string, or "". Unlike Unmarshal into a struct, it tells "message"
// from "Message".
func (c contents) text(name string) string {
	s, _ := c.fields[name].(string)
	return s
}

// contentsOf parses a body. A body that is no JSON object has no fields.
func contentsOf(body string) (c contents) {
	_ = json.Unmarshal([]byte(body), &c.fields)
	// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
	if c.text("Type") != "Notification" {
		return c
	}
	inner := contents{notification: c.text("MessageId"), subject: c.text("Subject")}
	_ = json.Unmarshal([]byte(c.text("Message")), &inner.fields)
	return inner
}

// A redriven is the result of a redrive.
type redriven struct {
	Moved int    `json:"moved"`
	About string `json:"about,omitempty"` // what the messages mean for the program
}

// redrive moves the messages of a dead-letter queue, or the one with an id, back to their source
// queues.
func (c *Console) redrive(q *sqs.Queue, id string) (r redriven, err error) {
	letters := q.Peek(math.MaxInt) // before they move
	if id == "" {
		r.Moved, err = q.Redrive()
	} else {
		letters = slices.DeleteFunc(letters, func(m sqs.Message) bool { return m.ID != id })
		r.Moved, err = 1, q.RedriveMessage(id)
	}
	if err != nil {
		return redriven{}, err
	}
	var bodies []string
	for _, m := range letters {
		bodies = append(bodies, m.Body)
	}
	r.About = c.about(bodies...)
	return r, nil
}

// maxFailures bounds the messages whose last failure the console keeps.
const maxFailures = 2000

// failures keeps the last failure of each message, for the latest messages that failed.
type failures struct {
	mu        sync.Mutex // guards what follows
	byMessage map[string]*Why
	order     []string // ids of messages, in the order of their first failure
}

func newFailures() *failures { return &failures{byMessage: map[string]*Why{}} }

// failed keeps a failure. specific says that the failure has an error of its own: other failures do
// not replace a known one.
func (f *failures) failed(message string, why Why, specific bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.byMessage[message]; known != nil {
		if specific {
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

// of returns a message's last failure, or nil.
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
