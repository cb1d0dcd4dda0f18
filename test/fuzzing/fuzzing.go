// Package fuzzing lets a package's tests send random inputs to its fuzz targets. go test alone
// sends only the seeds.
package fuzzing

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const (
	// inputs is the number of inputs of each target: each seed once, the others random.
	inputs = 1000
	// mutated is the number of seeds, the first ones, from which the random inputs come. Without
	// coverage, Go divides the inputs by the number of its workers, and each worker mutates one
	// seed until it has had its share, or for 100 ms; then it takes the next one. So a target with
	// more seeds has some that are not mutated.
	mutated = 8
)

// grace is the time before the deadline of a test at which its targets end. An interrupted target
// needs two seconds to kill its workers, and more on a busy machine.
const grace = 30 * time.Second

// Targets sends random inputs to each fuzz target of the test's package, without the guidance of
// coverage. The test binary runs itself, so nothing is built. A failing input is written to
// testdata/fuzz of the package, where go test finds it. As go test caches results, an unchanged
// package gets no new inputs; make fuzz sends some, with guidance.
func Targets(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: fuzz targets get only their seeds")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if deadline, limited := t.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-grace))
		defer cancel()
	}
	list, err := output(ctx, self, "-test.list=^Fuzz")
	if err != nil {
		t.Fatalf("listing the fuzz targets: %v", err)
	}
	targets := strings.Fields(list)
	if len(targets) == 0 {
		t.Fatal("the package has no fuzz target")
	}
	for _, target := range targets {
		t.Run(target, func(t *testing.T) {
			if out, err := send(ctx, self, target, t.TempDir()); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// send sends inputs to a target and returns the output. The folder cache must be empty: then the
// inputs do not depend on earlier runs.
func send(ctx context.Context, self, target, cache string) (string, error) {
	return output(ctx, self, "-test.run=^$", "-test.fuzz=^"+target+"$", fmt.Sprintf("-test.fuzztime=%dx", inputs),
		fmt.Sprintf("-test.parallel=%d", mutated), "-test.fuzzminimizetime=1000x", "-test.fuzzcachedir="+cache)
}

// output runs a program and returns its output, which includes its standard error.
func output(ctx context.Context, program string, args ...string) (string, error) {
	run := exec.CommandContext(ctx, program, args...) // #nosec G204 -- this test
	// -test.timeout does not limit fuzzing. An interrupted target kills its workers soon.
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = grace - time.Second
	out, err := run.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("the target did not end: %w", context.Cause(ctx))
	}
	return string(out), err
}
