// Command mutants makes mistakes in the project on purpose, one at a time, and runs the test that
// must notice each. It prints which test failed, how fast, and its message. A mistake that no test
// notices survives: then a test is missing.
//
// The mistakes never touch the work tree: go test builds with the flag -overlay.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	names := flag.String("run", "", "make only the mutants with a name that this regular expression matches")
	parallel := flag.Int("parallel", 2, "how many mutants to make at once")
	asJSON := flag.Bool("json", false, "print each result as a line of JSON, and no table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	matches, err := regexp.Compile(*names)
	if err == nil && (flag.NArg() > 0 || *parallel < 1) {
		err = fmt.Errorf("the arguments are %q, and -parallel is %d: -h lists the flags", flag.Args(), *parallel)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	bad, err := run(ctx, os.Stdout, matches, *parallel, *asJSON)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if bad > 0 {
		os.Exit(1)
	}
}

// run makes the mutants with matching names. It returns how many results are not as they should be.
func run(ctx context.Context, out io.Writer, matches *regexp.Regexp, parallel int, asJSON bool) (bad int, err error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	jobs, err := jobs(dir, matches.MatchString)
	if err != nil {
		return 0, err
	}
	if len(jobs) == 0 {
		return 0, fmt.Errorf("no mutant has a name that %q matches", matches)
	}
	var all []result
	var mu sync.Mutex // guards all and out
	queue := make(chan job)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for j := range queue {
				results := j(ctx)
				if ctx.Err() != nil {
					continue // the results are those of tests that were interrupted
				}
				mu.Lock()
				for _, r := range results {
					all = append(all, r)
					r.print(out, asJSON)
				}
				mu.Unlock()
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("interrupted after %d results: %w", len(all), err)
	}
	if !asJSON {
		summarize(out, all)
	}
	for _, r := range all {
		if !r.OK {
			bad++
		}
	}
	return bad, nil
}

// A result is what became of a mutant.
type result struct {
	Name    string  `json:"name"`
	Promise promise `json:"promise,omitempty"`
	Kind    kind    `json:"kind"`
	Effect  string  `json:"effect,omitempty"`
	Outcome outcome `json:"outcome"`
	OK      bool    `json:"ok"` // the outcome is as it should be
	Test    string  `json:"test"`
	Seconds float64 `json:"seconds"`
	Message string  `json:"message"`
}

func (r result) print(out io.Writer, asJSON bool) {
	if asJSON {
		_ = json.NewEncoder(out).Encode(r) // if nobody reads, nobody misses it
		return
	}
	fmt.Fprintf(out, "%-8s %-46s %5.1f s  %s\n         %s\n", r.Outcome, r.Name, r.Seconds, r.Test, r.Message)
}

// summarize prints how many mutants of each kind and promise were killed, and what is wrong.
func summarize(out io.Writer, all []result) {
	slices.SortFunc(all, func(a, b result) int { return strings.Compare(a.Name, b.Name) })
	fmt.Fprintf(out, "\n%-24s %8s %8s %8s %12s\n", "", "mutants", "killed", "survive", "median")
	row := func(title string, in func(result) bool) {
		count := map[outcome]int{}
		var seconds []float64
		for _, r := range all {
			if in(r) {
				count[r.Outcome]++
				seconds = append(seconds, r.Seconds)
			}
		}
		if slices.Sort(seconds); len(seconds) > 0 {
			fmt.Fprintf(out, "%-24s %8d %8d %8d %10.1f s\n",
				title, len(seconds), count[killed], len(seconds)-count[killed], seconds[len(seconds)/2])
		}
	}
	for _, k := range kinds {
		row(string(k), func(r result) bool { return r.Kind == k })
	}
	for _, p := range promises {
		row("promise: "+string(p), func(r result) bool { return r.Promise == p && p != "" })
	}
	row("all", func(result) bool { return true })
	for _, r := range all {
		if !r.OK {
			fmt.Fprintf(out, "\n%s: %s\n  %s\n  %s: %s\n", r.Outcome, r.Name, r.Effect, r.Test, r.Message)
		}
	}
}

func since(begin time.Time) float64 { return time.Since(begin).Seconds() }
