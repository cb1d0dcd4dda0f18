package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"restock/local/run"
)

// processes are those of the functions, as their host tells of them in its log.
type processes struct {
	buildDir string

	known *known
}

type known struct {
	mu   sync.Mutex
	pids []int
}

func newProcesses(project string) (*processes, error) {
	// As the system names an executable: absolute, and without symbolic links.
	project, err := filepath.Abs(project)
	if err == nil {
		project, err = filepath.EvalSymlinks(project)
	}
	if err != nil {
		return nil, fmt.Errorf("finding where functions are built: %w", err)
	}
	return &processes{buildDir: filepath.Join(project, run.BuildDir) + string(filepath.Separator), known: &known{}}, nil
}

// kill kills one that lives.
func (p *processes) kill(r *rand.Rand) error {
	p.known.mu.Lock()
	defer p.known.mu.Unlock()
	for len(p.known.pids) > 0 {
		i := r.IntN(len(p.known.pids))
		pid := p.known.pids[i]
		p.known.pids = append(p.known.pids[:i], p.known.pids[i+1:]...)
		// A number may belong to another process by now.
		executable, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err != nil || !strings.HasPrefix(executable, p.buildDir) {
			continue
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return errors.New("no function runs")
}

// processes is a handler of the run's log.

func (p *processes) Enabled(context.Context, slog.Level) bool { return true }
func (p *processes) WithGroup(string) slog.Handler            { return p }
func (p *processes) WithAttrs([]slog.Attr) slog.Handler       { return p }

func (p *processes) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "instance started" {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "pid" {
			p.known.mu.Lock()
			defer p.known.mu.Unlock()
			p.known.pids = append(p.known.pids, int(a.Value.Int64()))
		}
		return true
	})
	return nil
}
