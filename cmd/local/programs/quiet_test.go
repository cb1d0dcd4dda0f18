package programs_test

import (
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"restock/cmd/local/panels"
	"restock/cmd/local/programs"
	"restock/test/await"
)

// late matches the warnings of a function that starts slowly, as it may on a busy machine.
var late = regexp.MustCompile(`the warm-up failed.*(deadline exceeded|i/o timeout)|init did not end in time`)

// A warning at the end of each run would make people ignore warnings.
func TestASuccessfulRunLogsNoWarning(t *testing.T) {
	t.Parallel()
	logged := &textLog{}
	c := config(t)
	c.Console = "127.0.0.1:0"
	c.Log = slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r, err := programs.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{Run: r, Endpoints: r.Endpoints()}
	await.Until(t, "the console shows the stock", func() bool {
		var state struct {
			Panels struct{ Stock panels.StockState }
		}
		s.fetch(t, "/state", &state)
		return len(state.Panels.Stock.Products) > 0
	})
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(logged.text.String()) {
		if !late.MatchString(line) {
			t.Errorf("the run logs %s, want nothing", line)
		}
	}
	if _, quiet := mysql.NewConfig().Logger.(*mysql.NopLogger); !quiet {
		t.Error("the database driver writes to standard error")
	}
}
