package main

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"restock/local/system/watch/watchtest"
	"restock/local/view/events"
)

const (
	messaging  = "infra/stack/messaging.go"
	visibility = "seconds(visibilityTimeouts * f.Timeout)"
)

func TestAChangedProgramIsToldOfAndRestartsInPlace(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	module := watchtest.Copy(t, "../..", "restart")
	p := startProgram(t, module.Dir, append(idleFactory, "-watch")...)
	ready, at := p.await(t, 0, events.Ready)
	left := buy(t, ready.text("api"))
	goesOn := func(t *testing.T) {
		t.Helper()
		if now := stock(t, ready.text("api")); now != left {
			t.Errorf("%d are left, want %d as before", now, left)
		}
	}

	t.Run("what does not build is told, and the one before goes on", func(t *testing.T) {
		module.Edit(t, messaging, visibility, "undefined")
		var failed event
		failed, at = p.await(t, at, events.UpdateFailed)
		if !strings.Contains(failed.text("error"), messaging) || failed.text("functions") != "the program" || failed["took_ms"] == nil {
			t.Errorf("got %v, want what the compiler says of %s", failed, messaging)
		}
		goesOn(t)
	})
	t.Run("what a rule refuses is told, and the one before goes on", func(t *testing.T) {
		module.Edit(t, messaging, "undefined", "seconds(f.Timeout)")
		var failed event
		failed, at = p.await(t, at, events.UpdateFailed)
		if !strings.Contains(failed.text("error"), "visibility-timeout: aws:sqs/queue:Queue") {
			t.Errorf("got %v, want the rule that refuses it", failed)
		}
		goesOn(t)
	})
	t.Run("what is declared as before is no change", func(t *testing.T) {
		module.Edit(t, messaging, "seconds(f.Timeout)", visibility+" /* as before */")
		_, at = p.await(t, at, events.UpdateRecovered)
	})
	t.Run("what is declared otherwise is told, and runs at the same place with the same data", func(t *testing.T) {
		saved := time.Now()
		module.Edit(t, messaging, visibility, "seconds(2 * visibilityTimeouts * f.Timeout)")
		var changed, again event
		changed, at = p.await(t, at, events.ProgramChanged)
		for line := range strings.Lines(changed.text("changes")) {
			if !strings.HasPrefix(line, "~ aws:sqs/queue:Queue ") || !strings.Contains(line, ": visibilityTimeoutSeconds ") {
				t.Errorf("got %q, want the visibility timeouts of queues alone", line)
			}
		}
		if lines := strings.Count(changed.text("changes"), "\n"); lines != 2 {
			t.Errorf("got %d changes, want those of two queues: %s", lines, changed.text("changes"))
		}
		again, at = p.await(t, at, events.Ready)
		t.Logf("a changed program was live after %v", time.Since(saved).Round(time.Millisecond))
		for _, key := range []string{"api", "aws", "factory", "console"} {
			if again.text(key) != ready.text(key) {
				t.Errorf("%s is %s, want %s as before", key, again.text(key), ready.text(key))
			}
		}
		goesOn(t)
	})
	t.Run("the successor follows its sources too", func(t *testing.T) {
		module.Edit(t, "lambdas/stock/main.go", "func main", "func init() { println(\"new\") }\n\nfunc main")
		_, at = p.await(t, at, events.FunctionsReplaced)
	})
	processes := children(t, p.Process.Pid)
	p.interrupt(t)
	for _, pid := range processes {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is left", pid)
		}
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "restock-*")); err != nil || len(left) > 0 {
		t.Errorf("these are left: %q (%v)", left, err)
	}
}
