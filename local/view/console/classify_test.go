package console

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"restock/local/view/events"
)

func TestEventsHaveTheirPlaceInThePicture(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(*observed)

		node, edge    string
		moved, failed int
		denied        bool
	}{
		{"a request", func(o *observed) {
			o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout",
				"status", 200, "request_id", "R")
		}, "api:shop", "callers:buyers>api:shop", 1, 0, false},
		{"a request that fails", func(o *observed) {
			o.warn("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout",
				"status", 503, "request_id", "R")
		}, "api:shop", "callers:buyers>api:shop", 1, 1, false},
		{"a line of a function", func(o *observed) {
			o.part("lambda").Info(`{"level":"INFO","message":"sold","sku":"CP-502101","requestId":"L"}`,
				events.FunctionLine.Attr(), "function", "sales-api")
		}, "function:sales-api", "", 0, 0, false},
		{"a call of the API", func(o *observed) {
			o.debug("aws", events.AWSCallAnswered, "service", "sqs", "operation", "SendMessage",
				"function", "BackplaneAssumeRoleSession", "api_request_id", "R")
		}, "api:shop", "", 0, 0, false},
		{"an invocation for a request", func(o *observed) { // the request counts what moves
			o.info("lambda", events.InvocationEnded, "function", "sales-api", "api_request_id", "R")
		}, "function:sales-api", "api:shop>function:sales-api", 0, 0, false},
		{"an invocation for a message", func(o *observed) {
			o.info("lambda", events.InvocationEnded, "function", "stock")
		}, "function:stock", "", 0, 0, false},
		{"a message of a request", func(o *observed) { // the request counts what moves
			o.debug("sqs", events.MessageSent, "queue", "deliveries_queue", "message", "M",
				"sender", "AROA:BackplaneAssumeRoleSession", "function", "BackplaneAssumeRoleSession",
				"api_request_id", "R")
		}, "queue:deliveries_queue", "api:shop>queue:deliveries_queue", 0, 0, false},
		{"a message to a topic", func(o *observed) {
			o.info("sns", events.MessagePublished, "topic", "stock_empty", "message", "S", "function", "sales-api")
		}, "topic:stock_empty", "function:sales-api>topic:stock_empty", 1, 0, false},
		{"a message from a topic to a queue", func(o *observed) {
			o.debug("sns", events.MessageDelivered, "topic", "arn:aws:sns:eu:0:stock_empty",
				"queue", "arn:aws:sqs:eu:0:stock_queue", "message", "S")
		}, "topic:stock_empty", "topic:stock_empty>queue:stock_queue", 1, 0, false},
		{"a message that a queue refuses", func(o *observed) {
			o.warn("sns", events.MessageLost, "topic", "arn:aws:sns:eu:0:stock_empty",
				"queue", "arn:aws:sqs:eu:0:stock_queue", "message", "S")
		}, "topic:stock_empty", "topic:stock_empty>queue:stock_queue", 1, 1, false},
		{"a batch", func(o *observed) {
			o.debug("eventsource", events.BatchProcessed, "function", "stock", "queue", "stock_queue", "messages", 10,
				"failed", 3)
		}, "function:stock", "queue:stock_queue>function:stock", 10, 3, false},
		{"a batch that fails", func(o *observed) {
			o.warn("eventsource", events.BatchFailed, "function", "stock", "queue", "stock_queue", "messages", 2,
				"error", "why")
		}, "function:stock", "queue:stock_queue>function:stock", 2, 2, false},
		{"a dead letter", func(o *observed) {
			o.warn("sqs", events.MessageDeadLettered, "queue", "stock_queue", "message", "M", "receives", 5,
				"dead_letter_queue", "stock_queue_dlq")
		}, "dead-letter-queue:stock_queue_dlq", "queue:stock_queue>dead-letter-queue:stock_queue_dlq", 1, 0, false},
		{"a request to the factory", func(o *observed) {
			o.info("factory", events.FactoryOrderReceived, "lot", "F")
		}, "factory:factory", "function:stock>factory:factory", 1, 0, false},
		{"a request that the factory refuses", func(o *observed) {
			o.info("factory", events.FactoryOrderReceived, "lot", "")
		}, "factory:factory", "function:stock>factory:factory", 1, 1, false},
		{"a callback that fails", func(o *observed) {
			o.warn("factory", events.CallbackFailed, "lot", "F", "callback", "http://127.0.0.1:1/receipts/O")
		}, "factory:factory", "factory:factory>api:shop", 1, 1, false},
		{"a scheduled invocation", func(o *observed) {
			o.debug("scheduler", events.ScheduledInvocationDone, "rule", "arn:aws:events:eu:0:rule/sweep",
				"function", "sweep")
		}, "schedule:sweep", "schedule:sweep>function:sweep", 1, 0, false},
		{"a read of a secret", func(o *observed) {
			o.debug("aws", events.AWSCallAnswered, "service", "secretsmanager", "operation", "GetSecretValue",
				"function", "sales-api")
		}, "function:sales-api", "function:sales-api>secrets:secrets", 1, 0, false},
		{"a person's call", func(o *observed) {
			o.debug("aws", events.AWSCallAnswered, "service", "secretsmanager", "operation", "GetSecretValue")
		}, "", "", 0, 0, false},
		{"a topic that a role may not publish to", func(o *observed) {
			o.warn("iam", events.AccessDenied, "principal", "arn:aws:sts::0:assumed-role/role/sales-api",
				"function", "sales-api", "action", "sns:Publish", "resource", "arn:aws:sns:eu:0:stock_empty")
		}, "function:sales-api", "function:sales-api>topic:stock_empty", 0, 1, true},
		{"a queue that denies a topic", func(o *observed) {
			o.warn("iam", events.AccessDenied, "principal", "sns.amazonaws.com", "action", "sqs:SendMessage",
				"resource", "arn:aws:sqs:eu:0:stock_queue", "source", "arn:aws:sns:eu:0:stock_empty")
		}, "topic:stock_empty", "topic:stock_empty>queue:stock_queue", 0, 1, true},
		{"a queue that a role may not receive from", func(o *observed) {
			o.warn("iam", events.AccessDenied, "principal", "arn:aws:sts::0:assumed-role/role/stock",
				"function", "stock", "action", "sqs:ReceiveMessage", "resource", "arn:aws:sqs:eu:0:stock_queue")
		}, "function:stock", "queue:stock_queue>function:stock", 0, 1, true},
		{"a secret that a role may not read", func(o *observed) {
			o.warn("iam", events.AccessDenied, "principal", "arn:aws:sts::0:assumed-role/role/sales-api",
				"function", "sales-api", "action", "secretsmanager:GetSecretValue",
				"resource", "arn:aws:secretsmanager:eu:0:secret:database-AbCdEf")
		}, "function:sales-api", "function:sales-api>secrets:secrets", 0, 1, true},
		{"a function that an API may not invoke", func(o *observed) {
			o.warn("iam", events.AccessDenied, "principal", "apigateway.amazonaws.com",
				"action", "lambda:InvokeFunction", "resource", "arn:aws:lambda:eu:0:function:sales-api",
				"source", "arn:aws:execute-api:eu:0:shop/$default/POST/checkout")
		}, "api:shop", "api:shop>function:sales-api", 0, 1, true},
		{"a function that a schedule may not invoke", func(o *observed) {
			o.warn("iam", events.AccessDenied, "principal", "events.amazonaws.com", "action", "lambda:InvokeFunction",
				"resource", "arn:aws:lambda:eu:0:function:sweep", "source", "arn:aws:events:eu:0:rule/sweep")
		}, "schedule:sweep", "schedule:sweep>function:sweep", 0, 1, true},
		{"a resource that the picture does not have", func(o *observed) {
			o.warn("iam", events.AccessDenied, "principal", "arn:aws:sts::0:assumed-role/role/nobody",
				"function", "nobody", "action", "sqs:SendMessage", "resource", "arn:aws:sqs:eu:0:nowhere")
		}, "", "", 0, 0, true},
		{"a blocked call to the database", func(o *observed) {
			o.warn("network", events.NetworkBlocked, "function", "sales-api", "to", "database database",
				"service", "database", "missing", "an egress rule")
		}, "function:sales-api", "function:sales-api>database:database", 0, 1, true},
		{"a blocked call to the factory", func(o *observed) {
			o.warn("network", events.NetworkBlocked, "function", "stock", "to", "https://factory.example.com",
				"service", "internet", "missing", "a NAT gateway")
		}, "function:stock", "function:stock>factory:factory", 0, 1, true},
	} {
		for _, reworded := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, ", reworded ", reworded), func(t *testing.T) {
				o := newObserved()
				o.reworded = reworded
				c.log(o)
				e := o.taken(t)[0]
				if e.Node != c.node || e.Edge != c.edge || e.Denied != c.denied {
					t.Errorf("got node %q, edge %q, denied %v; want %q, %q, %v",
						e.Node, e.Edge, e.Denied, c.node, c.edge, c.denied)
				}
				if got := o.totals()[c.edge]; got.moved != c.moved || got.failed != c.failed {
					t.Errorf("got %d moved, %d failed; want %d, %d", got.moved, got.failed, c.moved, c.failed)
				}
			})
		}
	}
}

func TestAThrottledRequestHasItsReasonInItsJourney(t *testing.T) {
	for reason, request := range map[string][]any{
		"all 21 instances of sales-api are busy": {"route", "POST /checkout", "status", 503},
		"the stage lets 1 request pass":          {"route", "", "status", 429, "throttled_by", "api"},
	} {
		o := newObserved()
		o.warn("api", events.APIRequest, append(request, "method", "POST", "path", "/checkout", "request_id", "R",
			"throttled", reason)...)
		o.taken(t)
		j, ok := o.journeys.get("R")
		want := fmt.Sprintf("POST /checkout %d, throttled: %s", request[3], reason)
		if !ok || j.Summary != want || j.Steps[0].Text != want {
			t.Errorf("got %+v, want %q", j, want)
		}
	}
}

func TestANodeHasTheLimitsThatItReached(t *testing.T) {
	o := newObserved()
	const busy = "all 21 instances of sales-api are busy (setting concurrency)"
	const held = "all 2 instances of stock are busy"
	for _, status := range []int{503, 503, 429} { // a function URL answers 429
		o.warn("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout",
			"status", status, "request_id", "R", "throttled", busy, "throttled_by", "function")
	}
	o.debug("eventsource", events.FunctionThrottled, "function", "stock", "throttled", held)
	o.taken(t)
	for node, want := range map[string]Throttle{
		"function:sales-api": {Reason: busy, Times: 3}, "function:stock": {Reason: held, Times: 1},
	} {
		got := o.throttlesOf(node)
		if len(got) != 1 || got[0].Reason != want.Reason || got[0].Times != want.Times || got[0].Last.IsZero() {
			t.Errorf("%s: got %+v, want %+v with its time", node, got, want)
		}
	}
}

func TestCountersCount(t *testing.T) {
	o := newObserved()
	for status, level := range map[int]slog.Level{200: slog.LevelInfo, 409: slog.LevelInfo, 500: slog.LevelWarn} {
		o.logs(level, "api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout",
			"status", status, "request_id", "R")
	}
	o.warn("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout", "status", 503,
		"request_id", "R", "throttled", "all 21 instances of sales-api are busy")
	o.warn("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout", "status", 429,
		"request_id", "R2", "throttled", "the stage lets 1 request pass", "throttled_by", "api")
	o.info("lambda", events.InvocationEnded, "function", "sales-api", "request_id", "L1", "status", "success",
		"init_duration", 10*time.Millisecond)
	o.warn("lambda", events.InvocationEnded, "function", "sales-api", "request_id", "L2", "status", "timeout")
	o.debug("eventsource", events.BatchProcessed, "function", "stock", "queue", "stock_queue", "messages", 10,
		"failed", 3)
	o.info("sns", events.MessagePublished, "topic", "stock_empty", "message", "S")
	o.info("sns", events.MessageUnclaimed, "topic", "stock_empty", "message", "S")
	o.warn("sns", events.MessageUnclaimed, "topic", "stock_empty", "message", "S")
	o.debug("sns", events.MessageDelivered, "topic", "stock_empty", "queue", "stock_queue", "message", "S")
	o.taken(t)
	for node, want := range map[string]map[string]int{
		"api:shop":           {"requests": 5, "client_errors": 1, "server_errors": 1, "throttled": 1},
		"function:sales-api": {"invocations": 2, "errors": 1, "cold_starts": 1, "throttled": 1},
		"queue:stock_queue":  {"received": 10, "deleted": 7},
		"function:stock":     {"failed_messages": 3},
		"topic:stock_empty":  {"published": 1, "delivered": 1, "to_nobody": 1, "lost": 1},
	} {
		for counter, n := range want {
			if got := o.counted()[node][counter]; got != n {
				t.Errorf("%s: got %d %s, want %d", node, got, counter, n)
			}
		}
	}
}

func TestAFunctionHasItsNumbersOverTheRun(t *testing.T) {
	o := newObserved()
	o.info("lambda", events.InvocationEnded, "function", "stock", "request_id", "L1", "status", "success",
		"duration", 1234567*time.Microsecond, "max_memory_used_mb", 40)
	o.warn("lambda", events.InvocationEnded, "function", "stock", "request_id", "L2", "status", "timeout",
		"duration", time.Millisecond, "max_memory_used_mb", 30)
	o.debug("eventsource", events.FunctionThrottled, "function", "stock", "queue", "stock_queue")
	taken := o.taken(t)
	if want := "invocation ended: success in 1.2346s"; taken[0].Message != want {
		t.Errorf("got %q, want %q", taken[0].Message, want)
	}
	got := o.plots("function:stock", time.Now(), sumInvocations, sumErrors, sumThrottles, peakDuration, peakMemory)
	for name, want := range map[string]float64{
		sumInvocations: 2, sumErrors: 1, sumThrottles: 1, peakDuration: 1234.57, peakMemory: 40,
	} {
		sum := 0.0
		for _, n := range got.Values[name] {
			sum += n
		}
		if sum < want || sum > want+31 { // the two invocations may be in different seconds
			t.Errorf("%s is %v, want %v", name, got.Values[name], want)
		}
	}
}

func TestDenialsOfTheRunAreKept(t *testing.T) {
	o := newObserved()
	for range 3 {
		o.warn("iam", events.AccessDenied, "function", "sales-api", "action", "sns:Publish",
			"resource", "arn:aws:sns:eu:0:stock_empty", "missing", "Allow sns:Publish", "declared_in", "environment.go")
	}
	o.warn("network", events.NetworkBlocked, "function", "stock", "service", "database", "error", "no route")
	o.taken(t)
	got := o.denied()
	if len(got) != 2 || got[1].Times != 3 || got[1].Text != "missing: Allow sns:Publish" || got[0].Text != "no route" ||
		got[1].Edge != "function:sales-api>topic:stock_empty" || got[1].DeclaredIn != "environment.go" {
		t.Errorf("got %+v, want the network's denial, and one of three times", got)
	}
	for i := range 2 * maxDenials {
		o.warn("iam", events.AccessDenied, "function", "stock", "missing", fmt.Sprint("Allow ", i))
	}
	o.taken(t)
	if got := o.denied(); len(got) != maxDenials {
		t.Errorf("the console keeps %d denials, want %d", len(got), maxDenials)
	}
}

func TestAFunctionsLineBecomesTheEventThatItDescribes(t *testing.T) {
	o := newObserved()
	o.part("lambda").Info(`{"timestamp":"t","level":"INFO","message":"sold","stock":2,"_aws":{"Timestamp":1},`+
		`"requestId":"own","correlation_id":"R"}`, events.FunctionLine.Attr(),
		"function", "sales-api", "log_stream", "x", "stream", "stdout", "request_id", "of the next invocation")
	o.part("lambda").Info(`{"no":"message"}`, events.FunctionLine.Attr(), "function", "sales-api")
	o.part("lambda").Info(`{"message":"breaks o`, events.FunctionLine.Attr(), "function", "sales-api")
	taken := o.taken(t)
	e := taken[0]
	if e.Message != "sold" || e.Journey != "R" || e.Attrs["stock"] != 2.0 || e.Attrs["request_id"] != "own" {
		t.Errorf("got %+v", e)
	}
	for _, hidden := range []string{"_aws", "timestamp", "level", "stream", "log_stream", "requestId", "part"} {
		if _, shown := e.Attrs[hidden]; shown {
			t.Errorf("the event has the hidden attribute %s", hidden)
		}
	}
	for i, want := range []string{`{"no":"message"}`, `{"message":"breaks o`} {
		if got := taken[i+1].Message; got != want {
			t.Errorf("got the message %q, want %q", got, want)
		}
	}
}

func TestANodesLinesSurviveARushElsewhere(t *testing.T) {
	o := newObserved()
	o.part("lambda").Error("it broke", events.FunctionLine.Attr(), "function", "stock")
	for range 10 * streamCapacity {
		o.info("lambda", events.FunctionLine, "function", "sales-api")
		o.taken(t)
	}
	lines, _ := o.node("function:stock")
	if len(lines.Lines) != 1 || len(lines.Errors) != 1 || lines.Errors[0].Message != "it broke" {
		t.Errorf("stock: got %d lines, %d errors; want one of each", len(lines.Lines), len(lines.Errors))
	}
	lines, _ = o.node("function:sales-api")
	if len(lines.Lines) != maxLines || len(lines.Errors) != 0 {
		t.Errorf("sales-api: got %d lines, %d errors; want the latest %d lines, and no error",
			len(lines.Lines), len(lines.Errors), maxLines)
	}
	if _, known := o.node("function:nobody"); known {
		t.Error("a node that the picture does not have has lines")
	}
}

// BenchmarkObserve measures the observer's cost of a checkout: a line of the function, the end of
// the invocation, and the API's request.
func BenchmarkObserve(b *testing.B) {
	o := newObserved()
	checkout := func() {
		o.part("lambda").Info(`{"timestamp":"2026-11-22T02:43:39.9Z","level":"INFO","message":"sold",`+
			`"sale":"01a20123-4ad9-7612-933b-33d6695b2ec8","sku":"CP-502101","quantity":1,"unit_price":19900,`+
			`"stock":2,"Sales":1,"UnitsSold":1,"_aws":{"Timestamp":1795315739909,"CloudWatchMetrics":[{`+
			`"Namespace":"restock/dev","Dimensions":[[]],"Metrics":[{"Name":"Sales","Unit":"Count"}]}]},`+
			`"requestId":"L","correlation_id":"R"}`,
			events.FunctionLine.Attr(), "function", "sales-api", "stream", "stdout", "request_id", "L")
		o.info("lambda", events.InvocationEnded, "function", "sales-api", "request_id", "L", "trace_id", "T",
			"duration", time.Millisecond, "api_request_id", "R")
		o.info("api", events.APIRequest, "method", "POST", "path", "/checkout", "route", "POST /checkout",
			"status", 200, "duration", time.Millisecond, "request_id", "R")
	}
	b.ReportAllocs()
	for b.Loop() {
		checkout()
		o.taken(b)
	}
}
