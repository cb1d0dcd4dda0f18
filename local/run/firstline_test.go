package run

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// A stubProcess has ended if done is closed.
type stubProcess struct {
	done chan struct{}
	err  error
}

func (p stubProcess) Done() <-chan struct{} { return p.done }
func (p stubProcess) Err() error            { return p.err }

func TestWaitingForAnEmulatorEndsWithItAndWithTheRun(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	printed := make(chan string, 1)
	printed <- "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		ctx   context.Context
		first chan string
		p     stubProcess
		line  string
		err   string // a part of it
	}{
		"ready":                  {t.Context(), printed, stubProcess{make(chan struct{}), nil}, "http://127.0.0.1:1", ""},
		"it failed":              {t.Context(), nil, stubProcess{ended, errors.New("exit status 2")}, "", "ready: exit status 2"},
		"it ended without error": {t.Context(), nil, stubProcess{ended, nil}, "", "ready: exit status 0"},
		"the run ended":          {stopped, nil, stubProcess{make(chan struct{}), nil}, "", "context canceled"},
	} {
		line, err := firstLine(c.ctx, c.first, c.p)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if line != c.line || !strings.Contains(text, c.err) || (c.err == "") != (err == nil) {
			t.Errorf("%s: got %q, %v; want %q and an error with %q", name, line, err, c.line, c.err)
		}
	}
}
