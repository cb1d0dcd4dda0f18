package main

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"restock/lambdas"
	"restock/local/system/watch/watchtest"
	"restock/local/view/events"
)

const (
	messaging  = "infra/stack/messaging.go"
	visibility = "seconds(visibilityTimeouts * f.Timeout)"
)

var visibilityChange = regexp.MustCompile(`^~ aws:sqs/queue:Queue .*: visibilityTimeoutSeconds `)

func TestARunRestartsWhenItsProgramChanges(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	module := watchtest.Copy(t, "../..", "restart")
	p := startProgram(t, module.Dir, append(idleFactory, "-watch")...)
	ready, at := p.await(t, 0, events.Ready)
	left := buy(t, ready.text("api"))
	staysUp := func(t *testing.T) {
		t.Helper()
		if now := stock(t, ready.text("api")); now != left {
			t.Errorf("%d are left, want %d as before", now, left)
		}
	}

	t.Run("a program that does not build is reported, and the run continues", func(t *testing.T) {
		module.Edit(t, messaging, visibility, "undefined")
		var failed event
		failed, at = p.await(t, at, events.UpdateFailed)
		if !strings.Contains(failed.text("error"), messaging) || failed.text("functions") != "the program" ||
			failed["took_ms"] == nil {
			t.Errorf("got %v, want the compiler's error for %s", failed, messaging)
		}
		staysUp(t)
	})
	t.Run("a program that breaks a rule is reported, and the run continues", func(t *testing.T) {
		module.Edit(t, messaging, "undefined", "seconds(f.Timeout)")
		var failed event
		failed, at = p.await(t, at, events.UpdateFailed)
		if !strings.Contains(failed.text("error"), "visibility-timeout: aws:sqs/queue:Queue") {
			t.Errorf("got %v, want an error that names the rule", failed)
		}
		staysUp(t)
	})
	t.Run("an edit that does not change the stack does not restart the run", func(t *testing.T) {
		module.Edit(t, messaging, "seconds(f.Timeout)", visibility+" /* as before */")
		_, at = p.await(t, at, events.UpdateRecovered)
	})
	t.Run("a changed stack is reported, and runs at the same addresses with the same data", func(t *testing.T) {
		saved := time.Now()
		module.Edit(t, messaging, visibility, "seconds(2 * visibilityTimeouts * f.Timeout)")
		var changed, again event
		changed, at = p.await(t, at, events.ProgramChanged)
		for line := range strings.Lines(changed.text("changes")) {
			if !visibilityChange.MatchString(line) {
				t.Errorf("got %q, want only changes of queues' visibility timeouts", line)
			}
		}
		queues := 0
		for _, f := range lambdas.All() {
			if f.Queue != "" {
				queues++
			}
		}
		if lines := strings.Count(changed.text("changes"), "\n"); lines != queues {
			t.Errorf("got %d changes, want one for each of the %d queues: %s", lines, queues, changed.text("changes"))
		}
		again, at = p.await(t, at, events.Ready)
		t.Logf("a changed program was live after %v", time.Since(saved).Round(time.Millisecond))
		for _, key := range []string{"api", "aws", "factory", "console"} {
			if again.text(key) != ready.text(key) {
				t.Errorf("%s is %s, want %s as before", key, again.text(key), ready.text(key))
			}
		}
		staysUp(t)
	})
	t.Run("the successor reloads its sources too", func(t *testing.T) {
		module.Edit(t, "lambdas/stock/main.go", "func main", "func init() { println(\"new\") }\n\nfunc main")
		_, at = p.await(t, at, events.FunctionsReplaced)
	})
	processes := children(t, p.Process.Pid)
	p.interrupt(t)
	for _, pid := range processes {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d still runs", pid)
		}
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "restock-*")); err != nil || len(left) > 0 {
		t.Errorf("the run left the temporary folders %q (%v)", left, err)
	}
}
