// Package logging is how functions log: JSON lines, at the level that Lambda's configuration sets.
package logging

import (
	"io"
	"log/slog"
	"os"
	"strings"
)

// New makes a logger. The level is that of AWS_LAMBDA_LOG_LEVEL, which Lambda sets and does not apply to Go's logs itself:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
func New(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level(os.Getenv("AWS_LAMBDA_LOG_LEVEL"))}))
}

// level reads one of Lambda's names. TRACE and FATAL are Lambda's alone; what is not set is INFO.
func level(name string) slog.Level {
	switch strings.ToUpper(name) {
	case "TRACE", "DEBUG":
		return slog.LevelDebug
	case "WARN":
		return slog.LevelWarn
	case "ERROR", "FATAL":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
