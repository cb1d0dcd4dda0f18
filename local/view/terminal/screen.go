package terminal

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"restock/local/view/events"
)

// A screen is where lines are shown. On a terminal, below them, one line says what is being done; it is written over until that has ended.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	width func() int   // of the terminal, in columns; nil where it is none
	line  bytes.Buffer // what is to be shown next

	repeats repeats

	steps    []step // that are being done, in the order of their beginning
	begun    time.Time
	shown    bool          // the last line says what is being done
	spinning chan struct{} // closed when nothing is being done any more; nil then
}

// A step is being done. No two of a kind are at the same time.
type step struct {
	kind events.Kind
	text string
}

const (
	clearLine = "\r\x1b[K" // to the beginning of the line, and erase to its end
	// redrawInterval is fast enough for tenths of a second to be seen.
	redrawInterval = 100 * time.Millisecond
)

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// flush shows what was written to the line. The caller holds the lock, as for all that follows.
func (s *screen) flush() error {
	text := s.line.String()
	s.line.Reset()
	_, err := io.WriteString(s.out, s.cleared()+text+s.progress())
	return err
}

// begin shows that a step is being done.
func (s *screen) begin(kind events.Kind, text string) {
	if len(s.steps) == 0 {
		s.begun = time.Now()
	}
	s.steps = append(s.steps, step{kind, text})
	if s.width != nil && s.spinning == nil {
		s.spinning = make(chan struct{})
		go s.spin(s.spinning)
	}
}

// end shows that a step is done no more.
func (s *screen) end(kind events.Kind) {
	if i := slices.IndexFunc(s.steps, func(s step) bool { return s.kind == kind }); i >= 0 {
		s.steps = slices.Delete(s.steps, i, i+1)
	}
	if len(s.steps) == 0 && s.spinning != nil {
		close(s.spinning)
		s.spinning = nil
	}
}

func (s *screen) spin(ended <-chan struct{}) {
	tick := time.NewTicker(redrawInterval)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			s.mu.Lock()
			_ = s.flush() // a terminal that is gone is the logger's to find out
			s.mu.Unlock()
		}
	}
}

// cleared removes the line of what is being done.
func (s *screen) cleared() string {
	if !s.shown {
		return ""
	}
	s.shown = false
	return clearLine
}

// progress is the line of what is being done, which has no end yet.
func (s *screen) progress() string {
	if s.width == nil || len(s.steps) == 0 {
		return ""
	}
	s.shown = true
	took := time.Since(s.begun)
	turn := spinner[int(took/redrawInterval)%len(spinner)]
	var steps []string
	for _, step := range s.steps {
		steps = append(steps, step.text)
	}
	text := []rune(fmt.Sprintf("%c %4.1f s  %s", turn, took.Seconds(), strings.Join(steps, ", ")))
	return string(text[:min(len(text), max(s.width()-1, 0))]) // a line that wraps could not be erased
}
