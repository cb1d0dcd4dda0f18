package events

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// A Line is a line of structured log: a JSON object that a function writes.
type Line struct {
	Level     slog.Level // Info if the line has none
	Message   string
	Kind      Kind        // the function's own, not one of this package
	RequestID string      // of the invocation that wrote the line
	Time      time.Time   // when the function wrote the line; zero if the line does not say it in RFC 3339
	Attrs     []slog.Attr // all other fields, in their order

	metrics json.RawMessage
}

// MessageKey is the field that holds a line's message, as in Lambda's JSON log format.
const MessageKey = "message"

// ReadLine parses a line of structured log. ok is false for all other texts. For a JSON object
// without a message, ok is false too, but ReadLine still returns its fields.
func ReadLine(text string) (l Line, ok bool) {
	if !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
		return l, false
	}
	decoder := json.NewDecoder(strings.NewReader(text)) // the text is valid: no errors
	_, _ = decoder.Token()
	for decoder.More() {
		key, _ := decoder.Token()
		var raw json.RawMessage
		_ = decoder.Decode(&raw)
		l.set(key.(string), raw)
	}
	return l, l.Message != ""
}

// set sets a field. A field of an unexpected type is dropped.
func (l *Line) set(key string, raw json.RawMessage) {
	var into any
	switch key {
	case "timestamp":
		into = &l.Time
	case "_aws":
		l.metrics = raw
		return
	case slog.LevelKey:
		into = &l.Level
	case MessageKey:
		into = &l.Message
	case Key:
		into = &l.Kind
	case "requestId":
		into = &l.RequestID
	default:
		var value any
		_ = json.Unmarshal(raw, &value) // the decoder has checked it
		l.Attrs = append(l.Attrs, slog.Any(key, value))
		return
	}
	_ = json.Unmarshal(raw, into)
}

// Unmeasured returns the attributes without the metrics that CloudWatch reads from the line. none
// is true if no other attributes are left than the dimensions of these metrics: such a line exists
// only for CloudWatch. The format is CloudWatch's embedded metric format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (l Line) Unmeasured() (attrs []slog.Attr, none bool) {
	var metrics struct {
		CloudWatchMetrics []struct {
			Dimensions [][]string
			Metrics    []struct{ Name string }
		}
	}
	if json.Unmarshal(l.metrics, &metrics) != nil {
		return l.Attrs, false // no metrics, or an "_aws" of another format
	}
	measured, dimensions := map[string]bool{}, map[string]bool{}
	for _, directive := range metrics.CloudWatchMetrics {
		for _, m := range directive.Metrics {
			measured[m.Name] = true
		}
		for _, name := range slices.Concat(directive.Dimensions...) {
			dimensions[name] = true
		}
	}
	attrs = slices.DeleteFunc(slices.Clone(l.Attrs), func(a slog.Attr) bool { return measured[a.Key] })
	other := slices.ContainsFunc(attrs, func(a slog.Attr) bool { return !dimensions[a.Key] })
	return attrs, len(measured) > 0 && !other
}
