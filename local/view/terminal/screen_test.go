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

// A tape keeps what is written. Many may write to it.
type tape struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *tape) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// take is what was written since it was last taken.
func (t *tape) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text.String()
	t.text.Reset()
	return text
}

func terminalOf(out *tape, width int) *slog.Logger {
	return slog.New(newCalm(&screen{out: out, width: func() int { return width }}, slog.LevelInfo, false))
}

func TestTheLastLineOfATerminalSaysWhatIsBeingDone(t *testing.T) {
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
		expect("one is done", clearLine+now()+" INF building the functions: done took=100ms\n⠙  0.1 s  starting MariaDB")
		database.Told()
		expect("the other ends", clearLine)
		time.Sleep(time.Minute)
		expect("nothing is being done", "")

		progress.Begin(log, events.Building, "again").Done()
		expect("again", "⠋  0.0 s  again"+clearLine+now()+" INF again: done took=0s\n")
	}) // which fails if a goroutine is left
}

func TestTheLineOfATerminalDoesNotWrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out tape
		step := progress.Begin(terminalOf(&out, 20), events.Building, "building the functions")
		if got, want := out.take(), "⠋  0.0 s  building "; got != want {
			t.Errorf("got %q, want %q, one column less than there are", got, want)
		}
		step.Told()
	})
}

func TestWhereThereIsNoTerminalStepsArePlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out tape
		log := slog.New(newCalm(&screen{out: &out}, slog.LevelInfo, false))
		began := time.Now()
		step := progress.Begin(log, events.Building, "building the functions", slog.String("functions", "stock sweep"))
		time.Sleep(1500 * time.Millisecond)
		step.Done()
		progress.Begin(log, events.DatabaseStarting, "starting MariaDB").Told()
		want := began.Format(time.TimeOnly) + " INF building the functions functions=\"stock sweep\"\n" +
			time.Now().Format(time.TimeOnly) + " INF building the functions: done functions=\"stock sweep\" took=1.5s\n" +
			time.Now().Format(time.TimeOnly) + " INF starting MariaDB\n"
		if got := out.take(); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	})
}

func TestLinesOfManyAreNotMixed(t *testing.T) {
	var out tape
	log := slog.New(newCalm(&screen{out: &out}, slog.LevelInfo, false))
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
