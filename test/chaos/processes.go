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
	"restock/local/view/events"
)

// processes are the processes of the functions. It is a handler of the log in which their host
// reports each new process.
type processes struct {
	buildDir string

	mu   sync.Mutex
	pids []int
}

func newProcesses(project string) (*processes, error) {
	// /proc has absolute paths of executables without symbolic links.
	project, err := filepath.Abs(project)
	if err == nil {
		project, err = filepath.EvalSymlinks(project)
	}
	if err != nil {
		return nil, fmt.Errorf("finding where functions are built: %w", err)
	}
	return &processes{buildDir: filepath.Join(project, run.BuildDir) + string(filepath.Separator)}, nil
}

// kill kills a random running process of a function.
func (p *processes) kill(r *rand.Rand) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.pids) > 0 {
		i := r.IntN(len(p.pids))
		pid := p.pids[i]
		p.pids = append(p.pids[:i], p.pids[i+1:]...)
		// The system may have given the id to another process.
		executable, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err != nil || !strings.HasPrefix(executable, p.buildDir) {
			continue
		}
		return syscall.Kill(pid, syscall.SIGKILL)
	}
	return errors.New("no function runs")
}

func (p *processes) Enabled(context.Context, slog.Level) bool { return true }
func (p *processes) WithGroup(string) slog.Handler            { return p }
func (p *processes) WithAttrs([]slog.Attr) slog.Handler       { return p }

func (p *processes) Handle(_ context.Context, r slog.Record) error {
	if events.KindOf(r) != events.InstanceStarted {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "pid" {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.pids = append(p.pids, int(a.Value.Int64()))
		}
		return true
	})
	return nil
}
