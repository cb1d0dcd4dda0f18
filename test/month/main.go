// Command month runs a month of the shop in a minute or two. It is a simulation: it takes one event
// after the other from a queue, and moves its clock to the event's time. Buyers, the factory, the
// queues and the faults are simulated. The handlers of sales-api, stock and stock-increase, the
// sweep and the database are the real ones. All random numbers come from a seed, so a seed names
// one month: it runs again in the same way, on any machine.
//
// The simulation checks the rules of right books every day, and at the end after all faults. A
// broken rule ends it with status 1, and it prints the seed and the time.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"restock/local/mariadb"
)

func main() {
	flags := flag.NewFlagSet("month", flag.ExitOnError) // libraries add their flags to the default set
	var c config
	flags.Uint64Var(&c.Seed, "seed", 1, "of all random numbers")
	flags.IntVar(&c.Days, "days", 30, "how many days to run")
	picture := flags.String("svg", filepath.Join("bin", "month.svg"), "the file of the picture; empty: none")
	asJSON := flags.Bool("json", false, "print the numbers as JSON")
	flags.BoolVar(&c.Verbose, "v", false, "print each fault")
	_ = flags.Parse(os.Args[1:]) // it exits on an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := month(ctx, c, os.Stdout, *picture, *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "month:", err)
		os.Exit(1)
	}
}

// month runs a month on a database server of its own.
func month(ctx context.Context, c config, out io.Writer, picture string, asJSON bool) (err error) {
	if c.Days < 1 {
		return fmt.Errorf("-days is %d, it must be 1 or more", c.Days)
	}
	server, err := mariadb.Start(ctx, mariadb.Config{Args: mariadb.Relaxed})
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, server.Stop()) }()
	c.Admin = server.Admin()
	c.Admin.DBName = "month"
	if err := createDatabase(ctx, c.Admin); err != nil {
		return err
	}
	r, broken := run(ctx, c)
	if r == nil {
		return broken
	}
	if err := r.write(out, asJSON); err != nil {
		return err
	}
	if picture != "" {
		if err := os.MkdirAll(filepath.Dir(picture), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(picture, r.picture(), 0o644); err != nil {
			return err
		}
	}
	if errors.As(broken, new(*brokenRule)) {
		return fmt.Errorf("seed %d, %w\nto run it again: make month SEED=%d ARGS=\"-days %d\"",
			c.Seed, broken, c.Seed, c.Days)
	}
	return broken
}

// write prints the report.
func (r *report) write(out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	_, err := fmt.Fprint(out, r.table())
	return err
}
