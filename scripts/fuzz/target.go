package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A result is what became of a target.
type result struct {
	importPath, target string
	took               time.Duration
	output             string
	err                error
}

// fuzz runs a target for the fuzzer's inputs or time, from what is in its seed corpus and in the cache.
func (f fuzzer) fuzz(ctx context.Context, t testBinary, target, cache string) result {
	run := exec.CommandContext(ctx, t.path,
		"-test.run=^$", "-test.fuzz=^"+target+"$",
		"-test.fuzzcachedir="+filepath.Join(cache, filepath.FromSlash(t.importPath)),
		"-test.fuzzminimizetime=1000x", // by default a minute for each input that covers something new, in which no others are tried
		"-test.parallel=1")
	if f.inputs > 0 {
		run.Args = append(run.Args, fmt.Sprintf("-test.fuzztime=%dx", f.inputs))
	}
	run.Dir = t.dir
	// Before Go 1.27 a target whose -fuzztime ends now and then fails of that: https://go.dev/issue/75804. An interrupt ends it well.
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = time.Minute
	written := &transcript{atFirstInput: func() {
		if f.inputs == 0 {
			time.AfterFunc(f.time, func() { _ = run.Cancel() }) // which fails where the target has ended already
		}
	}}
	run.Stdout, run.Stderr = written, written
	start := time.Now()
	err := run.Run()
	return result{t.importPath, target, time.Since(start), written.text.String(), err}
}

// A transcript is what a target writes. It calls atFirstInput when the target begins to be given inputs: until then, an interrupt would
// kill it.
type transcript struct {
	text         strings.Builder
	atFirstInput func()
	begun        bool
}

func (t *transcript) Write(text []byte) (int, error) {
	if !t.begun && bytes.Contains(text, []byte("fuzz: elapsed:")) {
		t.begun = true
		t.atFirstInput()
	}
	return t.text.Write(text)
}

// progress are the lines that testing prints while a target runs; the last one says how many inputs it had.
var progress = regexp.MustCompile(`(?m)^(?:fuzz: elapsed: .*|warning: the test binary was not built with coverage.*)\n`)

var executions = regexp.MustCompile(`execs: (\d+)`)

// failingInput is how testing names an input that fails: one that it has found, or one of the seed corpus.
var failingInput = regexp.MustCompile(`(?:Failing input written to testdata/fuzz/|failure while testing seed corpus entry: )(\S+)`)

// String is a line for a target that passed; else all that it wrote, and how to play what fails again.
func (r result) String() string {
	if r.err == nil {
		inputs := "0"
		if all := executions.FindAllStringSubmatch(r.output, -1); all != nil {
			inputs = all[len(all)-1][1]
		}
		return fmt.Sprintf("ok    %s %s: %s inputs in %.1fs\n", r.importPath, r.target, inputs, r.took.Seconds())
	}
	text := fmt.Sprintf("FAIL  %s %s: %v\n%s", r.importPath, r.target, r.err, progress.ReplaceAllString(r.output, ""))
	again := r.target
	if input := failingInput.FindStringSubmatch(r.output); input != nil {
		again = input[1]
	}
	name, entry, one := strings.Cut(again, "/")
	again = "^" + name + "$"
	if one {
		again += "/^" + regexp.QuoteMeta(entry) + "$"
	}
	return text + fmt.Sprintf("\nplay it again: go test %s -run='%s'\n", r.importPath, again)
}

// A printer prints results as they come, and counts them.
type printer struct {
	mu            sync.Mutex // guards all
	out           io.Writer
	passed        int
	failedTargets []string
}

func (p *printer) print(r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprint(p.out, r)
	if r.err == nil {
		p.passed++
	} else {
		p.failedTargets = append(p.failedTargets, r.importPath+" "+r.target)
	}
}

// verdict is an error that names the targets that failed; that none ran is one, too.
func (p *printer) verdict() error {
	switch {
	case len(p.failedTargets) > 0:
		return fmt.Errorf("%d targets failed: %s", len(p.failedTargets), strings.Join(p.failedTargets, ", "))
	case p.passed == 0:
		return fmt.Errorf("no target ran")
	}
	return nil
}
