// Command chaos runs the whole stack under the load of buyers and injects faults: it kills the
// database, cuts and slows its connections, kills function processes, makes AWS's services answer
// 500, hang and throttle, delivers messages twice, makes the factory fail, rotates the secret,
// changes the number of bins, and moves the time. Then it ends all faults, waits until the shop has
// settled, and checks the rules of the business.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/goleak"

	"restock/cmd/local/programs"
	"restock/local/run"
	"restock/local/view/terminal"
)

// options are the flags of the command.
type options struct {
	seed    uint64
	lasts   time.Duration
	buyers  int
	verbose bool
}

// parse reads flags. With flag.ExitOnError, it ends the program on an error.
func parse(args []string, onError flag.ErrorHandling) (o options, err error) {
	flags := flag.NewFlagSet("chaos", onError) // libraries add their flags to the default set
	flags.Uint64Var(&o.seed, "seed", rand.Uint64(),
		"of the random numbers that choose the faults and their times; the machine's timing still differs")
	flags.DurationVar(&o.lasts, "for", time.Minute, "how long to inject faults")
	flags.IntVar(&o.buyers, "buyers", 12, "the number of concurrent buyers")
	flags.BoolVar(&o.verbose, "v", false, "show each fault and the warnings of the stack")
	err = flags.Parse(args)
	return o, err
}

// again returns the command that injects the same faults again.
func (o options) again() string {
	return fmt.Sprintf(`make chaos ARGS="-seed %d -for %v -buyers %d"`, o.seed, o.lasts, o.buyers)
}

func main() {
	o, _ := parse(os.Args[1:], flag.ExitOnError)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := chaos(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func chaos(ctx context.Context, o options) error {
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	level := slog.LevelError + 1 // faults cause many errors
	if o.verbose {
		level = slog.LevelInfo
	}
	if o.lasts <= 0 {
		return fmt.Errorf("-for is %v: it must be longer than 0", o.lasts)
	}
	fmt.Printf("seed %d: faults for %v, %d buyers at once\n", o.seed, o.lasts, o.buyers)
	before := goleak.IgnoreCurrent()
	report, err := runChaos(ctx, config{
		Project: project, Seed: o.seed, Faults: o.lasts, Buyers: o.buyers,
		Settle: 10 * time.Minute, Log: terminal.Log(os.Stderr, level, programs.Terminal()),
	})
	if err != nil {
		return err
	}
	report.leftBehind(before)
	report.print(os.Stdout)
	if len(report.Broken) > 0 {
		return fmt.Errorf("the shop broke its rules; to inject the same faults again: %s", o.again())
	}
	return nil
}
