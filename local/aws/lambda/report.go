package lambda

import (
	"errors"
	"log/slog"
	"time"

	"restock/local/aws/traceid"
	"restock/local/view/events"
)

// report logs the content of Lambda's REPORT line and of its platform.report event, with the levels
// of platform.report.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func (d *Deployed) report(inv *invocation, err error) {
	attrs := []slog.Attr{
		events.InvocationEnded.Attr(),
		slog.String("request_id", inv.requestID),
		slog.String("trace_id", inv.span.Header()),
		traceid.Attr(inv.span),
		slog.String("status", status(err)),
		slog.Duration("duration", inv.duration),
		// The init phase is billed too:
		// https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
		slog.Duration("billed_duration", roundUp(inv.initDuration+inv.duration, time.Millisecond)),
		slog.Int("memory_size_mb", d.MemoryMB),
	}
	if inv.initDuration > 0 {
		attrs = append(attrs, slog.Duration("init_duration", inv.initDuration))
	}
	if inv.peakMemory > 0 {
		attrs = append(attrs, slog.Int64("max_memory_used_mb", inv.peakMemory>>20))
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, failureAttr(err))
	}
	d.log.LogAttrs(inv.ctx, level, "invocation ended", attrs...)
}

// status returns an invocation's status in the telemetry schema. A function that reports an error
// has the status error; if its process ended, the status is failure.
// https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#Status
func status(err error) string {
	var failure *FunctionError
	switch {
	case err == nil:
		return "success"
	case !errors.As(err, &failure):
		return "failure"
	}
	switch failure.Type {
	case ErrorTypeTimeout:
		return "timeout"
	case ErrorTypeExit, ErrorTypeMemory, ErrorTypeEntrypoint:
		return "failure"
	default:
		return "error"
	}
}

func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1).Truncate(unit) }

// failureAttr describes a failure without the process's output, which has been logged already.
func failureAttr(err error) slog.Attr {
	var failure *FunctionError
	if errors.As(err, &failure) {
		return slog.Group("", "error_type", failure.Type, "error", failure.Message)
	}
	return slog.Any("error", err)
}
