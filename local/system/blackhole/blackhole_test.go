package blackhole_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"restock/local/system/blackhole"
	"restock/test/await"
)

func TestNothingComesBackUntilTheHoleIsClosed(t *testing.T) {
	fallen := make(chan struct{}, 1)
	hole, err := blackhole.Listen(func() { fallen <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	if !hole.Addr().IP.IsLoopback() {
		t.Errorf("it listens on %v, want loopback", hole.Addr())
	}
	conn, err := net.Dial("tcp", hole.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	<-fallen
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, %v; want to wait in vain", n, err)
	}
	if err := hole.Close(); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection outlives the hole")
	}
	if _, err := net.Dial("tcp", hole.Addr().String()); err == nil {
		t.Error("the hole still takes connections")
	}
}

func TestConnectionThatIsGivenUpIsForgotten(t *testing.T) {
	fallen := make(chan struct{}, 1)
	hole, err := blackhole.Listen(func() { fallen <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hole.Close() })
	conn, err := net.Dial("tcp", hole.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	<-fallen
	// This is more than the system's buffers hold, so the hole must read it.
	if err := conn.SetWriteDeadline(time.Now().Add(await.Limit)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(make([]byte, 32<<20)); err != nil {
		t.Errorf("writing 32 MiB: %v", err)
	}
	conn.Close()
	await.Until(t, "the hole drops the connection that its peer closed", func() bool { return hole.Held() == 0 })
}
