// Command local runs the whole stack on this machine: it records the Pulumi program, starts a stand-in for each resource that
// the program declares, runs setup, and serves until Ctrl-C.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"restock/local/run"
	"restock/local/terminal"
)

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	o, err := parseFlags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := serve(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(exitFailure)
	}
}

// options are what the command line says.
type options struct {
	run     run.Config
	ready   string
	verbose bool
}

func (o *options) flags() *flag.FlagSet {
	o.run = run.DefaultConfig("")
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.StringVar(&o.run.API, "api", o.run.API, "where the HTTP API and the storefront listen")
	flags.StringVar(&o.run.AWS, "aws", o.run.AWS, "where the AWS endpoint listens: SNS, SQS, Secrets Manager")
	flags.StringVar(&o.run.Factory, "factory", o.run.Factory, "where the factory's stand-in listens")
	flags.DurationVar(&o.run.FactoryStep, "factory-step", o.run.FactoryStep, "how long each of the factory's four steps takes (the real one: 10s)")
	flags.StringVar(&o.run.Stage, "stage", o.run.Stage, "whose configuration to run")
	flags.StringVar(&o.run.DSN, "dsn", o.run.DSN, "a MySQL/MariaDB server to use in place of a private one, like root:password@tcp(127.0.0.1:3306)/")
	flags.Float64Var(&o.run.DuplicateRate, "duplicates", 0, "the share of messages, 0 to 1, that queues deliver twice, as standard queues may")
	flags.BoolVar(&o.run.Unchecked, "unchecked", false, "run what the rules refuse, to see it fail as it does on AWS")
	flags.StringVar(&o.ready, "ready", "", "a file to write {\"api\",\"aws\",\"factory\",\"dsn\"} to when all is up")
	flags.BoolVar(&o.verbose, "v", false, "show every event, not only those that matter")
	return flags
}

// parseFlags reads the command line. The flag package tells about its errors itself.
func parseFlags(args []string) (o options, err error) {
	flags := o.flags()
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	} else if o.run.DuplicateRate < 0 || o.run.DuplicateRate > 1 {
		err = fmt.Errorf("-duplicates %v is not a share: it must be from 0 to 1", o.run.DuplicateRate)
	} else if o.run.FactoryStep <= 0 {
		err = fmt.Errorf("-factory-step %v is not a time: it must be more than 0", o.run.FactoryStep)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
	}
	return o, err
}

// welcome says where everything is.
const welcome = `
  the shop     %s
  AWS          %s
               export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=%s AWS_ENDPOINT_URL=%s
               aws sqs list-queues
  the factory  %s/api/manufactures

  Ctrl-C ends it all.

`

// serve runs the stack until ctx ends, or the run does.
func serve(ctx context.Context, o options) (err error) {
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	config := o.run
	config.ProjectDir, config.BuildDir = project, filepath.Join(project, run.BuildDir)
	config.Log = terminal.Log(os.Stderr, level)
	config.Listening = o.prepareReady
	r, err := run.Start(ctx, config)
	if ctx.Err() != nil && err != nil {
		return errors.New("interrupted while starting")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	e := r.Endpoints()
	if o.ready != "" {
		if err := writeReady(o.ready, e); err != nil {
			return err
		}
		defer os.Remove(o.ready)
	}
	fmt.Printf(welcome, e.API, e.AWS, r.Region(), e.AWS, e.Factory)
	select {
	case err := <-r.Failed():
		return err
	case <-ctx.Done():
		config.Log.Info("ending")
		return nil
	}
}

// prepareReady finds out that the ready file cannot be written before anything is started, and removes one that a killed run has
// left: the run that has these addresses now is this one.
func (o options) prepareReady() error {
	if o.ready == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Dir(o.ready)); err != nil {
		return fmt.Errorf("-ready: %w", err)
	}
	info, err := os.Lstat(o.ready)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("-ready: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("-ready: %s is not a file", o.ready)
	}
	if err := os.Remove(o.ready); err != nil {
		return fmt.Errorf("-ready: %w", err)
	}
	return nil
}

// writeReady writes a run's endpoints, at once and for their owner alone: the DSN holds a password.
func writeReady(path string, e run.Endpoints) error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("-ready: %w", err)
	}
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("-ready: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("-ready: %w", err)
	}
	return nil
}
