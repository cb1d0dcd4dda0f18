// Package local runs the whole stack of a Pulumi program in a Go test.
package local

import (
	"bytes"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"restock/local/run"
)

// A Stack is a running stack. A test calls its Endpoints, invokes its functions, and asks what the
// declared policies have allowed (Usage) and denied.
type Stack struct {
	*run.Run

	mu     sync.Mutex // guards the following fields
	log    bytes.Buffer
	denied []string
}

// Start starts a stack on free ports, and stops it at the end of the test. dir is the module's root
// of a program that is compiled into the test, and the program's folder for run.External. edit, if
// it is not nil, changes the run's configuration.
func Start(tb testing.TB, p run.Program, dir string, edit func(*run.Config)) *Stack {
	tb.Helper()
	s := &Stack{}
	c := run.DefaultConfig(p, dir)
	c.API, c.AWS, c.BuildDir = "127.0.0.1:0", "127.0.0.1:0", tb.TempDir()
	c.Log = slog.New(slog.NewTextHandler(s, nil))
	c.Refused = func(line string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.denied = append(s.denied, line)
	}
	if edit != nil {
		edit(&c)
	}
	r, err := run.Start(tb.Context(), c)
	if err != nil {
		tb.Fatalf("starting the stack: %v\n%s", err, s.Log())
	}
	s.Run = r
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Errorf("stopping the stack: %v", err)
		}
	})
	return s
}

// Denied returns the calls that the run has refused, a line for each: the call, what is missing,
// and where it belongs.
func (s *Stack) Denied() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.denied)
}

// Log returns the log of the run so far.
func (s *Stack) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// Write adds to the log. It is for the stack's logger.
func (s *Stack) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(text)
}
