package events

import (
	"context"
	"log/slog"
)

type attrsKey struct{}

// WithAttrs adds to a context what every event has that is logged with it: whose request it is about, for one. Other handlers of the
// log do not see it.
func WithAttrs(ctx context.Context, attrs ...slog.Attr) context.Context {
	before := attrsOf(ctx)
	return context.WithValue(ctx, attrsKey{}, append(before[:len(before):len(before)], attrs...))
}

func attrsOf(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(attrsKey{}).([]slog.Attr)
	return attrs
}
