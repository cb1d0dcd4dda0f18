// Command shop is the merchant's command line. It manages products, their reordering policies, the
// stock, production orders, the stock ledger and the dead-letter queue of a stage or of the local
// run. It signs its requests with the caller's AWS credentials.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// The exit codes. The constant about explains them to people.
const (
	exitFailure     = 1 // the shop refused, or there is no such thing
	exitUsage       = 2
	exitUnavailable = 3 // nothing was changed
	exitUnknown     = 4 // the change may have been made
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	t := terminal{
		program: program(os.Args[0]), in: os.Stdin, out: os.Stdout, errors: os.Stderr,
		location: time.Local, now: time.Now, wait: wait,
	}
	os.Exit(t.run(ctx, os.Args[1:]))
}

// wait waits for a time, or until the context ends, whose error it returns then.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// A terminal has the streams of a command line.
type terminal struct {
	program     string // what a person types to run this program
	in          io.Reader
	out, errors io.Writer
	args        []string       // what follows on the command line
	location    *time.Location // the time zone of the times that are shown, and of days
	now         func() time.Time
	wait        func(context.Context, time.Duration) error
}

// run executes a command line and returns the exit code.
func (t terminal) run(ctx context.Context, args []string) int {
	t.args = args
	var o options
	root := t.root(&o)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.errors)
	root.SetArgs(negativesLast(root, args))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code, report := exitFailure, struct {
		Code    string `json:"code,omitempty"` // of the shop's API
		Message string `json:"message"`
	}{Message: err.Error()}
	var usage *usageError
	var failed *failure
	var refused *refusal
	if errors.As(err, &refused) {
		report.Code = string(refused.problem.Code)
	}
	switch {
	case errors.As(err, &usage):
		code = exitUsage
	case ctx.Err() != nil && !(errors.As(err, &failed) && failed.exit == exitUnknown):
		report.Message = "interrupted"
	case errors.As(err, &failed):
		code = failed.exit
	}
	if o.json {
		_ = t.encode(t.errors, report) // nobody can be told
	} else {
		fmt.Fprintln(t.errors, "shop:", report.Message)
	}
	return code
}

// encode writes a value as JSON.
func (t terminal) encode(to io.Writer, value any) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// session finds the shop that the flags of a command name.
func (t terminal) session(chosen *cobra.Command, o *options) (*session, error) {
	where, err := o.target.resolve(chosen.Context())
	if err != nil {
		return nil, err
	}
	where.prefix = t.program + given(chosen.InheritedFlags(), "json")
	s := &session{terminal: t, command: chosen, target: where, json: o.json}
	s.client = newClient(where, t.wait, s.again)
	return s, nil
}

// A session is a running command.
type session struct {
	terminal
	command *cobra.Command
	target  *resolved
	client  *client
	json    bool // print JSON
}
