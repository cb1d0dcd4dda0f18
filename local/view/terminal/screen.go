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

// A screen shows lines. On a terminal, the line below them shows the running steps. The screen
// redraws it in place until the steps have ended.
type screen struct {
	mu    sync.Mutex
	out   io.Writer
	width func() int   // of the terminal, in columns; nil if out is no terminal
	line  bytes.Buffer // text to show with the next flush

	repeats repeats

	steps    []step        // the running ones, oldest first
	begun    time.Time     // when the first of them began
	shown    bool          // whether the last line shows the steps
	spinning chan struct{} // closed when the last step ends; nil while no step is running
}

// A step is running. At most one step of a kind runs at a time.
type step struct {
	kind events.Kind
	text string
}

const (
	clearLine = "\r\x1b[K" // moves to the beginning of the line and erases it
	// redrawInterval is short enough to show tenths of a second.
	redrawInterval = 100 * time.Millisecond
)

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

// flush shows the text in s.line. The caller of this and of the following methods holds the lock.
func (s *screen) flush() error {
	text := s.line.String()
	s.line.Reset()
	_, err := io.WriteString(s.out, s.cleared()+text+s.progress())
	return err
}

// begin adds a running step.
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

// end removes a step.
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
			_ = s.flush() // the next logged event returns the error
			s.mu.Unlock()
		}
	}
}

// cleared returns the text that erases the line of steps.
func (s *screen) cleared() string {
	if !s.shown {
		return ""
	}
	s.shown = false
	return clearLine
}

// progress returns the line of steps, without a line feed, so that cleared can erase it.
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
	return string(text[:min(len(text), max(s.width()-1, 0))]) // cleared cannot erase a wrapped line
}
