package events

import (
	"context"
	"log/slog"
)

type attrsKey struct{}

// WithAttrs returns a context that adds attributes to every event logged with it: for example, the
// id of the request that the event is about. Other slog handlers do not show these attributes.
func WithAttrs(ctx context.Context, attrs ...slog.Attr) context.Context {
	before := attrsOf(ctx)
	return context.WithValue(ctx, attrsKey{}, append(before[:len(before):len(before)], attrs...))
}

func attrsOf(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return attrs
}
