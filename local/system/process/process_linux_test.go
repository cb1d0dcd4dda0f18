package process_test

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"restock/test/await"
)

// Go never ends the main thread, even with a locked goroutine. So the main goroutine keeps it, and
// the tests run on other threads.
func init() { runtime.LockOSThread() }

func TestProcessDiesWithAParentThatIsKilled(t *testing.T) {
	parent, child := startParent(t)
	if gone(child) {
		t.Fatalf("child %d is gone already", child)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	waitGone(t, child)
}

func TestPeakMemoryIsKnown(t *testing.T) {
	c := start(t, "wait")
	c.line(t)
	if got := c.PeakMemory(); got < 100<<10 || got > 1<<30 {
		t.Errorf("got %d bytes, want something between 100 KiB and 1 GiB", got)
	}
	c.Kill()
	if got := c.PeakMemory(); got != 0 {
		t.Errorf("after the end: got %d, want 0", got)
	}
}

func TestProcessSurvivesTheThreadThatCalledStart(t *testing.T) {
	started := make(chan *child)
	var thread string
	go func() {
		// When a goroutine ends while it is locked, its thread ends too.
		runtime.LockOSThread()
		thread = fmt.Sprintf("/proc/self/task/%d", syscall.Gettid())
		started <- start(t, "wait")
	}()
	c := <-started
	c.line(t)
	await.Until(t, thread+" has ended", func() bool { _, err := os.Stat(thread); return err != nil })
	// If the end of the thread had killed the child, Stop would find no process.
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := endedBy(c); got != syscall.SIGTERM {
		t.Errorf("it ended by %v, want %v", got, syscall.SIGTERM)
	}
}
