package console

import (
	"encoding/json"
	"log/slog"
	"strings"
	"time"

	"restock/local/view/events"
)

// An Event is what happened, as it is told: a record of the run's log, or a line of a function's, and where in the picture it belongs.
type Event struct {
	Seq     uint64         `json:"seq"`
	Time    time.Time      `json:"time"`
	Level   string         `json:"level"`
	Message string         `json:"message"`
	Part    string         `json:"part,omitempty"`    // of the run, that logged it
	Node    string         `json:"node,omitempty"`    // the id of the node that it happened at
	Edge    string         `json:"edge,omitempty"`    // the id of the edge that it happened on
	Journey string         `json:"journey,omitempty"` // the id of the journey that it is a part of
	Denied  bool           `json:"denied,omitempty"`  // a policy, or the network, did not allow it
	Attrs   map[string]any `json:"attrs,omitempty"`

	level slog.Level
	trace trace
	flow  flow
}

// important reports an event that goes before others where not all can be told.
func (e *Event) important() bool { return e.level >= slog.LevelWarn || e.Denied }

// hiddenAttrs are the attributes that the console does not show: other fields of the event have the same
// value, or the value is of no use to people. The console reads the text of
// a message, but does not show it.
var hiddenAttrs = map[string]bool{
	"_aws": true, "timestamp": true, slog.LevelKey: true, "stream": true, "log_stream": true, ownRequestID: true,
	"body": true, "part": true, "trace_id": true,
	"message_ids": true, "api_request_id": true,
}

// unfold reads a record: a function's line of JSON is the event that it describes.
func unfold(r events.Event) *Event {
	e := &Event{Time: r.Time.UTC(), Message: r.Message, level: r.Level, Attrs: make(map[string]any, len(r.Attrs))}
	for _, a := range r.Attrs {
		e.Attrs[a.Key] = value(a.Value)
	}
	if strings.HasPrefix(r.Message, "{") {
		e.unfoldLine(r.Message)
	}
	e.Level = e.level.String()
	e.Part = e.text("part")
	return e
}

// unfoldLine reads a line of JSON with a message. Its measurements, which are its largest part, are not decoded.
func (e *Event) unfoldLine(text string) {
	var line map[string]json.RawMessage
	var message string
	if json.Unmarshal([]byte(text), &line) != nil || json.Unmarshal(line["message"], &message) != nil {
		return
	}
	e.Message = message
	for key, raw := range line {
		if key == "message" || key != ownRequestID && hiddenAttrs[key] {
			continue
		}
		var v any
		_ = json.Unmarshal(raw, &v) // it is a part of what was valid
		e.Attrs[key] = v
	}
}

// ownRequestID is the id of its invocation in a line that a function writes.
const ownRequestID = "requestId"

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

// trim leaves out what is not told.
func (e *Event) trim() {
	for key := range e.Attrs {
		if hiddenAttrs[key] {
			delete(e.Attrs, key)
		}
	}
}
