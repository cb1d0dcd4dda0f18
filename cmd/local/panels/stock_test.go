package panels

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
)

// The database ends before the console does: the console must not take that for a failure.
func TestAConsoleThatLeavesHasNoConnectionAndNothingToComplainOf(t *testing.T) {
	database, err := net.Listen("tcp", "127.0.0.1:0") // one that never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	var said strings.Builder
	p := newStock(slog.New(slog.NewTextHandler(&said, nil)))
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
		t.Errorf("reading from the console: %v, want that it has closed the connection", err)
	}
	p.running.Wait() // nobody asks any more
	if said.Len() > 0 {
		t.Errorf("it says %s, want nothing", said.String())
	}
}
