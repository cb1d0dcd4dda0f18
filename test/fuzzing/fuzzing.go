// Package fuzzing lets a package's tests send random inputs to its fuzz targets. go test alone
// sends only the seeds.
package fuzzing

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

// inputs is the number of random inputs of each target.
const inputs = 1000

// Targets sends random inputs to each fuzz target of the test's package, without the guidance of
// coverage. The test binary runs itself, so nothing is built. A failing input is written to
// testdata/fuzz of the package. make fuzz sends more inputs, with guidance.
func Targets(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: fuzz targets get only their seeds")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	list, err := output(t.Context(), self, "-test.list=^Fuzz")
	if err != nil {
		t.Fatalf("listing the fuzz targets: %v", err)
	}
	targets := strings.Fields(list)
	if len(targets) == 0 {
		t.Fatal("the package has no fuzz target")
	}
	cache, err := cacheDir(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		t.Run(target, func(t *testing.T) {
			out, err := output(t.Context(), self, "-test.run=^$", "-test.fuzz=^"+target+"$", "-test.parallel=1",
				fmt.Sprintf("-test.fuzztime=%dx", inputs), "-test.fuzzminimizetime=1000x", "-test.fuzzcachedir="+cache)
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// cacheDir returns the folder in which go test -fuzz keeps the inputs of the running test binary.
// They come before the random ones.
func cacheDir(ctx context.Context) (string, error) {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "", fmt.Errorf("the test binary does not say of which package it is")
	}
	cache, err := output(ctx, "go", "env", "GOCACHE")
	if err != nil {
		return "", fmt.Errorf("finding Go's build cache: %w\n%s", err, cache)
	}
	of := filepath.FromSlash(strings.TrimSuffix(build.Path, ".test"))
	return filepath.Join(strings.TrimSpace(cache), "fuzz", of), nil
}

// output runs a program and returns its output, which includes its standard error if it fails.
func output(ctx context.Context, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput() // #nosec G204 -- this test, or go
	return string(out), err
}
