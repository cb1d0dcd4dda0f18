package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/goleak"
)

// leakLimit is how long processes and goroutines of the run may take to end.
const leakLimit = time.Minute

// A Report has the injected faults, and the results of the run.
type Report struct {
	Seed    uint64
	Faults  map[string]int
	Answers map[string]int

	Sales, Orders, OrdersFailed, Receipts, Notices, Messages, DeadLetters int

	// Traces is how many production orders were replayed in the model of test/model, and
	// TracesTooWide how many had too much at once.
	Traces, TracesTooWide int

	Settled time.Duration // how long the shop took to settle after the faults

	Broken []string // violations of the rules

	mu sync.Mutex // guards Faults and Broken
}

func newReport(seed uint64) *Report { return &Report{Seed: seed, Faults: map[string]int{}} }

func (r *Report) injected(fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Faults[fault]++
}

func (r *Report) broken(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
}

// ignored are goroutines that the proxy in front of the database leaks if a toxic is removed at the
// wrong moment.
var ignored = goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")

// leftBehind reports processes and goroutines that the run left behind. Both may take a while to
// end.
func (r *Report) leftBehind(before goleak.Option) {
	ctx := context.Background()
	if !await(ctx, leakLimit, func() bool { return len(children()) == 0 }) {
		for _, p := range children() {
			r.broken("a process is left behind: %s", p)
		}
	}
	var leak error
	if !await(ctx, leakLimit, func() bool { leak = goleak.Find(before, ignored); return leak == nil }) {
		r.broken("goroutines are left behind: %v", leak)
	}
}

// children returns the names of the running child processes, on Linux.
func children() (names []string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent …: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
		name, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			names = append(names, name+")")
		}
	}
	return names
}

func (r *Report) print(w io.Writer) {
	total := 0
	for _, n := range r.Faults {
		total += n
	}
	fmt.Fprintf(w, "\n%d faults\n", total)
	for _, name := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(w, "  %5d  %s\n", r.Faults[name], name)
	}
	requests := 0
	for _, n := range r.Answers {
		requests += n
	}
	fmt.Fprintf(w, "%d requests of buyers\n", requests)
	for _, status := range slices.Sorted(maps.Keys(r.Answers)) {
		fmt.Fprintf(w, "  %5d  %s\n", r.Answers[status], status)
	}
	fmt.Fprintf(w, "%d sales, %d production orders (%d failed), %d messages (%d dead letters), %d goods receipts, "+
		"%d notices to people\n",
		r.Sales, r.Orders, r.OrdersFailed, r.Messages, r.DeadLetters, r.Receipts, r.Notices)
	fmt.Fprintf(w, "%d production orders were replayed in the model; it has no room for %d more\n",
		r.Traces, r.TracesTooWide)
	fmt.Fprintf(w, "the shop settled %.1f s after the faults\n", r.Settled.Seconds())
	if len(r.Broken) == 0 {
		fmt.Fprintln(w, "verdict: all rules hold")
		return
	}
	fmt.Fprintf(w, "verdict: %d violations of the rules (seed %d)\n", len(r.Broken), r.Seed)
	for _, b := range r.Broken {
		fmt.Fprintf(w, "  %s\n", b)
	}
}
