package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Start starts a local run of the project, and returns the address of its HTTP API. It waits until
// the run is ready. The end of the test ends the run.
func (p Project) Start(t *testing.T) (api string) {
	t.Helper()
	folder := t.TempDir() // removed after the run has ended
	program, ready := filepath.Join(folder, "local"), filepath.Join(folder, "ready")
	if lines, err := p.Run(t.Context(), "go build -o '"+program+"' ./cmd/local"); err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
	}
	var stderr bytes.Buffer
	run := exec.Command(program, "-api", "127.0.0.1:0", "-aws", "127.0.0.1:0", "-factory", "127.0.0.1:0",
		"-console", "", "-watch=false", "-ready", ready)
	run.Dir, run.Stderr = p.Dir, &stderr
	stdout, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	wait := sync.OnceValue(run.Wait)
	t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := wait(); err != nil {
			t.Errorf("the local run: %v\n%s", err, &stderr)
		}
	})
	for lines := bufio.NewScanner(stdout); lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C"); {
	}
	text, err := os.ReadFile(ready)
	if err != nil {
		_ = wait() // stderr is complete then
		t.Fatalf("the local run did not start: %v\n%s", err, &stderr)
	}
	var endpoints struct{ API string }
	if err := json.Unmarshal(text, &endpoints); err != nil {
		t.Fatalf("the ready file is %s: %v", text, err)
	}
	return endpoints.API
}
