package shop

import (
	"context"
	"strings"
)

// maxCorrelation is the longest id, in bytes: the width of the database column.
const maxCorrelation = 64

type correlationKey struct{}

// WithCorrelation returns a context that carries the id of the buyer's request that causes the
// work. The id goes with a production order through the outbox, the factory and its callback, so
// one search of the logs finds the whole journey.
//
// WithCorrelation ignores an id that is empty, longer than 64 bytes, or not printable ASCII.
func WithCorrelation(ctx context.Context, id string) context.Context {
	unprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	if id == "" || len(id) > maxCorrelation || strings.ContainsFunc(id, unprintable) {
		return ctx
	}
	return context.WithValue(ctx, correlationKey{}, id)
}

// Correlation returns the id of the request that causes the work, empty if it is not known.
func Correlation(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}
