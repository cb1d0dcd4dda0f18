package programs_test

import (
	"crypto/rand"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"testing"

	"restock/infra/graph"
	"restock/test/await"
)

func TestAThrottledRequestIsLoggedWithItsSetting(t *testing.T) {
	t.Parallel()
	logged := &textLog{}
	c := config(t)
	c.Unchecked = true
	both := io.MultiWriter(logged, t.Output())
	c.Log = slog.New(slog.NewTextHandler(both, &slog.HandlerOptions{Level: slog.LevelWarn}))
	c.Edit = func(g *graph.Graph) {
		for _, r := range g.OfType(graph.Function) {
			if r.Name == "sales-api" {
				r.Outputs["reservedConcurrentExecutions"] = 0.0
			}
		}
		for _, r := range g.OfType(graph.APIStage) {
			for _, own := range r.Outputs["routeSettings"].([]any) {
				limits := map[string]any{"throttlingRateLimit": 1e-9, "throttlingBurstLimit": 1.0}
				maps.Copy(own.(map[string]any), limits)
			}
		}
	}
	s := start(t, c)
	for _, want := range []struct {
		status int
		reason string
	}{
		{http.StatusServiceUnavailable, "no instance of sales-api may run: its concurrency is 0 (Concurrency in " +
			"lambdas/lambdas.go, setting concurrency.sales-api)"},
		{http.StatusTooManyRequests, "the route POST /checkout lets 1e-09 requests a second pass, and 1 at " +
			"once (setting throttling.checkouts)"},
	} {
		if status, body, err := s.requestCheckout(t.Context(), rand.Text(), ""); err != nil || status != want.status {
			t.Errorf("a checkout got %d %s, %v; want %d", status, body, err, want.status)
		}
		await.Until(t, "the log says "+want.reason, func() bool {
			return logged.line("throttled=", want.reason) != ""
		})
	}
}
