package programs_test

import (
	"log/slog"
	"testing"

	"github.com/go-sql-driver/mysql"

	"restock/cmd/local/panels"
	"restock/cmd/local/programs"
	"restock/test/await"
)

// A person who presses Ctrl-C has read all that there is to say.
func TestARunThatGoesWellSaysNoWarningTillItsEnd(t *testing.T) {
	t.Parallel()
	said := &protocol{}
	c := config(t)
	c.Console = "127.0.0.1:0"
	c.Log = slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn}))
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
	if said.text.Len() > 0 {
		t.Errorf("it says\n%s, want nothing", &said.text)
	}
	if _, quiet := mysql.NewConfig().Logger.(*mysql.NopLogger); !quiet {
		t.Error("the driver of the database writes to standard error")
	}
}
