package console

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"

	"restock/local/aws/awsapi"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/view/events"
)

// ByConsole is the value of InvokedBy, and the sender, of what a person does with the page.
const ByConsole = "the console"

// An outgoing is a message that a person sends.
type outgoing struct {
	Node       string      `json:"node"` // the id of the topic's or the queue's node
	Body       string      `json:"body"`
	Subject    string      `json:"subject"` // for a topic
	Attributes []attribute `json:"attributes"`
}

// An attribute is an attribute of a message that a person sends.
type attribute struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // String or Number, with an optional label; empty means String
	Value string `json:"value"`
}

// serveSend sends a message to a queue, or publishes it to a topic.
func (c *Console) serveSend(w http.ResponseWriter, r *http.Request) {
	var out outgoing
	if err := decode(w, r, &out, maxKeptBody); err != nil {
		Fail(w, err)
		return
	}
	n := c.observer.shown().nodes[out.Node]
	ctx := events.WithAttrs(r.Context(), slog.String(InvokedBy, ByConsole))
	id, err := "", error(nil)
	if topic := c.topic(n.ARN); topic != nil {
		id, err = topic.PublishContext(ctx, sns.Notification{
			Message: out.Body, Subject: out.Subject, Attributes: attributesOf(out.Attributes),
		})
	} else if queue := c.queueWith(n.ARN); queue != nil {
		id, err = queue.SendContext(ctx, sqs.SendInput{
			Body: out.Body, Attributes: attributesOf(out.Attributes), SenderID: ByConsole,
		})
	} else {
		err = Refusal{http.StatusNotFound, fmt.Errorf("the stack has no topic and no queue %q", out.Node)}
	}
	act(w, map[string]string{"id": id}, err)
}

// attributesOf returns a message's attributes. The type of a value is String, unless it says more.
func attributesOf(values []attribute) map[string]sqs.MessageAttribute {
	attributes := map[string]sqs.MessageAttribute{}
	for _, a := range values {
		attributes[a.Name] = sqs.MessageAttribute{DataType: cmp.Or(a.Type, "String"), StringValue: a.Value}
	}
	return attributes
}

// A chosen is a queue, or one message in it.
type chosen struct {
	Queue   string `json:"queue"`   // its name
	Message string `json:"message"` // the message's id; empty for all messages
}

// choose parses a control for a queue. The error is a Refusal.
func (c *Console) choose(w http.ResponseWriter, r *http.Request) (chosen, *sqs.Queue, error) {
	var body chosen
	if err := Decode(w, r, &body); err != nil {
		return body, nil, err
	}
	for _, q := range c.current().Queues {
		if q.Name() == body.Queue {
			return body, q, nil
		}
	}
	return body, nil, Refusal{http.StatusNotFound, fmt.Errorf("the stack has no queue %q", body.Queue)}
}

// serveRedrive sends all messages of a dead-letter queue, or one of them, back to their sources.
func (c *Console) serveRedrive(w http.ResponseWriter, r *http.Request) {
	body, queue, err := c.choose(w, r)
	var done redriven
	if err == nil {
		done, err = c.redrive(queue, body.Message)
	}
	act(w, done, err)
}

// serveDelete deletes one message of a queue.
func (c *Console) serveDelete(w http.ResponseWriter, r *http.Request) {
	body, queue, err := c.choose(w, r)
	if err == nil {
		err = queue.DeleteMessage(body.Message)
	}
	act(w, struct{}{}, err)
}

// servePurge deletes all messages of a queue.
func (c *Console) servePurge(w http.ResponseWriter, r *http.Request) {
	_, queue, err := c.choose(w, r)
	messages := 0
	if err == nil {
		messages = len(queue.Peek(math.MaxInt))
		err = queue.Purge()
	}
	act(w, map[string]int{"deleted": messages}, err)
}

// servePassTime lets a minute pass for the schedules and the queues.
func (c *Console) servePassTime(w http.ResponseWriter, r *http.Request) {
	if err := Decode(w, r, &struct{}{}); err != nil {
		Fail(w, err)
		return
	}
	pass := c.current().PassTime
	if pass == nil {
		Refuse(w, http.StatusServiceUnavailable, errors.New("the run is starting: its schedules do not run yet"))
		return
	}
	Answer(w, http.StatusOK, pass(r.Context()))
}

// act answers with the result of an action. A refusal of SQS or SNS is a conflict with the state of
// the stack, unless the message itself breaks a rule; the answer has AWS's text.
func act(w http.ResponseWriter, done any, err error) {
	if refused := (*awsapi.Error)(nil); errors.As(err, &refused) {
		err = Refusal{http.StatusConflict, errors.New(refused.Message)}
	}
	if err != nil {
		Fail(w, err)
		return
	}
	Answer(w, http.StatusOK, done)
}

func (c *Console) topic(arn string) *sns.Topic {
	for _, t := range c.current().Topics {
		if t.ARN() == arn {
			return t
		}
	}
	return nil
}

func (c *Console) queueWith(arn string) *sqs.Queue {
	for _, q := range c.current().Queues {
		if q.ARN() == arn {
			return q
		}
	}
	return nil
}

// sentByPerson makes a message that a person sends begin a journey.
func (e *Event) sentByPerson() {
	if e.text(InvokedBy) != "" && e.text("sender") != fromTopics {
		e.trace.request, e.trace.begins = e.text("message"), true
		e.trace.text += " by a person"
	}
}
