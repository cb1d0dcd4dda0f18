// Command chaos runs the whole stack under the load of buyers and injects faults: it kills the
// database, cuts and slows its connections, kills function processes, makes AWS's services answer
// 500, hang and throttle, delivers messages twice, makes the factory fail, rotates the secret,
// changes the number of bins, and moves the time. Then it ends all faults, waits until the shop has
// settled, and checks the rules of the business.
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
	flags := flag.NewFlagSet("chaos", flag.ExitOnError) // libraries add their flags to the default set
	seed := flags.Uint64("seed", rand.Uint64(),
		"of the random numbers that choose the faults and their times; the machine's timing still differs")
	lasts := flags.Duration("for", time.Minute, "how long to inject faults")
	buyers := flags.Int("buyers", 12, "the number of concurrent buyers")
	verbose := flags.Bool("v", false, "show each fault and the warnings of the stack")
	_ = flags.Parse(os.Args[1:]) // it exits on an error
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
	level := slog.LevelError + 1 // faults cause many errors
	if verbose {
		level = slog.LevelInfo
	}
	if lasts <= 0 {
		return fmt.Errorf("-for is %v: it must be longer than 0", lasts)
	}
	fmt.Printf("seed %d: faults for %v, %d buyers at once\n", seed, lasts, buyers)
	before := goleak.IgnoreCurrent()
	report, err := runChaos(ctx, config{
		Project: project, Seed: seed, Faults: lasts, Buyers: buyers,
		Settle: 10 * time.Minute, Log: terminal.Log(os.Stderr, level),
	})
	if err != nil {
		return err
	}
	report.leftBehind(before)
	report.print(os.Stdout)
	if len(report.Broken) > 0 {
		return errors.New("the shop broke its rules")
	}
	return nil
}
