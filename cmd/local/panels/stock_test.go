package panels

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
)

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
