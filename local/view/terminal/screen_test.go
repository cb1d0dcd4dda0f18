package terminal

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"restock/local/view/events"
	"restock/local/view/progress"
)

// A tape keeps the text that is written to it. Many goroutines may write at a time.
type tape struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// take returns the text since the last call.
func (t *tape) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text.String()
	t.text.Reset()
	return text
}

func terminalOf(out *tape, width int) *slog.Logger {
	return slog.New(newCalm(&screen{out: out, width: func() int { return width }}, slog.LevelInfo, false, Program{}))
}

func TestTheLastLineOfATerminalShowsRunningSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out tape
		log := terminalOf(&out, 80)
		expect := func(when, want string) {
			t.Helper()
			synctest.Wait()
			if got := out.take(); got != want {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}
		now := func() string { return time.Now().Format(time.TimeOnly) }

		building := progress.Begin(log, events.Building, "building the functions")
		expect("at once", "⠋  0.0 s  building the functions")
		time.Sleep(redrawInterval)
		expect("a little later", clearLine+"⠙  0.1 s  building the functions")
		database := progress.Begin(log, events.DatabaseStarting, "starting MariaDB")
		expect("two at once", clearLine+"⠙  0.1 s  building the functions, starting MariaDB")
		log.Info("an event")
		expect("an event", clearLine+now()+" INF an event\n⠙  0.1 s  building the functions, starting MariaDB")
		building.Done()
		expect("one is done",
			clearLine+now()+" INF building the functions: done took=100ms\n⠙  0.1 s  starting MariaDB")
		database.Ended()
		expect("the other ends", clearLine)
		time.Sleep(time.Minute)
		expect("no step is running", "")

		progress.Begin(log, events.Building, "again").Done()
		expect("again", "⠋  0.0 s  again"+clearLine+now()+" INF again: done took=0s\n")
	}) // synctest fails the test if a goroutine is left
}

func TestTheLineOfATerminalDoesNotWrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out tape
		step := progress.Begin(terminalOf(&out, 20), events.Building, "building the functions")
		if got, want := out.take(), "⠋  0.0 s  building "; got != want {
			t.Errorf("got %q, want %q, one column less than the width", got, want)
		}
		step.Ended()
	})
}

func TestStepsArePlainLinesWithoutATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out tape
		log := slog.New(newCalm(&screen{out: &out}, slog.LevelInfo, false, Program{}))
		began := time.Now().Format(time.TimeOnly)
		step := progress.Begin(log, events.Building, "building the functions", slog.String("functions", "stock sweep"))
		time.Sleep(1500 * time.Millisecond)
		step.Done()
		progress.Begin(log, events.DatabaseStarting, "starting MariaDB").Ended()
		ended := time.Now().Format(time.TimeOnly)
		want := began + " INF building the functions functions=\"stock sweep\"\n" +
			ended + " INF building the functions: done functions=\"stock sweep\" took=1.5s\n" +
			ended + " INF starting MariaDB\n"
		if got := out.take(); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	})
}

func TestLinesOfManyGoroutinesAreNotMixed(t *testing.T) {
	var out tape
	log := slog.New(newCalm(&screen{out: &out}, slog.LevelInfo, false, Program{}))
	var many sync.WaitGroup
	for range 20 {
		many.Go(func() { log.Info("does not build", "error", "one\ntwo") })
	}
	many.Wait()
	lines := strings.Split(strings.TrimSpace(out.take()), "\n")
	for i, line := range lines {
		want := []string{"does not build", "    one", "    two"}[i%3]
		if len(lines) != 60 || !strings.HasSuffix(line, want) {
			t.Fatalf("line %d of %d is %q, want %q", i, len(lines), line, want)
		}
	}
}
