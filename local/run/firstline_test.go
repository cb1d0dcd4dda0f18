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
	runs := make(chan struct{})
	for name, c := range map[string]struct {
		ctx   context.Context
		first chan string
		p     stubProcess
		line  string
		err   string // a part of it
	}{
		"ready":         {t.Context(), printed, stubProcess{runs, nil}, "http://127.0.0.1:1", ""},
		"it failed":     {t.Context(), nil, stubProcess{ended, errors.New("status 2")}, "", "ready: status 2"},
		"it just ended": {t.Context(), nil, stubProcess{ended, nil}, "", "ready: exit status 0"},
		"the run's end": {stopped, nil, stubProcess{runs, nil}, "", "context canceled"},
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
