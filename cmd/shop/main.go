// Command shop is the merchant's command line. It manages products, their reordering policies, the
// stock, production orders, the stock ledger and the dead-letter queue of a stage or of the local
// run. It signs its requests with the caller's AWS credentials.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := terminal{out: os.Stdout, errors: os.Stderr, location: time.Local}
	os.Exit(t.run(ctx, os.Args[1:]))
}

// A terminal has the streams of a command line.
type terminal struct {
	out, errors io.Writer
	location    *time.Location // the time zone of the times that are shown
}

// run executes a command line and returns the exit code.
func (t terminal) run(ctx context.Context, args []string) int {
	err := t.execute(ctx, args)
	var usage *usageError
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(t.errors, "shop:", err)
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintln(t.errors, "shop: interrupted")
		return exitFailure
	default:
		fmt.Fprintln(t.errors, "shop:", err)
		return exitFailure
	}
}

func (t terminal) execute(ctx context.Context, args []string) error {
	var o options
	chosen, arguments, err := o.parse(args, t.out)
	if err != nil {
		return err
	}
	where, err := o.target.resolve(ctx)
	if err != nil {
		return err
	}
	return chosen.run(ctx, &session{terminal: t, target: where, client: newClient(where), json: o.json}, arguments)
}

// A session is a running command.
type session struct {
	terminal
	target *resolved
	client *client
	json   bool // print JSON
}
