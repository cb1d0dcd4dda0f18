package lambda

import (
	"context"
	"log/slog"

	"restock/local/view/events"
)

// logLine logs a line of the function's output with the latest invocation's request id. A line may
// be read after the answer; one that is read very late may get the id of the next invocation. A
// request id that the function itself writes is always right.
func (inst *instance) logLine(stream, line string) {
	attrs := []slog.Attr{events.FunctionLine.Attr(), slog.String("stream", stream)}
	inst.mu.Lock()
	id := inst.requestID
	inst.mu.Unlock()
	if id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	structured, _ := events.ReadLine(line)
	inst.log.LogAttrs(context.Background(), structured.Level, line, attrs...)
}
