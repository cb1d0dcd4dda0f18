package shop

import (
	"context"
	"strings"
)

// maxCorrelation is in bytes, as wide as the column that keeps it.
const maxCorrelation = 64

type correlationKey struct{}

// WithCorrelation says which request of a buyer is the cause of what is done under a context. The id goes with a production order
// through the outbox, the factory and its callback, so that one search of the logs finds all of the way. What is longer than
// 64 bytes, or holds anything but printable ASCII, is not such an id, and changes nothing; nor does an empty one.
func WithCorrelation(ctx context.Context, id string) context.Context {
	if id == "" || len(id) > maxCorrelation || strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return ctx
	}
	return context.WithValue(ctx, correlationKey{}, id)
}

// Correlation is the id of the request that is the cause of what is done under a context; empty where none is known.
func Correlation(ctx context.Context) string {
	id, _ := ctx.Value(correlationKey{}).(string)
	return id
}
