package terminal

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
)

// messageKey is the message's in a line of a function's log, as Lambda's own JSON has it.
const messageKey = "message"

// metricsKey is that of the part of a line that makes CloudWatch count values of it, the embedded metric format:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const metricsKey = "_aws"

// A line is a line of structured log.
type line struct {
	message string
	attrs   []slog.Attr
	counts  bool // it is there to be counted alone: it says nothing else
}

// unfold reads a line of a function's log, its attributes in their order. What is there for CloudWatch to count, it leaves out.
func unfold(text string) (l line, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return l, false
	}
	var counted, by []string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return l, false
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return l, false
		}
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return l, false
		}
		switch a := slog.Any(key.(string), value); {
		case key == messageKey:
			l.message, ok = value.(string)
		case key == metricsKey:
			counted, by = metrics(raw)
		case !isHidden(a):
			l.attrs = append(l.attrs, a)
		}
	}
	l.attrs = slices.DeleteFunc(l.attrs, func(a slog.Attr) bool { return slices.Contains(counted, a.Key) })
	l.counts = len(counted) > 0 && !slices.ContainsFunc(l.attrs, func(a slog.Attr) bool { return !slices.Contains(by, a.Key) })
	return l, ok
}

// metrics are the names of the values that are counted, and of those that they are counted by.
func metrics(metadata []byte) (names, dimensions []string) {
	var m struct {
		CloudWatchMetrics []struct {
			Dimensions [][]string
			Metrics    []struct{ Name string }
		}
	}
	if json.Unmarshal(metadata, &m) != nil {
		return nil, nil // it is not CloudWatch's
	}
	for _, directive := range m.CloudWatchMetrics {
		for _, metric := range directive.Metrics {
			names = append(names, metric.Name)
		}
		dimensions = append(dimensions, slices.Concat(directive.Dimensions...)...)
	}
	return names, dimensions
}
