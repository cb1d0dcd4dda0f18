package logging

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestLevelIsWhatLambdaIsConfiguredFor(t *testing.T) {
	for name, want := range map[string]slog.Level{
		"": slog.LevelInfo, "INFO": slog.LevelInfo, "TRACE": slog.LevelDebug, "DEBUG": slog.LevelDebug, "debug": slog.LevelDebug,
		"WARN": slog.LevelWarn, "ERROR": slog.LevelError, "FATAL": slog.LevelError, "LOUD": slog.LevelInfo,
	} {
		t.Setenv("AWS_LAMBDA_LOG_LEVEL", name)
		var out strings.Builder
		log := New(&out)
		log.Log(t.Context(), want, "shown")
		log.Log(t.Context(), want-1, "hidden")
		var line struct{ Msg string }
		if err := json.Unmarshal([]byte(out.String()), &line); err != nil || line.Msg != "shown" {
			t.Errorf("at level %q the log is %q, want one JSON line at %v and none below", name, out.String(), want)
		}
	}
}
