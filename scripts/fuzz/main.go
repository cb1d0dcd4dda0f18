// Command fuzz runs the module's fuzz targets, each for a time, guided by coverage. It exists
// because go test -fuzz runs one target of one package a call.
//
//	go run ./scripts/fuzz -time 10s    # all
//	go run ./scripts/fuzz -time 1h -target FuzzVerify ./internal/factory
//
// A failing input is written to testdata/fuzz of its package, and go test runs it again from then
// on. Go's build cache keeps the inputs that reached new code; the next run begins with them. go
// clean -fuzzcache deletes them.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

func main() {
	f := fuzzer{out: os.Stdout}
	flag.DurationVar(&f.time, "time", 10*time.Second, "how long each target runs")
	target := flag.String("target", "", "run the targets alone that match this regular expression")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := f.run(ctx, *target, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzz:", err)
		os.Exit(1)
	}
}

// A fuzzer runs fuzz targets.
type fuzzer struct {
	time time.Duration
	out  io.Writer
}

// run runs the matching targets of the packages in dirs, or of all packages if dirs is empty. It
// returns an error if a target failed or could not run.
func (f fuzzer) run(ctx context.Context, target string, dirs []string) error {
	match, err := regexp.Compile(target)
	if err != nil {
		return fmt.Errorf("reading -target: %w", err)
	}
	if len(dirs) == 0 {
		if dirs, err = find("."); err != nil {
			return err
		}
	}
	cache, err := cacheDir(ctx)
	if err != nil {
		return err
	}
	bin, err := os.MkdirTemp("", "fuzz-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)

	p := printer{out: f.out}
	// A target has one worker. As many packages at a time as there are processors keep the
	// processors busy, even while one package is being built.
	var packages errgroup.Group
	packages.SetLimit(runtime.GOMAXPROCS(0))
	for _, dir := range dirs {
		packages.Go(func() error {
			t, err := build(ctx, dir, bin)
			if err != nil {
				return err
			}
			for _, name := range t.targets {
				if match.MatchString(name) {
					p.print(f.fuzz(ctx, t, name, cache))
				}
			}
			return nil
		})
	}
	if err := packages.Wait(); err != nil {
		return err
	}
	return p.verdict()
}
