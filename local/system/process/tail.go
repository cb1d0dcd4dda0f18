package process

import "sync"

// Tail keeps the last lines of an output, for the error message that needs
// them. It may be used from several goroutines.
type Tail struct {
	mu    sync.Mutex
	max   int
	lines []string
}

// NewTail returns a Tail that keeps at most n lines.
func NewTail(n int) *Tail { return &Tail{max: n} }

// Add appends a line and forgets the oldest one if there are too many.
func (t *Tail) Add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == t.max {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

// Lines returns a copy of the lines that are kept, oldest first.
func (t *Tail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}
