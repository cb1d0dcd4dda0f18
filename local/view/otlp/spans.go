package otlp

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"

	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// A fact is an attribute of an event that becomes an attribute of a span.
type fact struct {
	key string        // of the event
	as  attribute.Key // of the span
}

// A meaning is what kind of span an event ends.
type meaning struct {
	kind    trace.SpanKind
	service func(event) string
	name    func(event) string
	facts   []fact
	fixed   []attribute.KeyValue
	failed  func(event) string // the type of the error, or ""
}

// always returns a function that returns a text for every event.
func always(text string) func(event) string { return func(event) string { return text } }

// named returns the function that returns an attribute of an event, with a word before it.
func named(before, key string) func(event) string {
	return func(e event) string { return before + e.text(key) }
}

// The names and values of attributes are those of OpenTelemetry's semantic conventions.
// https://opentelemetry.io/docs/specs/semconv/
var (
	onTopic = []attribute.KeyValue{semconv.MessagingSystemAWSSNS}
	onQueue = []attribute.KeyValue{semconv.MessagingSystemAWSSQS}
	inQueue = []fact{
		{"queue", semconv.MessagingDestinationNameKey}, {"message", semconv.MessagingMessageIDKey},
	}
	inAWS = meaning{
		kind: trace.SpanKindServer, service: always("aws"),
		name:  func(e event) string { return e.text("service") + "." + e.text("operation") },
		facts: []fact{{"operation", semconv.RPCMethodKey}},
		failed: func(e event) string {
			if e.Kind != events.AWSCallFailed {
				return ""
			}
			return cmp.Or(e.text("code"), "failed")
		},
	}
	callback = meaning{
		kind: trace.SpanKindClient, service: always("factory"), name: always("POST callback"),
		facts: []fact{{"lot", "factory.lot"}, {"status", semconv.HTTPResponseStatusCodeKey}},
	}
	processed = meaning{
		kind: trace.SpanKindConsumer, service: always("sqs"), name: named("process ", "queue"), facts: inQueue,
		fixed: onQueue,
	}
)

// meanings has the events that end spans.
var meanings = map[events.Kind]meaning{
	events.APIRequest: {
		kind: trace.SpanKindServer, service: always("api"),
		name: func(e event) string {
			if route := e.text("route"); strings.Contains(route, " ") {
				return route
			}
			return e.text("method") // the name of a span must not have a part that clients choose
		},
		facts: []fact{
			{"method", semconv.HTTPRequestMethodKey}, {"path", semconv.URLPathKey}, {"route", semconv.HTTPRouteKey},
			{"status", semconv.HTTPResponseStatusCodeKey}, {"request_id", semconv.AWSRequestIDKey},
		},
		failed: func(e event) string {
			if status := e.text("status"); strings.HasPrefix(status, "5") {
				return status
			}
			return ""
		},
	},
	events.InvocationEnded: {
		kind: trace.SpanKindServer, service: named("", "function"), name: named("", "function"),
		facts: []fact{
			{"function", semconv.FaaSNameKey}, {"request_id", semconv.FaaSInvocationIDKey},
			{"memory_size_mb", "faas.memory_size_mb"}, {"max_memory_used_mb", "faas.max_memory_used_mb"},
		},
		failed: named("", "error_type"),
	},
	events.SubsegmentRecorded: {
		kind: trace.SpanKindClient, service: named("", "function"), name: func(e event) string { return e.Message },
		facts: []fact{
			{"statement", semconv.DBQueryTextKey}, {"database", semconv.DBNamespaceKey},
			{"operation", semconv.RPCMethodKey}, {"method", semconv.HTTPRequestMethodKey},
			{"url", semconv.URLFullKey}, {"status", semconv.HTTPResponseStatusCodeKey},
		},
		failed: named("", "failed"),
	},
	events.AWSCallAnswered: inAWS,
	events.AWSCallFailed:   inAWS,
	events.MessagePublished: {
		kind: trace.SpanKindProducer, service: always("sns"), name: named("publish ", "topic"),
		facts: []fact{
			{"topic", semconv.MessagingDestinationNameKey}, {"message", semconv.MessagingMessageIDKey},
		},
		fixed: onTopic,
	},
	events.MessageSent: {
		kind: trace.SpanKindProducer, service: always("sqs"), name: named("send ", "queue"), facts: inQueue,
		fixed: onQueue,
	},
	events.MessageDeadLettered: {
		kind: trace.SpanKindProducer, service: always("sqs"), name: named("dead-letter ", "queue"), facts: inQueue,
		fixed: onQueue, failed: always("dead_letter"),
	},
	events.BatchProcessed: processed,
	events.BatchFailed:    processed.failing("batch_failed"),
	events.MessageFailed:  processed.failing("message_failed"),
	events.FactoryOrderReceived: {
		kind: trace.SpanKindServer, service: always("factory"), name: always("POST /api/manufactures"),
		facts: []fact{{"lot", "factory.lot"}, {"fault", "factory.fault"}},
	},
	events.LotDelivered:    callback,
	events.CallbackRefused: callback.failing("refused"),
	events.CallbackFailed:  callback.failing("no_answer"),
}

// failing returns the meaning of an event that ends the same span with an error.
func (m meaning) failing(errorType string) meaning {
	m.failed = always(errorType)
	return m
}

// An event is a record with its attributes by name.
type event struct {
	events.Event
	attrs map[string]slog.Value
}

func (e event) text(key string) string {
	value, has := e.attrs[key]
	if !has {
		return ""
	}
	return value.String()
}

// spans makes the spans of events.
type spans struct {
	program, stage string
	resources      map[string]*resource.Resource // by service: the parts of the run, and the functions
}

func newSpans(program, stage string) spans {
	return spans{program, stage, map[string]*resource.Resource{}}
}

// of returns the spans that an event ends.
func (s spans) of(r events.Event) (ended []tracetest.SpanStub) {
	m, has := meanings[r.Kind]
	if !has {
		return nil
	}
	e := event{r, make(map[string]slog.Value, len(r.Attrs))}
	for _, a := range r.Attrs {
		e.attrs[a.Key] = a.Value
	}
	if service := e.text("service"); r.Kind == events.AWSCallAnswered && (service == "sns" || service == "sqs") {
		return nil // the event of the message says more
	}
	for _, span := range traceid.Read(e.text(traceid.Key)) {
		if stub, ok := s.stub(m, e, span); ok {
			ended = append(ended, stub)
		}
	}
	return ended
}

// stub returns the span of an event. ok is false if the ids of the span are not valid.
//
// The type is one for tests. It is the only one of OpenTelemetry's SDK whose ids and times are
// values: the stand-ins have given the span its id when it began.
func (s spans) stub(m meaning, e event, span traceid.Span) (stub tracetest.SpanStub, ok bool) {
	took := time.Duration(0)
	if value := e.attrs["duration"]; value.Kind() == slog.KindDuration {
		took = value.Duration()
	}
	stub = tracetest.SpanStub{
		Name: m.name(e), SpanKind: m.kind, SpanContext: spanContext(span.Root, span.ID),
		StartTime: e.Time.Add(-took), EndTime: e.Time,
		Attributes: append([]attribute.KeyValue{}, m.fixed...), Resource: s.resource(cmp.Or(m.service(e), "unknown")),
		InstrumentationScope: instrumentation.Scope{Name: "restock/local"},
	}
	if span.Parent != "" {
		stub.Parent = spanContext(span.Root, span.Parent)
	}
	for _, f := range m.facts {
		if value, has := e.attrs[f.key]; has {
			stub.Attributes = append(stub.Attributes, keyValue(f.as, value))
		}
	}
	if e.Kind == events.InvocationEnded {
		_, cold := e.attrs["init_duration"]
		stub.Attributes = append(stub.Attributes, semconv.FaaSColdstart(cold))
	}
	if m.failed != nil {
		if errorType := m.failed(e); errorType != "" {
			stub.Status = sdktrace.Status{Code: codes.Error}
			stub.Attributes = append(stub.Attributes, semconv.ErrorTypeKey.String(errorType))
		}
	}
	for _, linked := range traceid.Read(e.text(traceid.LinksKey)) {
		stub.Links = append(stub.Links, sdktrace.Link{SpanContext: spanContext(linked.Root, linked.ID)})
	}
	return stub, stub.SpanContext.IsValid()
}

func keyValue(key attribute.Key, value slog.Value) attribute.KeyValue {
	if value.Kind() == slog.KindInt64 {
		return key.Int64(value.Int64())
	}
	return key.String(value.String())
}

// spanContext returns the ids of a span in their standard form. Ids that are not valid are zero.
func spanContext(root, id string) trace.SpanContext {
	traceID, _ := trace.TraceIDFromHex(traceid.TraceID(root))
	spanID, _ := trace.SpanIDFromHex(id)
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled,
	})
}

// resource returns the resource of a service's spans.
func (s spans) resource(service string) *resource.Resource {
	if s.resources[service] == nil {
		s.resources[service] = resource.NewWithAttributes(semconv.SchemaURL, semconv.ServiceName(service),
			semconv.ServiceNamespace(s.program), semconv.DeploymentEnvironmentName(s.stage))
	}
	return s.resources[service]
}
