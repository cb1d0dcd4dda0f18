package programs_test

import (
	"io"
	"log/slog"
	"testing"

	"restock/infra/graph"
	"restock/test/await"
)

// TestLostMessagesAreWarnings filters both subscriptions of the topic by the number of products,
// which the functions send as a String.
func TestLostMessagesAreWarnings(t *testing.T) {
	t.Parallel()
	logged := &textLog{}
	c := config(t)
	both := io.MultiWriter(logged, t.Output())
	c.Log = slog.New(slog.NewTextHandler(both, &slog.HandlerOptions{Level: slog.LevelWarn}))
	c.Unchecked = true // a rule refuses such a filter
	c.Edit = func(g *graph.Graph) {
		for _, r := range g.OfType(graph.TopicSubscription) {
			r.Outputs["filterPolicy"] = `{"MessageAttributeProductCnt":[{"numeric":[">",0]}]}`
		}
	}
	s := start(t, c)
	for _, want := range [][]string{
		{"the filter of a subscription can never take messages like this one", "stock_empty", "ads_queue",
			"attribute=MessageAttributeProductCnt", `published="String`, `{\"numeric\":[\">\",0]}`,
			"infra/stack/messaging.go"},
		{"no subscription of the topic takes the message: it is lost", "stock_empty", "infra/stack/messaging.go"},
	} {
		await.Until(t, "the log says "+want[0], func() bool {
			if _, _, err := s.checkout(t.Context()); err != nil {
				t.Fatal(err)
			}
			return logged.line(want...) != ""
		})
	}
}
