package programs_test

import (
	"log/slog"
	"maps"
	"slices"
	"testing"

	"restock/cmd/local/panels"
	"restock/cmd/local/programs"
	"restock/local/view/console"
)

// The command shop has these defaults, and the run too. The test is not in package panels, because
// the run links Pulumi.
func TestHintsNameTheRun(t *testing.T) {
	t.Parallel()
	target := func(endpoints map[string]string) string {
		all := panels.New(slog.New(slog.DiscardHandler), nil)
		stock := all[slices.IndexFunc(all, func(p console.Panel) bool { return p.Name == "stock" })]
		if err := stock.Start(t.Context(), console.Stack{Endpoints: endpoints}); err != nil {
			t.Fatal(err)
		}
		return stock.State(false).(panels.StockState).Target
	}
	defaults := programs.DefaultConfig("")
	local := map[string]string{"api": "http://" + defaults.API, "aws": "http://" + defaults.AWS}
	if got := target(local); got != "--local" {
		t.Errorf("a run at the default addresses: got %q, want --local", got)
	}
	for _, key := range []string{"api", "aws"} {
		other := maps.Clone(local)
		other[key] = "http://127.0.0.1:1"
		if got := target(other); got != "--ready FILE" {
			t.Errorf("a run with another %s: got %q, want --ready FILE", key, got)
		}
	}
}
