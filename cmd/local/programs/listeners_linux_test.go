package programs_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"restock/infra/graph"
)

// listening returns the addresses on which this process listens by TCP. The kernel lists them:
// https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
func listening(t *testing.T) (addresses []string) {
	t.Helper()
	open := map[string]bool{} // inodes of this process's sockets
	descriptors, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range descriptors {
		target, err := os.Readlink(path)
		if err != nil {
			continue // the file has been closed
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			open[strings.TrimSuffix(inode, "]")] = true
		}
	}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			const listen = "0A"
			fields := strings.Fields(line)
			if len(fields) < 10 || fields[3] != listen || !open[fields[9]] {
				continue
			}
			address, port, _ := strings.Cut(fields[1], ":")
			number, err := hex.DecodeString(port)
			if err != nil || len(number) != 2 {
				t.Fatalf("%s: the port of %q does not parse", table, line)
			}
			if address != "0100007F" { // 127.0.0.1, in the order of a little-endian machine
				t.Errorf("%s: the run listens on %s, which is not 127.0.0.1", table, fields[1])
			}
			addresses = append(addresses, fmt.Sprintf("http://127.0.0.1:%d", int(number[0])<<8|int(number[1])))
		}
	}
	return addresses
}

// The test is not parallel, because it looks at every listener of its process.
func TestEveryListenerOfARunRefusesOtherSites(t *testing.T) {
	const partner = "https://partner.example"
	c := config(t)
	c.Console = "127.0.0.1:0"
	c.Edit = func(g *graph.Graph) {
		for _, api := range g.OfType(graph.API) {
			api.Outputs["corsConfiguration"] = map[string]any{"allowOrigins": []any{partner}}
		}
	}
	s := start(t, c)
	addresses := listening(t)
	for _, known := range []string{s.API, s.AWS, s.Endpoints.Factory, s.Console} {
		if !slices.Contains(addresses, known) {
			t.Fatalf("the process listens on %v, want %s among them", addresses, known)
		}
	}
	answering := 0
	for _, address := range addresses {
		for _, request := range []struct {
			what, text string
			want       string // in the answer
		}{
			{"a foreign name for this address", "GET / HTTP/1.1\r\nHost: evil.example\r\n", "is not this machine"},
			{"a page of such a name", "POST / HTTP/1.1\r\nHost: evil.example\r\n" +
				"Origin: http://evil.example\r\nSec-Fetch-Site: same-origin\r\n", "is not this machine"},
			{"a page of another site", "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
				"Origin: http://evil.example\r\n", "from another site"},
			{"a page of another site, in a new browser", "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
				"Content-Type: text/plain\r\nSec-Fetch-Site: cross-site\r\n", "from another site"},
		} {
			status, body := send(t, address, request.text)
			if status == 0 {
				continue // a black hole: it never answers
			}
			answering++
			if status != http.StatusForbidden || !strings.Contains(body, request.want) {
				t.Errorf("%s, %s: got %d %s, want 403 …%s…", address, request.what, status, body, request.want)
			}
		}
	}
	// The fifth listener, which the endpoints do not name, is Lambda's Runtime API.
	if want := 5 * 4; answering < want {
		t.Errorf("got %d answers of the listeners %v, want %d or more", answering, addresses, want)
	}
	for _, address := range []string{s.API, s.AWS, s.Endpoints.Factory, s.Console} {
		status, body := send(t, address, "POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: "+partner+"\r\n")
		if refused, api := strings.Contains(body, "from another site"), address == s.API; refused == api {
			t.Errorf("%s, a page of corsOrigins: got %d %s, want that only the API accepts it", address, status, body)
		}
	}
}

// send sends the head of a request and returns the answer, or status 0 for none. It closes its side
// of the connection: then a listener that never answers closes the other side.
func send(t *testing.T, address, head string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, head+"Content-Length: 0\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
