// Command model explores a model of how the shop restocks: every order in which buyers, functions,
// queues, the factory and the sweep may take their steps, with every fault, within bounds. It
// prints how many states there are, and the shortest way to a broken rule. docs/proof.md says what
// this proves.
//
// The model has one product. Products share nothing but the database and the queues, and no rule
// and no step speaks of two.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"restock/internal/shop"
)

var policy = shop.Policy{ReorderPoint: 1, OrderUpTo: 3, LotSize: 2, LeadTime: leadTime, Automatic: true}

func main() {
	m := model{bounds{policy: policy}, ours()}
	for _, f := range []struct {
		name       string
		value      *int
		preset     int
		least, max int
		usage      string
	}{
		{"bins", &m.bins, 2, 1, maxBins, "bins of the product"},
		{"stock", &m.stock, 2, 0, 20, "pieces on hand at the beginning"},
		{"orders", &m.orders, 2, 1, maxOrders - 2, "production orders"},
		{"lots", &m.lots, 2, 1, maxLots - 2, "lots that the factory starts"},
		{"faults", &m.faults, 1, 0, 20, "faults"},
		{"cancels", &m.cancels, 1, 0, 20, "orders that a person cancels"},
		{"rotations", &m.rotations, 2, 0, 20, "times that the callback key is replaced"},
	} {
		*f.value = f.preset
		flag.Func(f.name, fmt.Sprintf("%s, from %d to %d (default %d)", f.usage, f.least, f.max, f.preset),
			func(text string) error {
				n, err := strconv.Atoi(text)
				if err != nil || n < f.least || n > f.max {
					return fmt.Errorf("it must be a number from %d to %d", f.least, f.max)
				}
				*f.value = n
				return nil
			})
	}
	buyers := flag.String("buyers", "1", "how many pieces each buyer wants")
	limit := flag.Int("limit", 50_000_000, "stop with an error at more states; a state takes about 100 bytes of memory")
	asJSON := flag.Bool("json", false, "print the result as JSON")
	flag.Parse()

	for text := range strings.SplitSeq(*buyers, ",") {
		wants, err := strconv.Atoi(text)
		if err != nil || wants < 1 || wants > 9 || len(m.buyers) == maxBuyers {
			fail(fmt.Errorf("-buyers is %q: give up to %d numbers from 1 to 9", *buyers, maxBuyers))
		}
		m.buyers = append(m.buyers, wants)
	}
	begin := time.Now()
	told := begin
	r, err := explore(m.system(), *limit, func(r report) {
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "%d states, depth %d, %v\n", r.States, r.Depth, told.Sub(begin).Round(time.Second))
		}
	})
	if err != nil {
		fail(err)
	}
	if err := m.print(r, time.Since(begin), *asJSON); err != nil {
		fail(err)
	}
	if r.Broken != nil {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "model:", err)
	os.Exit(2)
}

// print writes the result to the standard output.
func (m model) print(r report, took time.Duration, asJSON bool) error {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	rule := ""
	if r.Broken != nil {
		rule = r.Broken.Error()
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"states": r.States, "steps": r.Steps, "depth": r.Depth, "seconds": took.Seconds(),
			"bytes": memory.Sys, "broken": rule, "trace": r.Trace,
		})
	}
	fmt.Printf("%d states, %d steps, depth %d, %v on %d cores, %d MiB\n",
		r.States, r.Steps, r.Depth, took.Round(time.Second), runtime.GOMAXPROCS(0), memory.Sys>>20)
	if r.Broken == nil {
		fmt.Println("No rule is broken, and from every state a shortage ends in stock.")
		return nil
	}
	fmt.Printf("broken: %s\n", rule)
	for i, step := range r.Trace {
		fmt.Printf("%3d. %s\n", i+1, step)
	}
	return nil
}
