package console

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"time"

	"restock/local/view/events"
)

// An Event is what happened, as it is told: a record of the run's log, or a line of a function's,
// and where in the picture it belongs.
type Event struct {
	Seq     uint64         `json:"seq"`
	Time    time.Time      `json:"time"`
	Level   string         `json:"level"`
	Kind    events.Kind    `json:"kind,omitempty"` // empty where no reader needs to recognise the event
	Message string         `json:"message"`
	Part    string         `json:"part,omitempty"`    // of the run, that logged it
	Node    string         `json:"node,omitempty"`    // the id of the node that it happened at
	Edge    string         `json:"edge,omitempty"`    // the id of the edge that it happened on
	Journey string         `json:"journey,omitempty"` // the id of the journey that it is a part of
	Denied  bool           `json:"denied,omitempty"`  // a policy, or the network, did not allow it
	Attrs   map[string]any `json:"attrs,omitempty"`

	ofFunction bool // it is a line that a function wrote
	level      slog.Level
	trace      trace
	flow       flow
}

// important reports an event that goes before others where not all can be told.
func (e *Event) important() bool { return e.level >= slog.LevelWarn || e.Denied }

// hiddenAttrs are the attributes that the console does not show: other fields of the event have the
// same value, or the value is of no use to people. The console reads the text of a message, but
// does not show it.
var hiddenAttrs = map[string]bool{
	"api_request_id": true, "body": true, "log_stream": true, "message_ids": true, "part": true, "stream": true,
	"trace_id": true,
}

// unfold reads a record: a function's line of JSON is the event that it describes.
func unfold(r events.Event) *Event {
	e := &Event{
		Time: r.Time.UTC(), Kind: r.Kind, Message: r.Message, level: r.Level, Level: r.Level.String(),
		ofFunction: r.Kind == events.FunctionLine, Attrs: make(map[string]any, len(r.Attrs)),
	}
	attrs := r.Attrs
	if line, ok := events.ReadLine(r.Message); ok && e.ofFunction {
		e.Kind, e.Message = cmp.Or(line.Kind, e.Kind), line.Message
		attrs = slices.Concat(attrs, line.Attrs)
		if line.RequestID != "" {
			// The host may tell a line that it reads late with the next invocation's id; the
			// function knows its own.
			attrs = append(attrs, slog.String("request_id", line.RequestID))
		}
	}
	for _, a := range attrs {
		e.Attrs[a.Key] = value(a.Value)
	}
	e.Part = e.text("part")
	return e
}

// value is an attribute's, in JSON's types.
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

// text is an attribute that is text; empty if it is not.
func (e *Event) text(key string) string {
	s, _ := e.Attrs[key].(string)
	return s
}

// number is an attribute that is a number; zero if it is not.
func (e *Event) number(key string) int {
	n, _ := e.Attrs[key].(float64)
	return int(n)
}

// duration is an attribute that is a time span; zero if it is not.
func (e *Event) duration(key string) time.Duration {
	d, _ := time.ParseDuration(e.text(key))
	return d
}

// why is the event as a failure.
func (e *Event) why(text string) Why {
	return Why{Time: e.Time, Function: e.text("function"), Error: text}
}

// trim leaves out what is not told.
func (e *Event) trim() {
	maps.DeleteFunc(e.Attrs, func(key string, _ any) bool { return hiddenAttrs[key] })
}
