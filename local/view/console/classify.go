package console

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"restock/infra/policy/declared"
	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// A flow is how many messages or calls an event moved along an edge, and how many of them failed.
type flow struct {
	edge          string
	moved, failed int
}

// A place returns the id of the node that an event names, or "".
type place func(*observer, *Event) string

// named returns the place whose name or ARN is the value of an attribute.
func named(key string, kinds ...string) place {
	return func(o *observer, e *Event) string { return o.picture.find(e.text(key), kinds...) }
}

// only returns the place of the first node of a kind, for kinds of which the stack has one.
func only(kind string) place {
	return func(o *observer, _ *Event) string { return o.picture.graph.Only(kind) }
}

var (
	theAPI     = only(KindAPI)
	theFactory = only(KindFactory)
	theSecrets = only(KindSecrets)
	function   = named("function", KindFunction)
	topic      = named("topic", KindTopic)
	queue      = named("queue", KindQueue, KindDeadLetterQueue)
	dlq        = named("dead_letter_queue", KindQueue, KindDeadLetterQueue)
	schedule   = named("rule", KindSchedule)
)

// places are the places of events, by the part of the run that logs them. A stand-in that is one
// node needs none: its part of the log is its service.
var places = map[string]place{
	"api":         theAPI,
	"aws":         caller,
	"build":       named("functions", KindFunction),
	"eventsource": function,
	"factory":     theFactory,
	"lambda":      function,
	"mariadb":     only(KindDatabase),
	"network":     function,
	"scheduler":   schedule,
	"sns":         topic,
	"sqs":         queue,
	"xray":        function,
}

// caller returns the function that calls AWS, or the API: its calls name the request that causes
// them.
func caller(o *observer, e *Event) string {
	if f := function(o, e); f != "" || e.text("api_request_id") == "" {
		return f
	}
	return theAPI(o, e)
}

// A meaning says how events of a kind change the picture: which counter of their node they
// increment, and what moves along which edge. The function more handles what depends on the event's
// attributes.
type meaning struct {
	counter  string
	from, to place
	moves    flow
	more     func(*observer, *Event)
}

var (
	arrives = flow{moved: 1}
	fails   = flow{moved: 1, failed: 1}
	blocked = flow{failed: 1}
)

// meanings has every kind of event that means more than its place.
var meanings = map[events.Kind]meaning{
	events.APIRequest:         {counter: "requests", more: (*observer).request},
	events.FunctionLine:       {more: (*observer).functionLine},
	events.InvocationEnded:    {counter: "invocations", more: (*observer).invocation},
	events.SubsegmentRecorded: {more: (*observer).subsegment},
	events.MessagePublished: {
		counter: "published", from: function, to: topic, moves: arrives,
		more: func(_ *observer, e *Event) { e.sentByPerson() },
	},
	events.MessageDelivered:          {counter: "delivered", from: topic, to: queue, moves: arrives},
	events.MessageLost:               {counter: "lost", from: topic, to: queue, moves: fails},
	events.MessageSetAside:           {from: topic, to: queue, moves: fails},
	events.MessageUnclaimed:          {more: (*observer).unclaimed},
	events.FilterMismatched:          {from: topic, to: queue, moves: blocked},
	events.MessageSent:               {counter: "sent", more: (*observer).messageSent},
	events.MessageDeadLettered:       {from: queue, to: dlq, moves: arrives, more: (*observer).deadLettered},
	events.BatchProcessed:            {more: (*observer).batch},
	events.BatchFailed:               {more: (*observer).batch},
	events.MessageFailed:             {from: queue, to: function, more: (*observer).messageFailed},
	events.FunctionThrottled:         {more: (*observer).batchThrottled},
	events.ScheduledInvocationDone:   {from: schedule, to: function, moves: arrives},
	events.ScheduledInvocationFailed: {from: schedule, to: function, moves: fails},
	events.AWSCallAnswered:           {more: (*observer).awsCall},
	events.AWSCallFailed:             {more: (*observer).awsCall},
	events.AccessDenied:              {more: (*observer).denial},
	events.NetworkBlocked:            {more: (*observer).blockedCall},
	events.RotationStepDone:          {from: theSecrets, to: function, moves: arrives},
	events.FactoryOrderReceived:      {more: (*observer).factoryOrder},
	events.FactoryStepDone:           {more: func(_ *observer, e *Event) { e.trace.text += " " + e.text("step") }},
	events.LotDelivered:              {from: theFactory, to: theAPI}, // the API counts the request
	events.CallbackRefused:           {from: theFactory, to: theAPI, moves: blocked},
	events.CallbackFailed:            {from: theFactory, to: theAPI, moves: fails},
}

// classify sets an event's node, edge and journey, and counts it.
func (o *observer) classify(e *Event) {
	e.trace = e.about(o.business.Objects)
	if place := places[e.Part]; place != nil {
		e.Node = place(o, e)
	} else {
		e.Node = o.picture.graph.ofService(e.Part)
	}
	m := meanings[e.Kind]
	if e.ofFunction {
		m = meanings[events.FunctionLine] // e.Kind is the function's own
	}
	if m.counter != "" {
		o.count(e.Node, m.counter, 1)
	}
	if m.from != nil {
		e.move(o.picture.edge(m.from(o, e), m.to(o, e)), m.moves.moved, m.moves.failed)
	}
	if m.more != nil {
		m.more(o, e)
	}
}

// move sets the event's edge and flow, if the picture has the edge.
func (e *Event) move(edge string, moved, failed int) {
	if edge != "" {
		e.Edge, e.flow = edge, flow{edge, moved, failed}
	}
}

func (o *observer) request(e *Event) {
	status, failed, reason := e.number("status"), 0, e.text("throttled")
	switch {
	case reason != "": // the part that ran short counts the request
	case status >= http.StatusInternalServerError:
		o.count(e.Node, "server_errors", 1)
		failed = 1
	case status >= http.StatusBadRequest:
		o.count(e.Node, "client_errors", 1)
	}
	id, callback := e.text("request_id"), callbackRef(e.text("path"))
	e.trace.refs, e.trace.shares, e.trace.find = []string{requestRef(id)}, nil, callback
	e.trace.request = id
	e.trace.text = fmt.Sprintf("%s %s %d", e.text("method"), e.text("path"), status)
	// The API logs the requests of polling pages below info: they begin no journey.
	e.trace.begins = e.level > slog.LevelDebug

	called := o.picture.graph.Routes[e.text("route")]
	o.moved(o.picture.edge(e.Node, called), 1, failed)
	if reason != "" {
		e.trace.text += ", throttled: " + reason
		short := cmp.Or(called, e.Node)
		if e.text("throttled_by") == "api" { // the stage or the route: no function was called
			short = e.Node
		}
		o.throttled(short, reason, e.Time)
	}
	caller := o.picture.graph.Only(KindCallers)
	if factory := theFactory(o, e); factory != "" && o.journeys.knows(callback) {
		caller = factory
	}
	e.move(o.picture.edge(caller, e.Node), 1, failed)
}

// unclaimed counts a message that no subscription takes. A topic without subscriptions may be
// intended: it gets no badge.
func (o *observer) unclaimed(e *Event) {
	counter := "lost"
	if e.level < slog.LevelWarn {
		counter = "to_nobody"
	}
	o.count(e.Node, counter, 1)
}

func (o *observer) batchThrottled(e *Event) {
	o.throttled(e.Node, cmp.Or(e.text("throttled"), e.Message), e.Time)
}

// functionLine handles a line that a function wrote. The program says what the line means.
func (o *observer) functionLine(e *Event) {
	e.trace.took = 0 // a line's attribute "duration" may mean anything
	if id := e.text("message_id"); id != "" && e.level >= slog.LevelError {
		o.deadLetters.failed(id, e.why(cmp.Or(e.text("error"), e.Message)), true)
	}
	if o.business.Meaning != nil {
		m := o.business.Meaning(string(e.Kind), e.Attrs)
		e.trace.notable, e.trace.said, e.trace.mark = m.Notable, m.Text, m.Mark
	}
}

// fromAPI sets the event's edge, if a request to the API causes the event. The request itself
// counts what moves along the edge.
func (o *observer) fromAPI(e *Event) {
	if e.text("api_request_id") != "" {
		e.move(o.picture.edge(theAPI(o, e), e.Node), 0, 0)
	}
}

func (o *observer) invocation(e *Event) {
	o.fromAPI(e)
	s := o.seriesOf(e.Node)
	s.add(sumInvocations, e.Time, 1)
	s.peak(peakDuration, e.Time, milliseconds(e.duration("duration")))
	s.peak(peakMemory, e.Time, float64(e.number("max_memory_used_mb")))
	if status := e.text("status"); status != "" {
		e.Message += ": " + status + " in " + e.duration("duration").Round(100*time.Microsecond).String()
	}
	e.trace.text = "invocation of " + e.text("function")
	if e.text(InvokedBy) != "" { // nothing else that happened has caused it
		e.trace.request, e.trace.begins = e.text("request_id"), true
	}
	if e.level >= slog.LevelWarn {
		o.count(e.Node, "errors", 1)
		s.add(sumErrors, e.Time, 1)
		e.trace.text += ": " + cmp.Or(e.text("error"), e.text("status"))
	}
	if e.text("init_duration") != "" {
		o.count(e.Node, "cold_starts", 1)
		e.trace.text += ", a cold start"
	}
}

// subsegment lets what a recorded call has caused find the invocation that made the call: the
// subsegment is the parent in the call's tracing header, and the invocation is its own.
func (o *observer) subsegment(e *Event) {
	for _, s := range traceid.Read(e.text(traceid.Key)) {
		e.trace.shares = append(e.trace.shares, spanRef(s))
	}
}

// fromTopics is the sender of messages that topics deliver.
const fromTopics = "sns.amazonaws.com"

func (o *observer) messageSent(e *Event) {
	switch from := function(o, e); {
	case e.text("sender") == fromTopics: // MessageDelivered counts the messages of a topic
	case from != "":
		e.move(o.picture.edge(from, e.Node), 1, 0)
	default:
		o.fromAPI(e)
	}
	e.sentByPerson()
	c := contentsOf(e.text("body"))
	o.keepMessage(e, c.notification)
	e.trace.journey = cmp.Or(e.trace.journey, c.text("correlation_id"))
	if c.notification != "" {
		e.trace.refs = append(e.trace.refs, messageRef(c.notification))
	}
	for _, name := range o.business.Objects {
		if id := c.text(name + "_id"); id != "" {
			e.trace.refs = append(e.trace.refs, objectRef(name, id))
		}
	}
}

// deadLettered moves the event to the dead-letter queue.
func (o *observer) deadLettered(e *Event) { e.Node = cmp.Or(dlq(o, e), e.Node) }

func (o *observer) batch(e *Event) {
	messages, failed := e.number("messages"), e.number("failed")
	if e.Kind == events.BatchFailed {
		failed = messages
		for id := range strings.FieldsSeq(e.text("message_ids")) {
			o.deadLetters.failed(id, e.why(e.text("error")), true)
		}
	}
	from := queue(o, e)
	o.count(e.Node, "failed_messages", failed)
	o.count(from, "received", messages)
	o.count(from, "deleted", messages-failed)
	e.move(o.picture.edge(from, e.Node), messages, failed)
}

func (o *observer) messageFailed(e *Event) {
	o.deadLetters.failed(e.text("message"), e.why("the function reported it as failed"), false)
}

// awsCall handles a call of the AWS API. SNS and SQS log events of their own for calls that
// succeed.
func (o *observer) awsCall(e *Event) {
	service, failed := e.text("service"), 0
	e.trace.text = service + " " + e.text("operation")
	if e.Kind == events.AWSCallFailed {
		failed = 1
		e.trace.text += ": " + cmp.Or(e.text("code"), e.Message)
	} else if service == "sns" || service == "sqs" {
		e.trace.shares = nil
	}
	called := o.called(e)
	for _, node := range called {
		o.count(node, "calls", 1)
	}
	if len(called) == 0 {
		called = []string{o.picture.graph.ofService(service)}
	}
	e.move(o.picture.edge(e.Node, called[0]), 1, failed)
	for _, node := range called[1:] {
		o.moved(o.picture.edge(e.Node, node), 1, failed)
	}
}

// called returns the nodes of the resources of a call that an emulator has answered.
func (o *observer) called(e *Event) (nodes []string) {
	for arn := range strings.FieldsSeq(e.text("resources")) {
		if ids := o.picture.named[declared.Owner(arn)]; len(ids) > 0 && !slices.Contains(nodes, ids[0]) {
			nodes = append(nodes, ids[0])
		}
	}
	return nodes
}

// denial shows a refusal by a policy on the edge where it happened. Without such an edge, the
// event's node is the caller: a function, or the resource on whose behalf an AWS service called.
func (o *observer) denial(e *Event) {
	who, what := cmp.Or(function(o, e), o.resource(e.text("source"))), o.resource(e.text("resource"))
	e.Node, e.Denied = cmp.Or(who, what), true
	e.move(o.picture.between(who, what), 0, 1)
	o.count(what, "denied", 1)
}

// resource returns the node of an ARN, or of the bucket or table that the resource is in. The
// picture does not know all ARNs of secrets and routes. For them, resource returns the node of
// their service.
func (o *observer) resource(arn string) string {
	if ids := o.picture.named[declared.Owner(arn)]; len(ids) > 0 {
		return ids[0]
	}
	_, rest, _ := strings.Cut(arn, "arn:aws:")
	service, _, _ := strings.Cut(rest, ":")
	return o.picture.graph.ofService(service)
}

// blockedCall shows a call that the declared network blocks on the edge to its destination.
func (o *observer) blockedCall(e *Event) {
	e.Denied = true
	e.move(o.picture.firstEdge(e.Node, e.text("service")), 0, 1)
}

func (o *observer) factoryOrder(e *Event) {
	failed := 0
	if e.text("lot") == "" { // the factory has not started a lot
		failed = 1
	}
	e.move(o.picture.onlyEdge(KindFunction, e.Node), 1, failed)
}

// A reference names an object that events are about. Its kind is its prefix.
func requestRef(id string) string    { return "request:" + id }
func invocationRef(id string) string { return "invocation:" + id }
func messageRef(id string) string    { return "message:" + id }
func callbackRef(path string) string { return "callback:" + path }

// objectRef refers to an object of the program: see Business.Objects.
func objectRef(name, id string) string { return name + ":" + id }

// traceRef refers to the span that a tracing header names as the parent: an invocation, or a
// subsegment of it. Journeys of one client may share a trace, so a trace is no reference.
func traceRef(header string) string {
	if s, ok := traceid.Parse(header); ok {
		return spanRef(s)
	}
	return "trace:" + header
}
func spanRef(s traceid.Span) string { return "trace:" + s.Root + "/" + s.ID }

// reference turns an attribute of an event into references.
type reference struct {
	key string
	ref func(string) string
}

// of appends the references of an event. Blanks separate the ids in an attribute.
func (r reference) of(e *Event, refs []string) []string {
	for id := range strings.FieldsSeq(e.text(r.key)) {
		refs = append(refs, r.ref(id))
	}
	return refs
}

// The attributes that refer to an object of one journey, and to an object of several.
var (
	owned = []reference{
		{"message", messageRef}, {"queue_message", messageRef}, {"message_id", messageRef},
	}
	shared = []reference{{"trace_id", traceRef}, {"message_ids", messageRef}, {"request_id", invocationRef}}
)

// about returns what an event's attributes say about its journey. objects are Business.Objects.
func (e *Event) about(objects []string) trace {
	t := trace{text: e.Message, took: e.duration("duration"), journey: e.text("correlation_id")}
	for _, r := range owned {
		t.refs = r.of(e, t.refs)
	}
	for _, name := range objects {
		if id := e.text(name); id != "" {
			t.refs = append(t.refs, objectRef(name, id))
		}
	}
	for _, r := range shared {
		t.shares = r.of(e, t.shares)
	}
	if request := e.text("api_request_id"); request != "" {
		t.find = requestRef(request)
	}
	if callback, err := url.Parse(e.text("callback")); err == nil && len(callback.Path) > 1 {
		t.refs = append(t.refs, callbackRef(callback.Path))
	}
	return t
}
