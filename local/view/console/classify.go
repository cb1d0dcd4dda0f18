package console

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// A flow is what moves along an edge with an event.
type flow struct {
	edge          string
	moved, failed int
}

// classify finds out where in the picture an event belongs, what moved, what it counts, and what it is about.
func (o *observer) classify(e *Event) {
	e.trace.text = e.Message
	if trace := e.text("trace_id"); trace != "" {
		e.trace.shares = append(e.trace.shares, traceRef(trace))
	}
	for id := range strings.FieldsSeq(e.text("message_ids")) {
		e.trace.shares = append(e.trace.shares, messageRef(id))
	}
	if request := e.text("api_request_id"); request != "" {
		e.trace.find = requestRef(request)
	}
	switch e.Part {
	case "api":
		o.classifyAPI(e)
	case "lambda":
		o.classifyFunction(e)
	case "sns":
		o.classifyTopic(e)
	case "sqs":
		o.classifyQueue(e)
	case "eventsource":
		o.classifyBatch(e)
	case "factory":
		o.classifyFactory(e)
	case "scheduler":
		o.classifySchedule(e)
	case "aws":
		o.classifyCall(e)
	case "iam":
		o.classifyDenial(e)
	case "network":
		o.classifyClosedWay(e)
	case "secretsmanager":
		e.Node = o.picture.only(KindSecrets)
		if f := o.picture.function(e.text("function")); f != "" && e.Message == "secret rotation step done" {
			e.move(o.picture.edge(e.Node, f), 1, 0)
		}
	case "build":
		e.Node = o.picture.function(e.text("functions")) // where it is of one
	case "mariadb":
		e.Node = o.picture.only(KindDatabase)
	}
	if correlation := e.text("correlation_id"); correlation != "" {
		e.trace.journey = correlation
	}
	if order := e.text("production_order"); order != "" {
		e.trace.refs = append(e.trace.refs, orderRef(order))
	}
}

// References are how events name what they are about.
func requestRef(id string) string    { return "request:" + id }
func invocationRef(id string) string { return "invocation:" + id }
func traceRef(id string) string      { return "trace:" + id }
func messageRef(id string) string    { return "message:" + id }
func orderRef(id string) string      { return "order:" + id }
func lotRef(id string) string        { return "lot:" + id }
func callbackRef(path string) string { return "callback:" + path }

// move says what moved along the event's edge, if that is drawn.
func (e *Event) move(edge string, moved, failed int) {
	if edge == "" {
		return
	}
	e.Edge, e.flow = edge, flow{edge, moved, failed}
}

func (o *observer) classifyAPI(e *Event) {
	e.Node = o.picture.only(KindAPI)
	if e.Message != "api request" {
		return
	}
	status := e.number("status")
	o.count(e.Node, "requests", 1)
	failed := 0
	switch {
	case status >= http.StatusInternalServerError:
		o.count(e.Node, "server_errors", 1)
		failed = 1
	case status >= http.StatusBadRequest:
		o.count(e.Node, "client_errors", 1)
	}
	id, callback := e.text("request_id"), callbackRef(e.text("path"))
	e.trace.refs, e.trace.find = append(e.trace.refs, requestRef(id)), callback
	e.trace.request = id
	e.trace.took = e.duration("duration")
	e.trace.text = fmt.Sprintf("%s %s %d", e.text("method"), e.text("path"), status)
	// A page that polls begins no journey.
	e.trace.begins = e.level > slog.LevelDebug

	function := o.picture.graph.Routes[e.text("route")]
	if into := o.picture.edge(e.Node, function); into != "" {
		o.moved(into, 1, failed)
	}
	if reason := e.text("turned_away"); reason != "" {
		e.trace.text += ": " + reason
		o.count(cmp.Or(function, e.Node), "throttled", 1) // no route: the API's own stage turned it away
	}
	caller := o.picture.only(KindBuyers)
	if factory := o.picture.only(KindFactory); factory != "" && o.journeys.knows(callback) {
		caller = factory
	}
	e.move(o.picture.edge(caller, e.Node), 1, failed)
}

func (o *observer) classifyFunction(e *Event) {
	e.Node = o.picture.function(e.text("function"))
	invocation := e.text("request_id")
	if own := e.text(ownRequestID); own != "" {
		// The host may tell a line that it reads late with the next invocation's id; the function knows its own.
		invocation = own
		e.Attrs["request_id"] = own
	}
	if invocation != "" {
		e.trace.shares = append(e.trace.shares, invocationRef(invocation))
	}
	if id := e.text("message_id"); id != "" {
		e.trace.refs = append(e.trace.refs, messageRef(id))
		if e.level >= slog.LevelError {
			o.deadLetters.failed(id, Why{Time: e.Time, Function: e.text("function"), Error: cmp.Or(e.text("error"), e.Message)}, true)
		}
	}
	switch e.Message {
	case "invocation ended":
		o.count(e.Node, "invocations", 1)
		e.trace.took = e.duration("duration")
		e.trace.text = "invocation of " + e.text("function")
		if e.level >= slog.LevelWarn {
			o.count(e.Node, "errors", 1)
			e.trace.text += ": " + cmp.Or(e.text("error"), e.text("status"))
		}
		if e.text("init_duration") != "" {
			o.count(e.Node, "cold_starts", 1)
			e.trace.text += ", a cold start"
		}
	case "production order opened":
		e.trace.order = true
	case "goods received", "goods received, more than ordered", "goods received, after their order was closed",
		"goods received, more than the attempt's earlier callback said":
		e.trace.made = e.number("quantity")
	}
}

func (o *observer) classifyTopic(e *Event) {
	topic := o.picture.topic(e.text("topic"))
	e.Node = topic
	if id := e.text("message"); id != "" {
		e.trace.refs = append(e.trace.refs, messageRef(id))
	}
	delivery := o.picture.edge(topic, o.picture.queue(e.text("queue")))
	switch {
	case e.Message == "message published":
		o.count(topic, "published", 1)
		if function := o.caller(e); function != "" {
			e.move(o.picture.edge(function, topic), 1, 0)
		}
	case e.Message == "message delivered":
		o.count(topic, "delivered", 1)
		e.move(delivery, 1, 0)
		if id := e.text("queue_message"); id != "" {
			e.trace.refs = append(e.trace.refs, messageRef(id))
		}
	case e.level >= slog.LevelWarn && delivery != "":
		if !strings.HasSuffix(e.Message, "it is in the subscription's dead-letter queue") {
			o.count(topic, "lost", 1)
		}
		e.move(delivery, 1, 1)
	}
}

// fromTopics is who sends what topics deliver.
const fromTopics = "sns.amazonaws.com"

func (o *observer) classifyQueue(e *Event) {
	queue := o.picture.queue(e.text("queue"))
	e.Node = queue
	if id := e.text("message"); id != "" {
		e.trace.refs = append(e.trace.refs, messageRef(id))
	}
	switch e.Message {
	case "message sent":
		o.count(queue, "sent", 1)
		e.readBody()
		sender := e.text("sender")
		if sender == fromTopics {
			break // the topic tells of the delivery
		}
		// A role's session is the id of the role, a colon, and the name of the function.
		if _, session, ok := strings.Cut(sender, ":"); ok {
			e.move(o.picture.edge(o.picture.function(session), queue), 1, 0)
		}
	case "message moved to the dead-letter queue":
		if target := o.picture.queue(e.text("dead_letter_queue")); target != "" {
			e.Node = target
			e.move(o.picture.edge(queue, target), 1, 0)
		}
	case "message moved out of the dead-letter queue":
		e.trace.refs = append(e.trace.refs, messageRef(e.text("as")))
	}
}

// readBody finds in the text of a message, or in that in the envelope that SNS puts around it, which journey it is a part of: there the ids
// travel from function to function.
func (e *Event) readBody() {
	var body struct {
		MessageID   string `json:"MessageId"`
		Message     string
		Correlation string `json:"correlation_id"`
		Order       string `json:"production_order_id"`
	}
	if json.Unmarshal([]byte(e.text("body")), &body) != nil {
		return
	}
	if body.Message != "" {
		e.trace.refs = append(e.trace.refs, messageRef(body.MessageID))
		if json.Unmarshal([]byte(body.Message), &body) != nil {
			return
		}
	}
	e.trace.journey = body.Correlation
	if body.Order != "" {
		e.trace.refs = append(e.trace.refs, orderRef(body.Order))
	}
}

func (o *observer) classifyBatch(e *Event) {
	function, queue := o.picture.function(e.text("function")), o.picture.queue(e.text("queue"))
	e.Node = function
	edge := o.picture.edge(queue, function)
	ids := strings.Fields(e.text("message_ids"))
	switch e.Message {
	case "batch processed":
		messages, failed := e.number("messages"), e.number("failed")
		o.count(queue, "received", messages)
		o.count(queue, "deleted", messages-failed)
		e.move(edge, messages, failed)
		e.trace.took = e.duration("duration")
	case "batch failed: its messages come back after the visibility timeout":
		messages := e.number("messages")
		o.count(queue, "received", messages)
		e.move(edge, messages, messages)
		for _, id := range ids {
			o.deadLetters.failed(id, Why{Time: e.Time, Function: e.text("function"), Error: e.text("error")}, true)
		}
	case "message failed: it comes back after the visibility timeout":
		id := e.text("message")
		e.Edge = edge
		e.trace.refs = append(e.trace.refs, messageRef(id))
		o.deadLetters.failed(id, Why{Time: e.Time, Function: e.text("function"), Error: "the function reported it as failed"}, false)
	case "function throttled: the batch is tried again":
		o.count(function, "throttled", 1)
	}
}

func (o *observer) classifyFactory(e *Event) {
	factory := o.picture.only(KindFactory)
	e.Node = factory
	if id := e.text("id"); id != "" {
		e.trace.refs = append(e.trace.refs, lotRef(id))
	}
	if callback, err := url.Parse(e.text("callback")); err == nil && len(callback.Path) > 1 {
		e.trace.refs = append(e.trace.refs, callbackRef(callback.Path))
	}
	e.trace.took = e.duration("duration")
	switch e.Message {
	case "production order received":
		failed := 0
		if e.text("id") == "" { // it makes nothing of it
			failed = 1
		}
		e.move(o.picture.onlyEdge(KindFunction, factory), 1, failed)
	case "lot delivered":
		e.Edge = o.picture.edge(factory, o.picture.only(KindAPI)) // the API tells of the request
	case "production step":
		e.trace.text += " " + e.text("step")
	case "delivery refused, and is not tried again":
		e.move(o.picture.edge(factory, o.picture.only(KindAPI)), 0, 1) // that the API has answered, the API tells
	case "delivery failed, and is not tried again":
		e.move(o.picture.edge(factory, o.picture.only(KindAPI)), 1, 1)
	}
}

func (o *observer) classifySchedule(e *Event) {
	schedule := o.picture.find(e.text("rule"), KindSchedule)
	e.Node = schedule
	failed := 0
	if e.level >= slog.LevelWarn {
		failed = 1
	}
	e.move(o.picture.out(schedule, KindFunction), 1, failed)
}

// classifyCall is about a call of AWS's API. What topics and queues do with theirs they tell themselves.
func (o *observer) classifyCall(e *Event) {
	function := o.caller(e)
	e.Node = function
	e.trace.text = e.text("service") + " " + e.text("operation")
	if e.Message != "AWS call answered" {
		e.trace.text += ": " + cmp.Or(e.text("code"), e.Message)
	} else if service := e.text("service"); service == "sns" || service == "sqs" {
		e.trace.shares = nil
	}
	if secrets := o.picture.only(KindSecrets); e.text("service") == "secretsmanager" && function != "" {
		failed := 0
		if e.Message != "AWS call answered" {
			failed = 1
		}
		e.move(o.picture.edge(function, secrets), 1, failed)
	}
}

// caller is the function whose instance made a call of AWS's API.
func (o *observer) caller(e *Event) string {
	caller := e.text("caller")
	if caller == "" || o.callerOf == nil {
		return ""
	}
	_, session, _ := strings.Cut(o.callerOf(caller), ":")
	return o.picture.function(session)
}
