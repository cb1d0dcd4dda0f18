package panels

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"
)

func TestProductsSayWhenTheyChanged(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var now []Product
	for i, step := range []struct {
		read []Product
		want map[string]int // seconds since the start; -1: not yet
	}{
		{[]Product{{SKU: "A", Stock: 3}, {SKU: "B"}}, map[string]int{"A": -1, "B": -1}},
		{[]Product{{SKU: "A", Stock: 2}, {SKU: "B"}}, map[string]int{"A": 1, "B": -1}},
		{[]Product{{SKU: "A", Stock: 2}, {SKU: "B", OnOrder: 9}}, map[string]int{"A": 1, "B": 2}},
		{[]Product{{SKU: "A", Stock: 2}, {SKU: "C"}, {SKU: "B", OnOrder: 9}}, map[string]int{"A": 1, "B": 2, "C": 3}},
	} {
		now = changed(now, step.read, i > 0, start.Add(time.Duration(i)*time.Second))
		for _, p := range now {
			want := time.Time{}
			if s := step.want[p.SKU]; s >= 0 {
				want = start.Add(time.Duration(s) * time.Second)
			}
			if !p.Changed.Equal(want) {
				t.Errorf("read %d: %s changed at %v, want %v", i, p.SKU, p.Changed, want)
			}
		}
	}
}

// A page that gets a whole state forgets the plots of the run before, also before the first read.
// An update has no series: the page keeps its own.
func TestAWholeStateHasASeries(t *testing.T) {
	t.Parallel()
	p := newStock(slog.New(slog.DiscardHandler))
	for full, want := range map[bool]string{true: `{"products":[],"series":[]}`, false: `{"products":[]}`} {
		if got, err := json.Marshal(p.state(full)); err != nil || string(got) != want {
			t.Errorf("full %t: got %s, %v; want %s", full, got, err, want)
		}
	}
}

// The database stops before the console does. The console must not report this as a failure.
func TestReleasingTheDatabaseClosesTheConnectionWithoutAWarning(t *testing.T) {
	database, err := net.Listen("tcp", "127.0.0.1:0") // a server that never answers
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	var logged strings.Builder
	p := newStock(slog.New(slog.NewTextHandler(&logged, nil)))
	if err := p.watch(t.Context(), "root@tcp("+database.Addr().String()+")/restock"); err != nil {
		t.Fatal(err)
	}
	conn, err := database.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p.end()
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("reading from the console: %v, want that the console has closed the connection", err)
	}
	p.running.Wait()
	if logged.Len() > 0 {
		t.Errorf("the panel logs %s, want nothing", logged.String())
	}
}
