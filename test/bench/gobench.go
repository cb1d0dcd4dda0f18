package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// goBench runs Go benchmarks of a package, and returns the values by the name of the benchmark
// (without "Benchmark") and by unit.
func (b *bench) goBench(
	ctx context.Context, pkg, pattern string, args ...string,
) (map[string]map[string]float64, error) {
	args = append([]string{"test", "-run=^$", "-bench=" + pattern, "-timeout=30m", pkg}, args...)
	run := exec.CommandContext(ctx, "go", args...)
	run.Dir = b.project
	var out, errs bytes.Buffer
	run.Stdout, run.Stderr = &out, &errs
	if err := run.Run(); err != nil {
		return nil, fmt.Errorf("go test -bench=%s %s: %w\n%s%s", pattern, pkg, err, out.String(), errs.String())
	}
	return parseBenchmarks(out.String())
}

// parseBenchmarks reads the format of https://go.dev/design/14313-benchmark-format: a name,
// iterations, then values with their units.
func parseBenchmarks(text string) (map[string]map[string]float64, error) {
	measured := map[string]map[string]float64{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndex(name, "-"); i > 0 {
			name = name[:i] // GOMAXPROCS
		}
		measured[name] = map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("reading the benchmark line %q: %w", strings.TrimSpace(line), err)
			}
			measured[name][fields[i+1]] = value
		}
	}
	if len(measured) == 0 {
		return nil, fmt.Errorf("the output has no results of benchmarks:\n%s", text)
	}
	return measured, nil
}
