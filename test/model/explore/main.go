// Command explore explores a model of how the shop restocks: every order in which buyers,
// functions, queues, the factory and the sweep may take their steps, with every fault, within
// bounds. It prints how many states there are, and the shortest way to a broken rule. docs/proof.md
// says what this proves.
//
// The model has one product. Products share nothing but the database and the queues, and no rule
// and no step speaks of two.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"restock/test/model"
)

func main() {
	var b model.Bounds
	for _, f := range []struct {
		name       string
		value      *int
		preset     int
		least, max int
		usage      string
	}{
		{"bins", &b.Bins, 2, 1, model.MaxBins, "bins of the product"},
		{"stock", &b.Stock, 2, 0, 20, "pieces on hand at the beginning"},
		{"orders", &b.Orders, 2, 1, model.MaxOrders, "production orders"},
		{"lots", &b.Lots, 2, 1, model.MaxLots, "lots that the factory starts"},
		{"faults", &b.Faults, 1, 0, 20, "faults"},
		{"cancels", &b.Cancels, 1, 0, 20, "orders that a person cancels"},
		{"rotations", &b.Rotations, 2, 0, 20, "times that the callback key is replaced"},
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
		if err != nil || wants < 1 || wants > 9 || len(b.Buyers) == model.MaxBuyers {
			fail(fmt.Errorf("-buyers is %q: give up to %d numbers from 1 to 9", *buyers, model.MaxBuyers))
		}
		b.Buyers = append(b.Buyers, wants)
	}
	begin := time.Now()
	told := begin
	r, err := model.Explore(b, *limit, func(r model.Report) {
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			fmt.Fprintf(os.Stderr, "%d states, depth %d, %v\n", r.States, r.Depth, told.Sub(begin).Round(time.Second))
		}
	})
	if err != nil {
		fail(err)
	}
	if err := print(r, time.Since(begin), *asJSON); err != nil {
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
func print(r model.Report, took time.Duration, asJSON bool) error {
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
		n := float64(r.States)
		fmt.Printf("The probability that two states were taken for one is one in %.0f.\n", max(math.Exp2(65)/(n*n), 1))
		return nil
	}
	fmt.Printf("broken: %s\n", rule)
	for i, step := range r.Trace {
		fmt.Printf("%3d. %s\n", i+1, step)
	}
	return nil
}
