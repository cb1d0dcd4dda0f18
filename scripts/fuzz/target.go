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

// A result is the outcome of a target's run.
type result struct {
	importPath, target string
	took               time.Duration
	output             string
	err                error
}

// fuzz runs a target for the fuzzer's time. It begins with the seed corpus and the cache.
func (f fuzzer) fuzz(ctx context.Context, t testBinary, target, cache string) result {
	run := exec.CommandContext(ctx, t.path,
		"-test.run=^$", "-test.fuzz=^"+target+"$",
		"-test.fuzzcachedir="+filepath.Join(cache, filepath.FromSlash(t.importPath)),
		"-test.fuzzminimizetime=1000x", // the default, a minute for each new input, would stop the search meanwhile
		"-test.parallel=1")
	run.Dir = t.dir
	// Until Go 1.27, a target whose -fuzztime ends fails now and then: https://go.dev/issue/75804.
	// An interrupt ends it without an error.
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = time.Minute
	written := &transcript{atFirstInput: func() {
		time.AfterFunc(f.time, func() { _ = run.Cancel() }) // it fails if the target has ended already
	}}
	run.Stdout, run.Stderr = written, written
	start := time.Now()
	err := run.Run()
	return result{t.importPath, target, time.Since(start), written.text.String(), err}
}

// A transcript records the output of a target. It calls atFirstInput when the target receives its
// first input: an earlier interrupt would kill the target.
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

// progress matches the lines that testing prints while a target runs. The last one has the number
// of inputs.
var progress = regexp.MustCompile(`(?m)^fuzz: elapsed: .*\n`)

var executions = regexp.MustCompile(`execs: (\d+)`)

// failingInput matches the lines in which testing names a failing input: a new one, or one of the
// seed corpus.
var failingInput = regexp.MustCompile(
	`(?:Failing input written to testdata/fuzz/|failure while testing seed corpus entry: )(\S+)`)

// String returns one line for a target that passed. For a failure it returns the target's output
// and the command that runs the failing input again.
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

// A printer prints results as they arrive, and counts them.
type printer struct {
	mu            sync.Mutex // guards the other fields
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

// verdict returns an error that names the failed targets, or an error if no target ran.
func (p *printer) verdict() error {
	switch {
	case len(p.failedTargets) > 0:
		return fmt.Errorf("%d targets failed: %s", len(p.failedTargets), strings.Join(p.failedTargets, ", "))
	case p.passed == 0:
		return fmt.Errorf("no target ran")
	}
	return nil
}
