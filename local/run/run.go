// Package run runs a whole stack on one machine: it records the Pulumi program, and starts a stand-in for each resource that
// the program declares. What the program does not declare is not there.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"restock/infra/graph"
	"restock/local/aws/scheduler"
	"restock/local/aws/sqs"
	"restock/local/system/loopback"
	"restock/local/system/watch"
	"restock/local/view/console"
)

// Config says how a run runs. DefaultConfig fills all that is needed.
type Config struct {
	Program    Program
	ProjectDir string // the module's root, where go.mod is
	BuildDir   string // where the functions are built; kept from run to run, it makes the next one start faster
	Stage      string // whose configuration to run

	// Addresses to listen on, all of them loopback; port 0 is any free port.
	API     string
	AWS     string
	Console string // empty: there is none

	// Panels are the program's own parts of the console.
	Panels []console.Panel

	// Outside are the servers outside AWS that the program's functions call, where a stage names them.
	Outside []OutsideServer

	DSN string // of a MySQL/MariaDB server, as go-sql-driver writes it; empty: a private one

	// Data is a directory in which the private server keeps its data from run to run; empty: nowhere. One run at a time may use it.
	Data string

	// Watch makes what runs follow its sources: see Successor for what becomes of changes of the program itself.
	Watch bool

	// Command is the package of the command that runs the program, "./cmd/local". With Watch, the run builds it anew when the program
	// changes.
	Command string

	// Changes, in lines, are those of the stack where this run is the successor of one. The console shows them.
	Changes []string

	// Listening, where it is not nil, is called when the addresses are the run's, before anything else is done.
	Listening func() error

	// Edit, where it is not nil, changes the recorded graph before it is checked and run.
	Edit func(*graph.Graph)

	// Refused, where it is not nil, is called with each thing that the run refuses, once, in one line: what may not be done, what is missing,
	// and where it belongs. It may be called from many goroutines.
	Refused func(line string)

	// DuplicateRate is the share of messages, 0 to 1, that queues deliver twice, as standard queues may.
	DuplicateRate float64

	// Interpose, where it is not nil, stands before the AWS endpoint: it may fail in its place.
	Interpose func(http.Handler) http.Handler

	// Unchecked runs what the rules refuse, after saying what they would: to see it fail as it does on AWS.
	Unchecked bool

	Log *slog.Logger
}

// BuildDir is where a project's functions are built, below the project.
const BuildDir = ".build"

// DefaultConfig is a run of a program of the module in a directory.
func DefaultConfig(p Program, projectDir string) Config {
	return Config{
		Program:    p,
		ProjectDir: projectDir,
		BuildDir:   filepath.Join(projectDir, BuildDir),
		Stage:      "dev",
		API:        "127.0.0.1:8080",
		AWS:        "127.0.0.1:4566",
		Log:        slog.Default(),
	}
}

// A Run is a stack at work.
type Run struct {
	config  Config
	listen  listeners
	region  string
	console *console.Console // nil where there is none

	schedules []*scheduler.Schedule
	queues    map[string]*sqs.Queue // by ARN
	built     map[string]string     // the sums of the functions' executables, by name
	watcher   *watch.Watcher        // nil where nothing is watched
	successor chan Successor
	dsn       string
	standIns  []StandIn // of outside servers
	closers   []closer

	closing chan struct{} // closed when Close begins
	failed  chan error
}

// A closer ends a part of the run.
type closer struct {
	part string
	end  func(context.Context) error
}

// Endpoints are where a run's parts are to be found.
type Endpoints struct {
	API     string `json:"api"`
	AWS     string `json:"aws"`
	Console string `json:"console"` // empty where there is none
	DSN     string `json:"dsn"`     // of the database, as its administrator; empty where the program declares none

	Outside map[string]string `json:"-"` // of the outside servers that the stage names, by name
}

// Region is the region of the stage.
func (r *Run) Region() string { return r.region }

// Endpoints returns where the run's parts are to be found.
func (r *Run) Endpoints() Endpoints {
	e := Endpoints{
		API: r.listen.url(r.listen.api), AWS: r.listen.url(r.listen.aws), Console: r.listen.url(r.listen.console), DSN: r.dsn,
		Outside: map[string]string{},
	}
	for name, l := range r.listen.outside {
		e.Outside[name] = l.URL()
	}
	return e
}

// Start starts a stack, and returns when it is ready to serve. An error leaves nothing behind.
func Start(ctx context.Context, config Config) (*Run, error) {
	r := &Run{config: config, closing: make(chan struct{}), failed: make(chan error, 1), successor: make(chan Successor, 1)}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Run) start(ctx context.Context) error {
	var err error
	if r.config.BuildDir, err = filepath.Abs(r.config.BuildDir); err != nil {
		return fmt.Errorf("finding the folder to build in: %w", err)
	}
	outside, err := r.outsideServers()
	if err != nil {
		return err
	}
	if r.listen, err = openListeners(r.config, outside); err != nil {
		return err
	}
	r.onClose("listeners", func(context.Context) error { return r.listen.close() })
	r.startConsole()
	r.showChanges()

	if r.config.Listening != nil {
		if err := r.config.Listening(); err != nil {
			return err
		}
	}
	r.watchSources()
	program, err := r.record(ctx)
	if err != nil {
		return err
	}
	r.region = program.graph.Region
	if err := r.draw(program); err != nil {
		return err
	}
	reportNotRun(program.graph, r.config.Log)
	services, err := r.newServices(program)
	if err != nil {
		return err
	}
	r.queues = services.queues
	r.onClose("queues", func(context.Context) error { services.sqs.Close(); return nil })
	aws := services.handler
	if r.config.Interpose != nil {
		aws = r.config.Interpose(aws)
	}
	r.serve("AWS endpoint", r.listen.aws, aws, nil)

	endOutside := r.startOutside(outside)
	functions, err := r.newFunctions(program, services.authority)
	if err != nil {
		return err
	}
	services.functions.Store(&functions)
	if err := functions.runInvocations(ctx, program.graph, r.config.Log); err != nil {
		return err
	}
	r.onClose("rotations", func(context.Context) error { services.secrets.Close(); return nil })
	if err := services.startRotations(program.graph); err != nil {
		return err
	}
	if err := r.startSources(program, services, functions); err != nil {
		return err
	}
	if err := r.serveAPI(program, services, functions); err != nil {
		return err
	}
	if err := r.showInConsole(program, services, functions); err != nil {
		return err
	}
	r.followSources(program, functions)
	// Outside servers end first: nobody would answer what they call back.
	r.onClose("outside servers", endOutside)
	return nil
}

// PassTime invokes what is scheduled, as if the time for it had come.
func (r *Run) PassTime(ctx context.Context) {
	for _, s := range r.schedules {
		s.Fire(ctx)
	}
}

// Failed tells that the run has come to its end by itself, and why.
func (r *Run) Failed() <-chan error { return r.failed }

// onClose says how a part ends. Parts end in the reverse order of their beginning.
func (r *Run) onClose(part string, end func(context.Context) error) {
	r.closers = append(r.closers, closer{part, end})
}

// serve serves a part over HTTP until the run is closed. allowed, where it is not nil, says which other origins' pages may
// send it requests.
func (r *Run) serve(part string, l *loopback.Listener, handler http.Handler, allowed func(origin string) bool) {
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() {
		if err := l.Serve(server, allowed, r.config.Log); err != nil && !errors.Is(err, http.ErrServerClosed) {
			r.config.Log.Error("serving failed", "part", part, "error", err)
		}
	}()
	r.onClose(part, func(stop context.Context) error {
		cancel() // ends long polls
		stop, done := context.WithTimeout(stop, shutdownGrace)
		defer done()
		if server.Shutdown(stop) != nil {
			return server.Close() // a client that has sent half a request would hold the others up
		}
		return nil
	})
}

// shutdownGrace is how long requests may take that are under way when the run ends.
const shutdownGrace = 2 * time.Second

// closeTimeout is how long the parts of a run may take to end, together. What has not ended then is killed.
const closeTimeout = 20 * time.Second

// Close ends the run, and returns when nothing of it is left. It is called once.
func (r *Run) Close() error {
	close(r.closing)
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	for _, c := range slices.Backward(r.closers) {
		if err := c.end(ctx); err != nil {
			errs = append(errs, fmt.Errorf("ending the %s: %w", c.part, err))
		}
	}
	r.closers = nil
	return errors.Join(errs...)
}
