package lambda

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
)

// logLine logs a line of the function's output with the latest invocation's request id. A line that
// is read late may get the id of the next invocation. A request id that the function itself writes
// is always right.
func (inst *instance) logLine(stream, line string) {
	attrs := []slog.Attr{slog.String("stream", stream)}
	if id := inst.requestID(); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	inst.log.LogAttrs(context.Background(), lineLevel(line), line, attrs...)
}

// lineLevel returns the level in a line of structured log, or Info for any other line.
func lineLevel(line string) slog.Level {
	if !strings.HasPrefix(line, "{") {
		return slog.LevelInfo
	}
	var record struct {
		Level slog.Level `json:"level"`
	}
	if err := json.Unmarshal([]byte(line), &record); err != nil {
		return slog.LevelInfo // not JSON, or another kind of JSON
	}
	return record.Level
}
