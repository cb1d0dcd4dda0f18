// Command local runs the shop's whole stack on this machine: it records the Pulumi program, starts
// a stand-in for each resource that the program declares, runs setup, and serves until Ctrl-C. The
// stand-ins are in package local/run; this command adds what is special about the shop: see package
// programs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"restock/cmd/local/programs"
	"restock/local/run"
	"restock/local/view/events"
	"restock/local/view/otlp"
	"restock/local/view/terminal"
)

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	if args := os.Args[1:]; len(args) > 0 && args[0] == run.RecordCommand {
		end(record(args[1:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program at once
	if args := os.Args[1:]; len(args) > 0 && args[0] == invokeCommand {
		end(invoke(ctx, args[1:], os.Stdout))
	}
	if args := os.Args[1:]; len(args) > 0 && args[0] == privilegesCommand {
		end(comparePrivileges(ctx, args[1:], os.Stdout))
	}
	o, err := parseFlags(os.Args[1:])
	if err != nil {
		end(usageError{err})
	}
	end(serve(ctx, o))
}

// end exits. A usage error has been printed already.
func end(err error) {
	switch usage := (usageError{}); {
	case err == nil || errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case errors.As(err, &usage):
		os.Exit(exitUsage)
	}
	fmt.Fprintln(os.Stderr, "local:", err)
	os.Exit(exitFailure)
}

// options are the flags of the command line.
type options struct {
	run     programs.Config
	ready   string
	json    bool
	verbose bool
	given   map[string]string // by key
	refused error             // why a flag whose value may be secret is wrong

	delve, delveAddress string
}

func (o *options) flags() *flag.FlagSet {
	o.run = programs.DefaultConfig("")
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.Var((*programFlag)(&o.run.Program), "program",
		"the `program` to run: "+programNames()+", or the folder of a Pulumi program in Go")
	flags.Var(o.confidential("config", (*configFlag)(&o.given)), "config",
		"`key=value` of a program in a folder, in place of the stage's value; may be repeated")
	flags.StringVar(&o.run.API, "api", o.run.API, "`address` of the HTTP API and the storefront")
	flags.StringVar(&o.run.AWS, "aws", o.run.AWS, "`address` of the AWS endpoint: SNS, SQS, Secrets Manager")
	flags.StringVar(&o.run.AWSTLS, "aws-tls", "",
		"`address` at which the AWS endpoint is also served over HTTPS, with a certificate of the run")
	flags.StringVar(&o.run.Factory, "factory", o.run.Factory,
		"`address` of the factory's stand-in; simulated: the function that plays the factory on AWS")
	flags.StringVar(&o.run.Console, "console", run.ConsoleAddress, "`address` of the console; empty: no console")
	flags.Var(o.confidential("otlp", (*collectorFlag)(&o.run.OTLP)), "otlp",
		"`URL` of a collector of OpenTelemetry, such as http://127.0.0.1:4318, that gets the journeys as spans over "+
			"OTLP/HTTP; empty: none")
	flags.DurationVar(&o.run.FactoryStep, "factory-step", o.run.FactoryStep,
		"duration of each of the factory's four steps (the real factory: 10s)")
	flags.StringVar(&o.run.Stage, "stage", o.run.Stage, "the `stage` whose configuration is used")
	flags.StringVar(&o.run.DSN, "dsn", o.run.DSN,
		"a MySQL or MariaDB server to use instead of a private one, like root:password@tcp(127.0.0.1:3306)/")
	flags.Float64Var(&o.run.DuplicateRate, "duplicates", 0,
		"share of messages, 0 to 1, that queues deliver twice, as standard queues may")
	flags.BoolVar(&o.run.Unchecked, "unchecked", false, "run a program that the rules refuse, to see it fail as on "+
		"AWS; pass calls on to emulators also if the run does not know their permissions")
	flags.Var(o.confidential("service", (*servicesFlag)(&o.run.Services)), "service",
		"`name=URL` of an emulator of an AWS service on this machine, such as dynamodb=http://127.0.0.1:8000: the "+
			"run checks each call, and passes it on; repeat the flag for more services")
	flags.StringVar(&o.ready, "ready", "",
		"a `file` to write {\"api\",\"aws\",\"factory\",\"region\",\"console\",\"dsn\"} to when the run is ready")
	flags.StringVar(&o.run.Data, "data", "",
		"a `folder` that keeps the database from run to run; empty: the run deletes the database at its end")
	flags.BoolVar(&o.run.Watch, "watch", true,
		"swap a function when its sources change, and restart when the program changes")
	flags.StringVar(&o.run.Debug, "debug", "", "run a `function` under the debugger Delve: see make debug")
	flags.StringVar(&o.delve, "delve", "bin/dlv", "Delve's `program`, for -debug")
	flags.StringVar(&o.delveAddress, "delve-address", "127.0.0.1:2345",
		"`address` at which Delve serves editors, for -debug")
	flags.BoolVar(&o.json, "json", false, "write every event as a line of JSON to standard output, for programs")
	flags.BoolVar(&o.verbose, "v", false, "show every event")
	return flags
}

// A programFlag selects a program by its name.
type programFlag run.Program

func (f *programFlag) String() string { return f.Name }

func (f *programFlag) Set(name string) error {
	for _, p := range programs.All() {
		if p.Name == name {
			*f = programFlag(p)
			return nil
		}
	}
	if !strings.ContainsRune(name, filepath.Separator) && name != "." && name != ".." {
		return errors.New("the programs are " + programNames() + "; a folder needs a slash, like ./" + name)
	}
	p, err := run.External(name)
	*f = programFlag(p)
	return err
}

// A confidentialFlag is a flag whose value may be secret, or have a password. Package flag repeats
// the value in the error of Set, so this flag keeps the error for options.parse.
type confidentialFlag struct {
	flag.Value
	name string
	o    *options
}

func (o *options) confidential(name string, v flag.Value) confidentialFlag {
	return confidentialFlag{v, name, o}
}

func (f confidentialFlag) Set(text string) error {
	if err := f.Value.Set(text); err != nil && f.o.refused == nil {
		f.o.refused = fmt.Errorf("-%s: %w", f.name, err)
	}
	return nil
}

func (f confidentialFlag) String() string {
	if f.Value == nil { // package flag asks for the zero value's text
		return ""
	}
	return f.Value.String()
}

// A configFlag collects configured values by their keys.
type configFlag map[string]string

func (f *configFlag) String() string { return "" } // a value may be secret

func (f *configFlag) Set(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return errors.New("want key=value, like aws:region=us-east-1")
	}
	if *f == nil {
		*f = configFlag{}
	}
	(*f)[key] = value
	return nil
}

// A servicesFlag adds the addresses of services.
type servicesFlag map[string]string

func (f *servicesFlag) String() string { return strings.Join(slices.Sorted(maps.Keys(*f)), ", ") }

func (f *servicesFlag) Set(text string) error {
	name, address, found := strings.Cut(text, "=")
	if !found || name == "" {
		return errors.New("write it like dynamodb=http://127.0.0.1:8000")
	}
	if err := run.CheckService(address); err != nil {
		return err
	}
	if *f == nil {
		*f = servicesFlag{}
	}
	(*f)[name] = address
	return nil
}

// A collectorFlag is the URL of a collector.
type collectorFlag string

func (f *collectorFlag) String() string { return string(*f) }

func (f *collectorFlag) Set(text string) error {
	*f = collectorFlag(text)
	if text == "" {
		return nil
	}
	return otlp.CheckCollector(text)
}

func programNames() string {
	var names []string
	for _, p := range programs.All() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// parse parses flags of o. It checks those that several commands have, and prints each error.
func (o *options) parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		return err // package flag has printed it
	}
	err := o.refused
	if o.run.Program.Given = o.given; len(o.given) > 0 && o.run.Program.Dir == "" && err == nil {
		err = errors.New("-config is for the program in a folder that -program names")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
	}
	return err
}

// parseFlags parses the command line, and prints each error.
func parseFlags(args []string) (o options, err error) {
	flags := o.flags()
	if err := o.parse(flags, args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	} else if o.run.DuplicateRate < 0 || o.run.DuplicateRate > 1 {
		err = fmt.Errorf("-duplicates is %v: it must be from 0 to 1", o.run.DuplicateRate)
	} else if o.run.DSN != "" && o.run.Data != "" {
		err = errors.New("-data keeps the private database, and -dsn names another one: use one of them")
	} else if o.run.FactoryStep <= 0 {
		err = fmt.Errorf("-factory-step is %v: it must be more than 0", o.run.FactoryStep)
	}
	if o.run.Debug != "" && err == nil {
		o.run.Debugger, err = programs.Delve(o.delve, o.delveAddress)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
	}
	return o, err
}

// serve runs the stack until ctx ends or the run fails. If the program changes, serve replaces this
// process with its successor.
func serve(ctx context.Context, o options) (err error) {
	project, err := run.FindProject()
	if err != nil {
		return err
	}
	handed, err := received()
	if err != nil {
		return err
	}
	config := o.run
	config.ProjectDir, config.BuildDir = project, filepath.Join(project, run.BuildDir)
	if dir := config.Program.Dir; dir != "" { // a change of it does not change this command
		config.ProjectDir, config.Watch = dir, false
		config.BuildDir = filepath.Join(config.BuildDir, config.Program.Name)
	}
	config.Log, config.Emulators = o.log(), run.Emulators(os.Environ())
	defer terminal.Flush(config.Log)
	config.Listening = o.prepareReady
	if config.Usage == "" && config.Data != "" {
		config.Usage = filepath.Join(config.Data, run.UsageFile)
	}
	if handed != nil {
		handed.take(&config)
	}
	data, err := openData(&config, handed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Remove()) }()
	next, err := o.runUntilEnd(ctx, config, handed)
	if err != nil && o.json {
		config.Log.Error("the run has failed", "error", err)
	}
	if err != nil || next == nil || ctx.Err() != nil {
		return err
	}
	return next.start(data)
}

// log returns the logger of events: for people, or for programs.
func (o options) log() *slog.Logger {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	if o.json {
		return terminal.JSON(os.Stdout, level)
	}
	return terminal.Log(os.Stderr, level, programs.Terminal())
}

// runUntilEnd runs the stack until ctx ends, the run fails, or the program changes: then it returns
// the successor.
func (o options) runUntilEnd(ctx context.Context, config programs.Config, from *handover) (next *successor, err error) {
	r, err := programs.Start(ctx, config)
	if ctx.Err() != nil && err != nil {
		return nil, errors.New("interrupted while starting")
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if o.ready != "" {
		if err := writeReady(o.ready, r.Endpoints()); err != nil {
			return nil, err
		}
		defer os.Remove(o.ready)
	}
	o.welcome(r, config, from)
	select {
	case err := <-r.Failed():
		return nil, err
	case <-ctx.Done():
		config.Log.Info("stopping")
		return nil, nil
	case s := <-r.Successor():
		logLosses(r, config.Log)
		return &successor{s, r.Endpoints(), time.Now()}, nil
	}
}

// welcome shows the endpoints: to people once, to programs whenever the run is ready. It shows no
// password.
func (o options) welcome(r *programs.Run, c programs.Config, handed *handover) {
	e := r.Endpoints()
	if handed != nil {
		c.Log.Info("restarted", "took", time.Since(handed.Began).Round(time.Millisecond))
	}
	if o.json {
		c.Log.Info("ready", events.Ready.Attr(), "program", c.Program.Name, "stage", c.Stage, "region", r.Region(),
			"api", e.API, "aws", e.AWS, "factory", e.Factory, "console", e.Console)
	} else if handed == nil {
		fmt.Print(welcome(c, r.Region(), e))
	}
}

// prepareReady checks, before anything starts, that the ready file can be written. It removes the
// file of a run that was killed, because its addresses are no longer valid.
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

// writeReady writes the endpoints of a run in one step. Only the owner may read the file, because
// the DSN has a password.
func writeReady(path string, e programs.Endpoints) error {
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
