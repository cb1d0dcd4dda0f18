package console

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"time"

	"restock/local/view/events"
)

// An Event is an event as the console shows it: a record of the run's log, or a function's line of
// JSON, with its place in the picture.
type Event struct {
	Seq     uint64         `json:"seq"`
	Time    time.Time      `json:"time"`
	Level   string         `json:"level"`
	Kind    events.Kind    `json:"kind,omitempty"` // empty if no reader needs to recognise the event
	Message string         `json:"message"`
	Part    string         `json:"part,omitempty"`    // the part of the run that logged it
	Node    string         `json:"node,omitempty"`    // the id of the node where it happened
	Edge    string         `json:"edge,omitempty"`    // the id of the edge where it happened
	Journey string         `json:"journey,omitempty"` // the id of its journey, if it has one
	Shared  bool           `json:"shared,omitempty"`  // several journeys have it
	Denied  bool           `json:"denied,omitempty"`  // a policy or the network blocked it
	Attrs   map[string]any `json:"attrs,omitempty"`

	ofFunction bool // a function wrote the line
	level      slog.Level
	trace      trace
	flow       flow
}

// important reports whether a stream that cannot carry all events prefers this one.
func (e *Event) important() bool { return e.level >= slog.LevelWarn || e.Denied }

// hiddenAttrs are the attributes that the console does not show: other fields of the event have the
// same value, or the value is of no use to people. The console reads the text of a message, but
// does not show it.
var hiddenAttrs = map[string]bool{
	"api_request_id": true, "body": true, "log_stream": true, "message_ids": true, "part": true, "stream": true,
	"linked_spans": true, "span": true, "trace_id": true,
}

// unfold converts a record. A function's line of JSON becomes the event that it describes.
func unfold(r events.Event) *Event {
	e := &Event{
		Time: r.Time.UTC(), Kind: r.Kind, Message: r.Message, level: r.Level, Level: r.Level.String(),
		ofFunction: r.Kind == events.FunctionLine, Attrs: make(map[string]any, len(r.Attrs)),
	}
	attrs := r.Attrs
	if line, ok := events.ReadLine(r.Message); ok && e.ofFunction {
		e.Kind, e.Message = cmp.Or(line.Kind, e.Kind), line.Message
		if late := e.Time.Sub(line.Time); late > 0 && late < time.Minute {
			e.Time = line.Time.UTC() // the host may read a line later than what the line has caused
		}
		own, onlyMetrics := line.Unmeasured() // the other attributes say what the metrics count
		if onlyMetrics {
			own = line.Attrs
		}
		attrs = slices.Concat(attrs, own)
		if line.RequestID != "" {
			// If the host reads a line late, the record has the next invocation's id; the line
			// has the right one.
			attrs = append(attrs, slog.String("request_id", line.RequestID))
		}
	}
	for _, a := range attrs {
		e.Attrs[a.Key] = value(a.Value)
	}
	e.Part = e.text("part")
	return e
}

// value converts an attribute's value to a type of JSON.
func value(v slog.Value) any {
	switch v.Kind() {
	case slog.KindDuration:
		return v.Duration().Round(10 * time.Microsecond).String()
	case slog.KindTime:
		return v.Time().UTC()
	case slog.KindInt64:
		return float64(v.Int64())
	case slog.KindUint64:
		return float64(v.Uint64())
	default:
		return v.Any()
	}
}

// text returns an attribute that is a string, or "".
func (e *Event) text(key string) string {
	s, _ := e.Attrs[key].(string)
	return s
}

// number returns an attribute that is a number, or 0.
func (e *Event) number(key string) int {
	n, _ := e.Attrs[key].(float64)
	return int(n)
}

// duration returns an attribute that is a duration, or 0.
func (e *Event) duration(key string) time.Duration {
	d, _ := time.ParseDuration(e.text(key))
	return d
}

// why returns the event as a message's failure.
func (e *Event) why(text string) Why {
	return Why{Time: e.Time, Function: e.text("function"), Error: text}
}

// trim removes hidden attributes, and a count of failures that is 0: it reads like a failure.
func (e *Event) trim() {
	if e.Kind == events.BatchProcessed && e.number("failed") == 0 {
		delete(e.Attrs, "failed")
	}
	maps.DeleteFunc(e.Attrs, func(key string, _ any) bool { return hiddenAttrs[key] })
}
