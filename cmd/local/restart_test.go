package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"restock/lambdas"
	"restock/local/run"
	"restock/local/view/events"
	"restock/test/module"
)

const (
	messaging  = "infra/stack/messaging.go"
	visibility = "seconds(visibilityTimeouts * f.Timeout)"
)

var visibilityChange = regexp.MustCompile(`^~ aws:sqs/queue:Queue .*: visibilityTimeoutSeconds `)

func TestARunRestartsWhenItsProgramChanges(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	src := module.Copy(t, "../..", "edited")
	file := filepath.Join(tmp, "ready.json")
	p := startProgram(t, src.Dir, append(idleFactory, "-watch", "-aws-tls", "127.0.0.1:0", "-ready", file)...)
	ready, at := p.await(t, 0, events.Ready)
	e := endpoints(t, file)
	left := buy(t, e.API)
	callOverTLS(t, e)
	staysUp := func(t *testing.T) {
		t.Helper()
		if now := onSale(t, ready.text("api")).Stock; now != left {
			t.Errorf("%d are left, want %d as before", now, left)
		}
	}

	t.Run("a program that does not build is reported, and the run continues", func(t *testing.T) {
		src.Edit(t, messaging, visibility, "undefined")
		var failed event
		failed, at = p.await(t, at, events.UpdateFailed)
		if !strings.Contains(failed.text("error"), messaging) || failed.text("functions") != "the program" ||
			failed["took_ms"] == nil {
			t.Errorf("got %v, want the compiler's error for %s", failed, messaging)
		}
		staysUp(t)
	})
	t.Run("a program that breaks a rule is reported, and the run continues", func(t *testing.T) {
		src.Edit(t, messaging, "undefined", "seconds(f.Timeout)")
		var failed event
		failed, at = p.await(t, at, events.UpdateFailed)
		if !strings.Contains(failed.text("error"), "visibility-timeout: aws:sqs/queue:Queue") {
			t.Errorf("got %v, want an error that names the rule", failed)
		}
		staysUp(t)
	})
	src.Keep(t) // the functions are unedited, and the next run of this test builds this command first
	t.Run("an edit that does not change the stack does not restart the run", func(t *testing.T) {
		src.Edit(t, messaging, "seconds(f.Timeout)", visibility+" /* as before */")
		_, at = p.await(t, at, events.UpdateRecovered)
		staysUp(t)
	})
	t.Run("a changed stack is reported, and runs at the same addresses with the same data", func(t *testing.T) {
		saved := time.Now()
		src.Edit(t, messaging, visibility, "seconds(2 * visibilityTimeouts * f.Timeout)")
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
		now := endpoints(t, file)
		if now.AWSTLS != e.AWSTLS {
			t.Errorf("AWS over HTTPS is at %s, want %s as before", now.AWSTLS, e.AWSTLS)
		}
		callOverTLS(t, now)
		staysUp(t)
	})
	t.Run("the successor reloads its sources too", func(t *testing.T) {
		src.Edit(t, "lambdas/stock/main.go", "func main", "func init() { println(\"new\") }\n\nfunc main")
		_, at = p.await(t, at, events.FunctionsReplaced)
	})
	staysUp(t) // sales-api has an instance now
	processes := children(t, p.Process.Pid)
	if len(processes) < 2 {
		t.Errorf("the run has the children %v, want the database and functions", processes)
	}
	p.interrupt(t)
	for _, pid := range processes {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d still runs", pid)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the ready file still exists: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(tmp, "restock-*")); err != nil || len(left) > 0 {
		t.Errorf("the run left the temporary folders %q (%v)", left, err)
	}
}

// endpoints returns the endpoints in a ready file.
func endpoints(t *testing.T, ready string) (e run.Endpoints) {
	t.Helper()
	text, err := os.ReadFile(ready)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatalf("the ready file is %s: %v", text, err)
	}
	return e
}

// callOverTLS calls the AWS endpoint of a run over HTTPS, with the certificate that its ready file
// names.
func callOverTLS(t *testing.T, e run.Endpoints) {
	t.Helper()
	certificate, err := os.ReadFile(e.AWSBundle)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Get(e.AWSTLS)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(body), "secretsmanager, sns, sqs") {
		t.Errorf("GET %s: %s (%v), want the names of the services", e.AWSTLS, body, err)
	}
}
