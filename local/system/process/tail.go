package process

import "sync"

// Tail keeps the last lines of an output for an error message. It is safe for concurrent use.
type Tail struct {
	mu    sync.Mutex
	max   int
	lines []string
}

// NewTail returns a Tail that keeps at most n lines.
func NewTail(n int) *Tail { return &Tail{max: n} }

// Add appends a line. It drops the oldest line if there are too many.
func (t *Tail) Add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == t.max {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

// Lines returns a copy of the kept lines, the oldest first.
func (t *Tail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}
