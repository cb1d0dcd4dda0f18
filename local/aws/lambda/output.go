package lambda

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
)

// logLine hands a line that the function wrote to the host's logger, as one of the latest invocation's: a line that is read late may
// be told of the next. The request's id that a function itself writes is right.
func (inst *instance) logLine(stream, line string) {
	attrs := []slog.Attr{slog.String("stream", stream)}
	if id := inst.requestID(); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	inst.log.LogAttrs(context.Background(), lineLevel(line), line, attrs...)
}

// lineLevel returns the level that a line of structured log gives itself, Info for any
// other line.
func lineLevel(line string) slog.Level {
	if !strings.HasPrefix(line, "{") {
		return slog.LevelInfo
	}
	var record struct {
		Level slog.Level `json:"level"`
	}
	if err := json.Unmarshal([]byte(line), &record); err != nil {
		return slog.LevelInfo // JSON of another kind, or none
	}
	return record.Level
}
