// Command local runs the whole stack on this machine: it records the Pulumi program, starts a stand-in for each resource that
// the program declares, runs setup, and serves until Ctrl-C.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
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
	config, ready, code := parseFlags(os.Args[1:])
	if code >= 0 {
		os.Exit(code)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := serve(ctx, stop, config, ready); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(exitFailure)
	}
}

// parseFlags reads the command line. A code of zero or more ends the program.
func parseFlags(args []string) (config run.Config, ready string, code int) {
	config = run.DefaultConfig("")
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.StringVar(&config.API, "api", config.API, "where the HTTP API and the storefront listen")
	flags.StringVar(&config.AWS, "aws", config.AWS, "where the AWS endpoint listens: SNS, SQS, Secrets Manager")
	flags.StringVar(&config.Factory, "factory", config.Factory, "where the factory's stand-in listens")
	flags.DurationVar(&config.FactoryStep, "factory-step", config.FactoryStep, "how long each of the factory's four steps takes (the real one: 10s)")
	flags.StringVar(&config.Stage, "stage", config.Stage, "whose configuration to run")
	flags.StringVar(&config.DSN, "dsn", config.DSN, "a MySQL/MariaDB server to use in place of a private one, like root:password@tcp(127.0.0.1:3306)/")
	flags.StringVar(&ready, "ready", "", "a file to write {\"api\",\"aws\",\"factory\",\"dsn\"} to when all is up")
	verbose := flags.Bool("v", false, "show every event, not only those that matter")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return config, ready, 0
	case err != nil:
		return config, ready, exitUsage // the flag package has said why
	case flags.NArg() > 0:
		fmt.Fprintf(os.Stderr, "local: unexpected argument %q\n", flags.Arg(0))
		return config, ready, exitUsage
	case config.FactoryStep <= 0:
		fmt.Fprintf(os.Stderr, "local: -factory-step %v is not a time: it must be more than 0\n", config.FactoryStep)
		return config, ready, exitUsage
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	config.Log = terminal.Log(os.Stderr, level)
	return config, ready, -1
}

// serve runs the stack until ctx ends. A second signal, which stop leaves to its default, ends the program at once.
func serve(ctx context.Context, stop func(), config run.Config, ready string) (err error) {
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	config.ProjectDir, config.BuildDir = project, filepath.Join(project, ".build")
	r, err := run.Start(ctx, config)
	if err != nil {
		return err
	}
	e := r.Endpoints()
	if ready != "" {
		if err := writeReady(ready, e); err != nil {
			return joinClose(err, r)
		}
		defer os.Remove(ready)
	}
	fmt.Printf("\n  the shop     %s\n  AWS          %s   aws --endpoint-url %s sqs list-queues\n  the factory  %s/api/manufactures\n\n  Ctrl-C ends it all.\n\n", e.API, e.AWS, e.AWS, e.Factory)
	<-ctx.Done()
	stop()
	config.Log.Info("ending")
	return r.Close()
}

func joinClose(err error, r *run.Run) error {
	if closeErr := r.Close(); closeErr != nil {
		return fmt.Errorf("%w; and %w", err, closeErr)
	}
	return err
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
