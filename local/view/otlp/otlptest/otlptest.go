// Package otlptest is a collector of OpenTelemetry for tests.
package otlptest

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A Span is a span that the collector got.
type Span struct {
	Trace, ID, Parent string // in hexadecimal digits; no Parent: ""
	Service, Name     string
	Kind              string            // such as "SERVER"
	Attributes        map[string]string // without those of the service
	Took              uint64            // in nanoseconds
	Failed            bool
	Links             []string // the ids of spans
}

// A Collector collects spans.
type Collector struct {
	URL string

	mu       sync.Mutex // guards what follows
	spans    []Span
	received []byte
	header   http.Header // of the last request
}

// New returns a collector that listens until the end of a test.
func New(tb testing.TB) *Collector {
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := &collector.ExportTraceServiceRequest{}
		if err == nil {
			err = proto.Unmarshal(body, request)
		}
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" {
			tb.Errorf("the collector got %s %s, %v; want POST /v1/traces with spans", r.Method, r.URL, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.received = append(c.received, body...)
		c.header = r.Header
		for _, group := range request.ResourceSpans {
			c.add(group)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	tb.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Header returns the header of the last request.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header
}

// add adds the spans of a service. It requires the lock.
func (c *Collector) add(group *trace.ResourceSpans) {
	service := ""
	for _, a := range group.Resource.Attributes {
		if a.Key == "service.name" {
			service = a.Value.GetStringValue()
		}
	}
	for _, scope := range group.ScopeSpans {
		for _, s := range scope.Spans {
			span := Span{
				Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId),
				Parent: hex.EncodeToString(s.ParentSpanId), Service: service, Name: s.Name,
				Kind: s.Kind.String()[len("SPAN_KIND_"):], Took: s.EndTimeUnixNano - s.StartTimeUnixNano,
				Failed: s.Status.GetCode() == trace.Status_STATUS_CODE_ERROR, Attributes: map[string]string{},
			}
			for _, a := range s.Attributes {
				span.Attributes[a.Key] = text(a.Value)
			}
			for _, link := range s.Links {
				span.Links = append(span.Links, hex.EncodeToString(link.SpanId))
			}
			c.spans = append(c.spans, span)
		}
	}
}

// text returns a value as text. The exporter sends texts, integers and booleans.
func text(value *common.AnyValue) string {
	switch v := value.Value.(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	default:
		return strconv.FormatBool(value.GetBoolValue())
	}
}

// Spans returns the spans that the collector got so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Received returns the bodies of all requests.
func (c *Collector) Received() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.received)
}
