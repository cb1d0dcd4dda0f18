package replay

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A Run is a local run of a project.
type Run struct {
	API, AWS string // the addresses of its HTTP API and its AWS endpoint

	printed transcript
	ended   chan struct{}
}

// A transcript is what a process has printed.
type transcript struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed by the next write
}

func (t *transcript) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.changed)
	t.changed = make(chan struct{})
	return t.text.Write(text)
}

func (t *transcript) read() (text string, changed <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String(), t.changed
}

// Start starts a local run of the project with flags, and waits until it is ready. The end of the
// test ends the run.
func (p *Project) Start(t *testing.T, flags ...string) *Run {
	t.Helper()
	program, ready := filepath.Join(p.Dir, ".build", "local"), filepath.Join(t.TempDir(), "ready")
	if lines, err := p.Run(t.Context(), "go build -o .build/local ./cmd/local"); err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
	}
	r := &Run{printed: transcript{changed: make(chan struct{})}, ended: make(chan struct{})}
	run := exec.Command(program, append(flags, "-api", "127.0.0.1:0", "-aws", "127.0.0.1:0", "-factory", "127.0.0.1:0",
		"-console", "", "-watch=false", "-ready", ready)...)
	run.Dir, run.Stdout, run.Stderr = p.Dir, &r.printed, &r.printed
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	var failed error
	go func() {
		failed = run.Wait()
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM) // it may have ended
		if <-r.ended; failed != nil {
			text, _ := r.printed.read()
			t.Errorf("the local run: %v\n%s", failed, text)
		}
	})
	if err := r.WaitForLine("…Ctrl-C…"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(ready)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, r); err != nil {
		t.Fatalf("the ready file is %s: %v", text, err)
	}
	return r
}

// WaitForLine waits until the run has printed a line like want, by [HasLine].
func (r *Run) WaitForLine(want string) error {
	for {
		text, changed := r.printed.read()
		if HasLine(want, strings.Split(text, "\n")) {
			return nil
		}
		select {
		case <-changed:
		case <-r.ended:
			return fmt.Errorf("the local run ended, and did not print %s\n%s", want, text)
		}
	}
}
