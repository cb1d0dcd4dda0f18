package awsapi

import (
	"context"

	"restock/local/aws/traceid"
)

type accessKeyIDKey struct{}

// AccessKeyID returns the access key that signed the call, or "" for an unsigned call. A handler
// without an authorizer does not verify it.
func AccessKeyID(ctx context.Context) string {
	id, _ := ctx.Value(accessKeyIDKey{}).(string)
	return id
}

func withAccessKeyID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, accessKeyIDKey{}, id)
}

type traceHeaderKey struct{}

// TraceHeader returns the trace of the invocation that made the call, as its SDK passed it on, or
// "".
func TraceHeader(ctx context.Context) string {
	trace, _ := ctx.Value(traceHeaderKey{}).(string)
	return trace
}

// WithTraceHeader returns the context of what a trace header's span causes.
func WithTraceHeader(ctx context.Context, trace string) context.Context {
	ctx = context.WithValue(ctx, traceHeaderKey{}, trace)
	if caller, ok := traceid.Parse(trace); ok {
		ctx = traceid.With(ctx, caller)
	}
	return ctx
}
