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

// leakLimit ends the wait for what the run has left to end by itself. What is left for good is left for longer.
const leakLimit = time.Minute

// A Report is what was done to the shop, and what it made of it.
type Report struct {
	Seed    uint64
	Faults  map[string]int
	Answers map[string]int

	Sales, Orders, OrdersFailed, Receipts, Notices, Messages, DeadLetters int

	Settled time.Duration // how long it took until all was done, after everything was healed

	Broken []string // promises; none: the shop has kept them all

	mu sync.Mutex // of Faults and Broken
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

// ignored are goroutines that the proxy in front of the database leaves behind by itself, when a toxic is taken away at the wrong moment.
var ignored = goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")

// leftBehind looks for what the run has left: processes, and goroutines that were not there before. Both may take a while to end.
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

// children are the processes that this one has started and that live, on Linux.
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
	fmt.Fprintf(w, "%d sales, %d production orders (%d given up), %d messages (%d dead letters), %d goods receipts, %d notices to people\n",
		r.Sales, r.Orders, r.OrdersFailed, r.Messages, r.DeadLetters, r.Receipts, r.Notices)
	fmt.Fprintf(w, "all was done %.1f s after everything was healed\n", r.Settled.Seconds())
	if len(r.Broken) == 0 {
		fmt.Fprintln(w, "verdict: every promise was kept")
		return
	}
	fmt.Fprintf(w, "verdict: %d promises were broken (seed %d)\n", len(r.Broken), r.Seed)
	for _, b := range r.Broken {
		fmt.Fprintf(w, "  %s\n", b)
	}
}
