package events

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
)

// A Line is a line of structured log, as a function writes it: a JSON object.
type Line struct {
	Level     slog.Level // Info where the line names none
	Message   string
	Kind      Kind        // of the function's own events, which this module does not know
	RequestID string      // of the invocation that wrote it
	Attrs     []slog.Attr // all other fields, in their order

	metrics json.RawMessage
}

// MessageKey is the field of a line's message, as Lambda's own JSON has it.
const MessageKey = "message"

// ReadLine reads a line of structured log. ok is false for any other text, and for JSON without a
// message, of which the fields are returned all the same.
func ReadLine(text string) (l Line, ok bool) {
	if !strings.HasPrefix(text, "{") || !json.Valid([]byte(text)) {
		return l, false
	}
	decoder := json.NewDecoder(strings.NewReader(text)) // without errors, as the text is valid
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
	case "timestamp": // the record has its own
		return
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
		_ = json.Unmarshal(raw, &value) // the decoder has read it
		l.Attrs = append(l.Attrs, slog.Any(key, value))
		return
	}
	_ = json.Unmarshal(raw, into)
}

// Unmeasured returns the attributes without those that CloudWatch counts. none is true for a line
// that exists only to be counted: the others are the dimensions of the metrics. The format is
// CloudWatch's embedded metric format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (l Line) Unmeasured() (attrs []slog.Attr, none bool) {
	var metrics struct {
		CloudWatchMetrics []struct {
			Dimensions [][]string
			Metrics    []struct{ Name string }
		}
	}
	if json.Unmarshal(l.metrics, &metrics) != nil {
		return l.Attrs, false // absent, or not CloudWatch's
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
