// Command bench measures how fast the shop is on this machine, and compares the values with goals.
// The values of a comparison are measured side by side. So the ratios are more reliable than the
// absolute values, which depend on the machine and its load.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"restock/local/run"
	"restock/test/rds"
)

func main() {
	flags := flag.NewFlagSet("bench", flag.ExitOnError) // libraries add their flags to the default set
	only := flags.String("only", "",
		"the sections to measure, separated by spaces; default: all sections, and the results replace the figures in "+
			document)
	asJSON := flags.Bool("json", false, "print JSON")
	stage := flags.String("stage", "prod", "the stage whose configuration to use, without its throttling")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: bench [flags]; sections:", strings.Join(sectionNames(), " "))
		flags.PrintDefaults()
	}
	_ = flags.Parse(os.Args[1:]) // it exits on an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := measure(ctx, *stage, strings.Fields(*only), *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// document is the file with the figures, below the module's root.
const document = "docs/benchmarks.md"

// A bench is a run of the benchmark.
type bench struct {
	project string
	stage   string
	memory  memory
	machine machine
}

// sections lists the sections in the order in which they are measured.
var sections = []struct {
	name    string
	measure func(*bench, context.Context) ([]section, error)
}{
	{"database", (*bench).measureDatabases},
	{"stack", (*bench).measureStack},
	{"multiaz", one((*bench).measureRestockMultiAZ)},
	{"coldstart", one((*bench).measureColdStarts)},
	{"size", one((*bench).measureSizes)},
	{"start", one((*bench).measureStart)},
}

func one(f func(*bench, context.Context) (section, error)) func(*bench, context.Context) ([]section, error) {
	return func(b *bench, ctx context.Context) ([]section, error) {
		s, err := f(b, ctx)
		return []section{s}, err
	}
}

func sectionNames() (names []string) {
	for _, s := range sections {
		names = append(names, s.name)
	}
	return names
}

func measure(ctx context.Context, stage string, only []string, asJSON bool) error {
	for _, name := range only {
		if !slices.Contains(sectionNames(), name) {
			return fmt.Errorf("there is no section %q: there are %s", name, strings.Join(sectionNames(), ", "))
		}
	}
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	b := &bench{
		project: project, stage: stage, machine: thisMachine(),
		memory: memory{peak: &peaks{byFunction: map[string]float64{}}},
	}
	r := record{Time: time.Now().UTC().Truncate(time.Second)}
	for _, s := range sections {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ", s.name)
		began := time.Now()
		measured, err := s.measure(b, ctx)
		fmt.Fprintf(os.Stderr, " %.0f s\n", time.Since(began).Seconds())
		if err != nil {
			return fmt.Errorf("measuring %s: %w", s.name, err)
		}
		r.Sections = append(r.Sections, measured...)
	}
	r.Machine = b.machine
	if asJSON {
		return writeJSON(os.Stdout, r)
	}
	var figures bytes.Buffer
	fmt.Fprintf(&figures, "Measured on %s\non %s.\n\n", r.Time.Format(time.DateOnly), r.Machine)
	if err := write(&figures, r.Sections); err != nil {
		return err
	}
	if _, err := os.Stdout.Write(figures.Bytes()); err != nil {
		return err
	}
	if len(only) > 0 {
		return nil
	}
	return replaceFigures(filepath.Join(project, document), figures.Bytes())
}

// step shows progress.
func (b *bench) step() { fmt.Fprint(os.Stderr, ".") }

// measureStack measures the sections that need the whole stack.
func (b *bench) measureStack(ctx context.Context) (measured []section, err error) {
	s, err := b.open(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, f := range []func(context.Context, *shop) (section, error){b.measureFrontDoor, b.measureRestock} {
		m, err := f(ctx, s)
		if err != nil {
			return nil, err
		}
		m.Database = rds.SingleAZ.Title() + ", the local run's own"
		measured = append(measured, m)
	}
	if err := b.machine.ask(ctx, s.db); err != nil {
		return nil, err
	}
	used := section{Title: "Memory of the functions under the load of the front door, at most"}
	for _, name := range []string{"sales-api", "stock", "stock-increase"} {
		peak := b.memory.peak.byFunction[name]
		if peak == 0 {
			return nil, fmt.Errorf("the memory of %s is unknown: the function never ran, or this is not Linux", name)
		}
		used.Rows = append(used.Rows, result{What: name, Value: peak, Unit: "MB", Goal: atMost(40)})
	}
	return append(measured, used), nil
}
