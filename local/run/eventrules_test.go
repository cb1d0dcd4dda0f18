package run

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"restock/infra/graph"
	"restock/local/aws/awsapi"
	"restock/local/aws/iam"
	"restock/local/aws/lambda"
	"restock/local/aws/sqs"
)

func TestEventsReachTheTargetsOfTheirRules(t *testing.T) {
	const region = "eu-west-1"
	declared := func(token graph.Type, name string, outputs map[string]any) *graph.Resource {
		r := &graph.Resource{
			URN: string(token) + "::" + name, Type: token, Name: name, Outputs: outputs, Source: name + ".go:1",
		}
		if outputs["name"] == nil {
			outputs["name"] = name
		}
		r.Deploy(region, true)
		return r
	}
	target := func(name, arn string, more ...string) *graph.Resource {
		outputs := map[string]any{"rule": "sold", "arn": arn, "eventBusName": "orders"}
		for i := 0; i < len(more); i += 2 {
			outputs[more[i]] = more[i+1]
		}
		return declared(graph.EventTarget, name, outputs)
	}
	queue := func(name string) string { return graph.Queue.ARN(region, name) }
	open, closed, fixed, ordered := queue("open"), queue("closed"), queue("fixed"), queue("ordered.fifo")
	f, rule := graph.Function.ARN(region, "f"), graph.EventRule.ARN(region, "orders/sold")
	policy := func(queue string) string {
		return `{"Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},` +
			`"Action":"sqs:SendMessage","Resource":"` + queue + `",` +
			`"Condition":{"ArnEquals":{"aws:SourceArn":"` + rule + `"}}}]}`
	}
	g, err := graph.New(region, []*graph.Resource{
		declared(graph.EventRule, "on-another-bus", map[string]any{"name": "sold", "eventPattern": `{"source":["x"]}`}),
		declared(graph.EventRule, "sold", map[string]any{
			"eventPattern": `{"source":["shop"]}`, "eventBusName": graph.EventBus.ARN(region, "orders"),
		}),
		declared(graph.Queue, "open", map[string]any{"policy": policy(open)}),
		declared(graph.Queue, "closed", map[string]any{}),
		declared(graph.Queue, "fixed", map[string]any{"policy": policy(fixed)}),
		declared(graph.Queue, "ordered.fifo", map[string]any{
			"policy": policy(ordered), "fifoQueue": true, "contentBasedDeduplication": true,
		}),
		declared(graph.EventTarget, "to-ordered", map[string]any{
			"rule": "sold", "eventBusName": "orders", "arn": ordered,
			"sqsTarget": map[string]any{"messageGroupId": "sales"},
		}),
		target("to-open", open), target("to-closed", closed), target("to-fixed", fixed, "input", "always"),
		target("changed", open, "inputPath", "$.detail"), target("elsewhere", "arn:aws:kinesis:x"),
		target("undeclared", open, "rule", "gone"),
		declared(graph.EventRule, "idle", map[string]any{}),
		target("never", open, "rule", "idle", "eventBusName", graph.DefaultBus),
		declared(graph.EventRule, "hourly", map[string]any{"scheduleExpression": "rate(1 hour)"}),
		target("timed", f, "rule", "hourly", "eventBusName", "", "input", "{}"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r := &Run{config: Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Program: Program{Dir: "."}}}
	authority, err := iam.New(iam.Config{Graph: g, Log: r.config.Log})
	if err != nil {
		t.Fatal(err)
	}
	s := &services{
		log: r.config.Log, authority: authority,
		sqs: sqs.New(sqs.Config{Region: region, AccountID: graph.AccountID}, r.config.Log),
	}
	s.functions.Store(&functions{f: {Deployed: &lambda.Deployed{Function: lambda.Function{Name: "f"}}}})
	if err := s.sqs.StandIn().Create(g); err != nil {
		t.Fatal(err)
	}
	events := r.eventRules(g, s)
	if err := events.Start(g); err != nil {
		t.Fatal(err)
	}
	put := httptest.NewRequest("POST", "/", strings.NewReader(`{"Entries":[`+
		`{"Source":"shop","DetailType":"Sold","Detail":"{\"sku\":\"a\"}","EventBusName":"orders"},`+
		`{"Source":"other","DetailType":"Sold","Detail":"{}","EventBusName":"orders"}]}`))
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	put.Header.Set("X-Amzn-Trace-Id", trace)
	put.Header.Set("X-Amz-Target", "AWSEvents.PutEvents")
	put.Header.Set("Content-Type", "application/x-amz-json-1.1")
	awsapi.NewHandler(r.config.Log, events.APIs...).ServeHTTP(httptest.NewRecorder(), put)
	for arn, want := range map[string]string{
		open: `"detail":{"sku":"a"}`, ordered: `"detail":{"sku":"a"}`, fixed: "always", closed: "",
	} {
		got := s.sqs.Queue(arn).Peek(10)
		if len(got) != min(len(want), 1) || len(got) > 0 && !strings.Contains(got[0].Body, want) {
			t.Errorf("%s has the messages %+v, want one with %q", arn, got, want)
		}
		for _, m := range got {
			if m.TraceHeader != trace || m.Span.Parent != "53995c3f42cd8ad8" {
				t.Errorf("%s has a message with the trace %q and the span %+v, want %s", arn, m.TraceHeader,
					m.Span, trace)
			}
		}
	}
	for _, want := range []string{
		`name=undeclared reason="the stack lacks the rule \"gone\" on the bus orders"`,
		`name=never reason="the rule idle has neither an eventPattern nor a scheduleExpression"`,
		`name=timed reason="aws:cloudwatch/eventTarget:EventTarget timed: the local run does not support input`,
		"does not support its inputPath", "queues and topics of the stack, not to arn:aws:kinesis:x",
		`missing="Allow sqs:SendMessage on ` + closed + ` to events.amazonaws.com where aws:SourceArn ArnEquals ` +
			rule,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log is\n%s\nwant %s in it", log.String(), want)
		}
	}
}

func TestAProgramWithoutBusesHasTheDefaultBus(t *testing.T) {
	for dir, want := range map[string]int{"": 0, "elsewhere": 1} {
		r := &Run{config: Config{Log: slog.New(slog.DiscardHandler), Program: Program{Dir: dir}}}
		if got := r.eventRules(&graph.Graph{}, &services{}).APIs; len(got) != want {
			t.Errorf("program %q: the run serves %d APIs of EventBridge, want %d", dir, len(got), want)
		}
	}
}
