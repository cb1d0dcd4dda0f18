// Package run runs a whole stack on one machine: it records the Pulumi program and starts a
// stand-in for each resource that the program declares. It starts nothing that the program does not
// declare. It does not import the shop's code: package cmd/local/programs passes the shop's
// program, outside servers and panels as values.
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
	"restock/infra/policy/usage"
	"restock/local/aws/apigateway"
	"restock/local/aws/lambda"
	"restock/local/aws/scheduler"
	"restock/local/system/loopback"
	"restock/local/system/watch"
	"restock/local/view/console"
)

// Config configures a run. DefaultConfig sets all fields that every run needs.
type Config struct {
	Program    Program
	ProjectDir string // the module's root, where go.mod is
	BuildDir   string // the folder of the built functions; keeping it makes the next start faster
	Built      bool   // BuildDir has all functions, and the emulator: the run builds nothing. Not with Watch or Debug
	Stage      string // the stage whose configuration is used

	// Addresses to listen on. Each must be a loopback address. Port 0 means any free port.
	API     string
	AWS     string
	Console string // empty: no console

	// AWSTLS is the address at which the run serves the AWS endpoint over HTTPS too. Empty: it does
	// not. The functions use the endpoint without TLS.
	AWSTLS string

	// OTLP is the URL of a collector of OpenTelemetry that gets the journeys as spans. Empty: none.
	OTLP string

	// Panels are the parts that the program adds to the console.
	Panels []console.Panel

	// Outside are the servers outside AWS that the program's functions call, such as the shop's
	// factory. A run starts a stand-in for each.
	Outside []OutsideServer

	// Settings replace settings of the stage, by their keys.
	Settings map[string]any

	DSN string // of a MySQL or MariaDB server, in the format of go-sql-driver; empty: a private server

	// Data is a folder that keeps the private server's data from run to run. Only one run at a time
	// may use it. Empty: the data are temporary.
	Data string

	// Watch makes the run follow the sources. If the sources of a function change, the run rebuilds
	// and replaces the function. If the program changes, a new process replaces the run: see
	// Successor.
	Watch bool

	// Command is the package of the command that runs the program, such as "./cmd/local". With
	// Watch, the run builds it anew when the program changes.
	Command string

	// Changes says how the stack has changed since the previous run, one change in a line, if this
	// run replaces another one. The console shows the lines.
	Changes []string

	// Listening, if not nil, is called when the run has opened its listeners, before any other
	// work.
	Listening func() error

	// Edit, if not nil, changes the recorded graph before it is checked and run.
	Edit func(*graph.Graph)

	// Refused, if not nil, is called once for each call that the run refuses, with one line: the
	// call, what is missing, and where it belongs. Many goroutines may call it.
	Refused func(line string)

	// Usage is a file with the calls that policies allowed. When the run ends, it adds its own.
	// Empty: the run writes none. The file has the ARNs of resources, with the keys of S3 objects
	// and the names of parameters. It has no values of secrets, and no bodies of calls.
	Usage string

	// DuplicateRate is the share of messages, 0 to 1, that queues deliver twice. A standard queue
	// of AWS may do this to any message.
	DuplicateRate float64

	// Services are addresses of emulators on this machine, by the service, such as "dynamodb". The
	// AWS endpoint passes on the calls that it allows.
	Services map[string]string

	// Emulators are addresses of emulators on this machine, by the variables that lead the SDKs to
	// them, such as AWS_ENDPOINT_URL_DYNAMODB. They are like Services if the run knows the
	// permissions of the service's calls. Otherwise the functions get these variables, except those
	// of services that the run has a stand-in for.
	Emulators map[string]string

	// Interpose, if not nil, wraps the handler of the AWS endpoint. A test may use it to make calls
	// of AWS's API fail.
	Interpose func(http.Handler) http.Handler

	// Debug is the name of a function that runs under the command Debugger; empty for none. See
	// lambda.Function.
	Debug    string
	Debugger []string

	// Unchecked starts a program even if it breaks rules, so that a person can see how it would
	// fail on AWS. The run logs the violations.
	Unchecked bool

	Log *slog.Logger
}

// BuildDir is the folder of built functions, below the project's folder.
const BuildDir = ".build"

// DefaultConfig returns the configuration of a run of a program. projectDir is the folder of its
// module.
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

// A Run is a running stack.
type Run struct {
	config  Config
	listen  listeners
	region  string
	console *console.Console // nil without a console

	schedules []*scheduler.Schedule
	apis      []*apigateway.API
	services  *services // nil before the program is recorded
	usage     usage.Record
	host      *lambda.Host
	built     map[string]string // checksums of the functions' executables, by name
	watcher   *watch.Watcher    // nil without Config.Watch
	successor chan Successor    // see Successor
	dsn       string
	awsBundle string    // see Endpoints
	standIns  []StandIn // of the outside servers
	closers   []closer  // see onClose

	notRun map[string]string // why the run does not run a declared resource, by its URN

	closing chan struct{} // closed when Close begins
	failed  chan error    // see Failed
}

// A closer stops a part of the run.
type closer struct {
	part string
	end  func(context.Context) error
}

// Endpoints are the addresses of a run's parts.
type Endpoints struct {
	API     string `json:"api"` // empty if the program declares no API and no function URL
	AWS     string `json:"aws"`
	Console string `json:"console"` // empty without a console
	DSN     string `json:"dsn"`     // of the database, as its administrator; empty without a database

	AWSTLS    string `json:"awsTls,omitempty"`    // empty without Config.AWSTLS
	AWSBundle string `json:"awsBundle,omitempty"` // the file with the certificate that clients of AWSTLS trust

	Outside map[string]string `json:"-"` // URLs of the outside servers, by name

	// APIs are the URLs of the declared APIs and function URLs by URN, if there are several. API is
	// one of them.
	APIs map[string]string `json:"apis,omitempty"`
}

// Region returns the AWS region of the stage.
func (r *Run) Region() string { return r.region }

// Endpoints returns the addresses of the run's parts.
func (r *Run) Endpoints() Endpoints {
	e := Endpoints{
		API: r.listen.url(r.listen.api), AWS: r.listen.url(r.listen.aws), Console: r.listen.url(r.listen.console),
		DSN: r.dsn, AWSTLS: r.listen.url(r.listen.awsTLS), AWSBundle: r.awsBundle, Outside: map[string]string{},
		APIs: r.listen.several(),
	}
	for name, l := range r.listen.outside {
		e.Outside[name] = l.URL()
	}
	if !r.listen.apis.declared() {
		e.API = ""
	}
	return e
}

// Start starts a stack, and returns when it is ready to serve. If it fails, it stops what it has
// started.
func Start(ctx context.Context, config Config) (*Run, error) {
	r := &Run{
		config: config, closing: make(chan struct{}), failed: make(chan error, 1),
		successor: make(chan Successor, 1), notRun: map[string]string{},
	}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Run) start(ctx context.Context) error {
	var err error
	if r.config.BuildDir, err = filepath.Abs(r.config.BuildDir); err != nil {
		return fmt.Errorf("finding the build folder: %w", err)
	}
	if r.listen, err = openListeners(r.config); err != nil {
		return err
	}
	r.onClose("listeners", func(context.Context) error { return r.listen.close() })
	if err := r.startViews(); err != nil {
		return err
	}
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
	if err := r.showProgram(program); err != nil {
		return err
	}
	services := program.services
	r.services = services
	if err := services.create(r, program); err != nil {
		return err
	}
	if r.config.Usage != "" {
		r.onClose("record of calls", r.keepUsage)
	}
	if err := r.reportNotRun(services); err != nil {
		return err
	}
	r.onClose("queues", func(context.Context) error { services.sqs.Close(); return nil })
	aws := services.handler
	if r.config.Interpose != nil {
		aws = r.config.Interpose(aws)
	}
	r.serve("AWS endpoint", r.listen.aws, aws, nil)
	if err := r.serveTLS(aws); err != nil {
		return err
	}

	endOutside := r.startOutside()
	functions, err := r.newFunctions(program, services.authority)
	if err != nil {
		return err
	}
	services.functions.Store(&functions)
	if err := functions.runInvocations(ctx, program.graph, r.config.Log); err != nil {
		return err
	}
	if err := functions.prepare(ctx); err != nil {
		if !r.config.Unchecked {
			return err
		}
		r.config.Log.Error("a function cannot start", "error", err)
	}
	r.onClose("topics' invocations", func(context.Context) error { services.topics.Close(); return nil })
	r.onClose("invocations by events", func(context.Context) error { services.buses.Close(); return nil })
	r.onClose("rotations", func(context.Context) error { services.secrets.Close(); return nil })
	if err := services.start(); err != nil {
		return err
	}
	r.answerWithoutAPI()
	if err := r.showStack(program, services, functions); err != nil {
		return err
	}
	r.followSources(program, functions)
	// Registered last, so the outside servers stop first: they call the API back, and the API must
	// still answer.
	r.onClose("outside servers", endOutside)
	return nil
}

// PassTime invokes the functions of all schedules now, as if the next scheduled time had come.
func (r *Run) PassTime(ctx context.Context) {
	for _, s := range r.schedules {
		s.Fire(ctx)
	}
}

// Failed returns a channel. It gets an error if the run stops although nobody called Close.
func (r *Run) Failed() <-chan error { return r.failed }

// onClose registers a function that stops a part. Close calls these functions in the reverse order.
func (r *Run) onClose(part string, end func(context.Context) error) {
	r.closers = append(r.closers, closer{part, end})
}

// serve serves a part over HTTP until the run closes. allowed, if not nil, says which foreign
// origins may send it requests.
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
			return server.Close() // some requests are unfinished: close their connections
		}
		return nil
	})
}

// shutdownGrace is how long running requests may take when the run ends.
const shutdownGrace = 2 * time.Second

// closeTimeout is how long all parts of a run together may take to stop. Then the run kills the
// processes that have not ended.
const closeTimeout = time.Minute

// Close stops the run, and returns when all its parts have stopped. It must be called once only.
func (r *Run) Close() error {
	close(r.closing)
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	for _, c := range slices.Backward(r.closers) {
		if err := c.end(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping the %s: %w", c.part, err))
		}
	}
	r.closers = nil
	return errors.Join(errs...)
}
