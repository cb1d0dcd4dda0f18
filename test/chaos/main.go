// Command chaos runs the whole stack under a load of buyers and lets go wrong what can: the database is killed, its connections are cut and
// slowed, function processes die, AWS's services answer 500, hang and throttle, the queue delivers twice, the factory fails in every way it
// knows, the secret rotates, time passes. Then it heals everything and looks whether the shop has kept its promises.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/goleak"

	"restock/local/run"
	"restock/local/view/terminal"
)

func main() {
	flags := flag.NewFlagSet("chaos", flag.ExitOnError) // not the default one: libraries put theirs there
	seed := flags.Uint64("seed", rand.Uint64(), "of chance: which faults, and when; how the machine answers to them is its own")
	lasts := flags.Duration("for", time.Minute, "how long faults are injected")
	buyers := flags.Int("buyers", 12, "how many buy at once")
	verbose := flags.Bool("v", false, "show each fault, and what the stack warns of")
	_ = flags.Parse(os.Args[1:]) // it exits
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := chaos(ctx, *seed, *lasts, *buyers, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func chaos(ctx context.Context, seed uint64, lasts time.Duration, buyers int, verbose bool) error {
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	level := slog.LevelError + 1 // faults make noise
	if verbose {
		level = slog.LevelInfo
	}
	if lasts <= 0 {
		return fmt.Errorf("-for is %v: it must be longer than 0", lasts)
	}
	fmt.Printf("seed %d: faults for %v, %d buyers at once\n", seed, lasts, buyers)
	before := goleak.IgnoreCurrent()
	report, err := storm(ctx, config{Project: project, Seed: seed, Faults: lasts, Buyers: buyers, Settle: 10 * time.Minute, Log: terminal.Log(os.Stderr, level)})
	if err != nil {
		return err
	}
	report.leftBehind(before)
	report.print(os.Stdout)
	if len(report.Broken) > 0 {
		return errors.New("the shop has broken its promises")
	}
	return nil
}
