package function

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"restock/internal/shop"
)

func TestEveryLineHasTheCorrelationID(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(correlated{slog.NewJSONHandler(&out, nil)})
	ctx := shop.WithCorrelation(context.Background(), "JKJaXmPLvHcESHA=")
	log.InfoContext(ctx, "plain")
	log.With("sku", "CP-502101").InfoContext(ctx, "with an attribute")
	for line := range strings.Lines(out.String()) {
		if strings.Count(line, `"correlation_id":"JKJaXmPLvHcESHA="`) != 1 {
			t.Errorf("got %s, want the id once", line)
		}
	}
	out.Reset()
	log.Info("no request")
	if strings.Contains(out.String(), "correlation_id") {
		t.Errorf("got %s, want no id without a correlation", out.String())
	}
}
