package shop

import (
	"context"
	"strings"
)

// maxCorrelation is in bytes. It is the width of the database column.
const maxCorrelation = 64

type correlationKey struct{}

// WithCorrelation returns a context that carries the id of the buyer's request that causes the
// work. The id goes with a production order through the outbox, the factory and its callback, so
// one search of the logs finds the whole journey.
//
// WithCorrelation ignores an id that is empty, longer than 64 bytes, or not printable ASCII.
func WithCorrelation(ctx context.Context, id string) context.Context {
	if id == "" || len(id) > maxCorrelation || strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return ctx
	}
	return context.WithValue(ctx, correlationKey{}, id)
}

// Correlation returns the id of the request that causes the work, empty if it is not known.
func Correlation(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}
