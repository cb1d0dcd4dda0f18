// Package traceid identifies the steps of a trace: a request, an invocation, a message. The
// stand-ins pass the ids on as AWS X-Ray's tracing header does, and log them, so that a trace can
// be put together from the log: see package otlp.
//
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
package traceid

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
)

// A Span is a step of a trace.
type Span struct {
	// Root identifies the trace: "1-<seconds since 1970>-<96 random bits>", in hexadecimal digits.
	// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
	Root    string
	ID      string // 64 bits in hexadecimal digits; "" if only the trace is known
	Parent  string // the ID of the span that caused this one; "" if nothing did
	Sampled bool   // functions record what they do in it
}

// New returns the first span of a trace that begins at a time.
func New(now time.Time) Span {
	return Span{Root: fmt.Sprintf("1-%08x-%s", now.Unix(), random(12)), ID: random(8)}
}

// Child returns a new span that s causes.
func (s Span) Child() Span {
	return Span{Root: s.Root, ID: random(8), Parent: s.ID, Sampled: s.Sampled}
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Header returns the tracing header that children of the span get.
func (s Span) Header() string {
	sampled := 0
	if s.Sampled {
		sampled = 1
	}
	return fmt.Sprintf("Root=%s;Parent=%s;Sampled=%d", s.Root, s.ID, sampled)
}

var (
	rootForm = regexp.MustCompile(`^1-[0-9a-f]{8}-[0-9a-f]{24}$`)
	idForm   = regexp.MustCompile(`^[0-9a-f]{16}$`)
)

// Parse returns the span that a tracing header names as the parent. ok is false if the header names
// no trace.
func Parse(header string) (s Span, ok bool) {
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch value = strings.ToLower(value); {
		case name == "Root" && rootForm.MatchString(value):
			s.Root = value
		case name == "Parent" && idForm.MatchString(value):
			s.ID = value
		case name == "Sampled":
			s.Sampled = value == "1"
		}
	}
	return s, s.Root != ""
}

// Traceparent is the header in which HTTP requests carry a span, for programs of any vendor.
// https://www.w3.org/TR/trace-context/#traceparent-header
const Traceparent = "Traceparent"

var traceparent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

// Traceparent returns the value of the header Traceparent for a request that the span makes.
func (s Span) Traceparent() string {
	flags := "00"
	if s.Sampled {
		flags = "01"
	}
	return "00-" + TraceID(s.Root) + "-" + s.ID + "-" + flags
}

// TraceID returns the W3C form of a trace's id: 32 hexadecimal digits.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
func TraceID(root string) string { return strings.ReplaceAll(strings.TrimPrefix(root, "1-"), "-", "") }

// ParseTraceparent returns the span of a header Traceparent. ok is false if the standard says to
// ignore the value.
func ParseTraceparent(value string) (s Span, ok bool) {
	parts := traceparent.FindStringSubmatch(value)
	if parts == nil {
		return s, false
	}
	version, trace, id, flags, more := parts[1], parts[2], parts[3], parts[4], parts[5]
	isZero := func(digits string) bool { return strings.Trim(digits, "0") == "" }
	if version == "ff" || version == "00" && more != "" || isZero(trace) || isZero(id) {
		return s, false
	}
	bits, _ := hex.DecodeString(flags) // it has two digits
	return Span{Root: "1-" + trace[:8] + "-" + trace[8:], ID: id, Sampled: bits[0]&1 == 1}, true
}

type spanKey struct{}

// With returns the context of what a span causes.
func With(ctx context.Context, s Span) context.Context { return context.WithValue(ctx, spanKey{}, s) }

// From returns the span that causes what is done with a context. ok is false if it is not known.
func From(ctx context.Context) (s Span, ok bool) {
	s, ok = ctx.Value(spanKey{}).(Span)
	return s, ok
}

// Start returns a span that the context's span causes, or the first span of a new trace.
func Start(ctx context.Context) Span {
	if parent, ok := From(ctx); ok {
		return parent.Child()
	}
	return New(time.Now())
}

// Key is the attribute of a log's record with the spans that it describes. Blanks separate them.
const Key = "span"

// LinksKey is the attribute with further spans that have caused the span of a record.
const LinksKey = "linked_spans"

// Attr returns the attribute of spans that a log's record describes.
func Attr(spans ...Span) slog.Attr {
	texts := make([]string, len(spans))
	for i, s := range spans {
		texts[i] = s.Root + "/" + s.ID + "/" + s.Parent
	}
	return slog.String(Key, strings.Join(texts, " "))
}

// Read returns the spans of an attribute's value.
func Read(value string) (spans []Span) {
	for text := range strings.FieldsSeq(value) {
		parts := strings.SplitN(text, "/", 3)
		if len(parts) == 3 {
			spans = append(spans, Span{Root: parts[0], ID: parts[1], Parent: parts[2]})
		}
	}
	return spans
}
