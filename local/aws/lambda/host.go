// Package lambda runs Lambda functions on this machine. Each instance is a process that talks to
// the host through Lambda's Runtime API, as on AWS.
//
// # Logs
//
// Each line of a function's output becomes a record of the host's logger. The line is the message;
// the attributes are function, stream (stdout or stderr) and request_id. A JSON line with a "level"
// sets the record's level. After each invocation the host logs a record "invocation ended" with the
// content of Lambda's REPORT line. The host's own records have no attribute stream.
//
// # Differences from AWS
//
// An instance is a process, not a virtual machine. Its memory is the process's memory, including
// the pages of its program, but without child processes. Only Linux reports it, so only on Linux
// does the host kill an instance that exceeds its memory size. The share of the processor does not
// depend on the memory size. A process is not frozen between invocations: its background work
// continues.
//
// TMPDIR names an instance's own folder instead of /tmp. os.TempDir and its counterparts in other
// languages follow it. After an invocation that ended its process, the next process gets the
// folder, as on AWS. Otherwise the host removes it with the instance. It does not limit its size.
// A literal path /tmp is this machine's. The function's own folder is not read-only as on AWS.
//
// # Why not AWS's emulator
//
// The Lambda Runtime Interface Emulator, github.com/aws/aws-lambda-runtime-interface-emulator, is a
// program for one function. Its server has one invocation context and refuses a second invocation
// while the first runs (ErrAlreadyReserved, its issue 97). It reads its configuration from its own
// environment, and passes all of that environment on to the function. Its library has no stable
// API. The Runtime API itself has only four requests (see runtime.go).
package lambda

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"restock/local/system/loopback"
	"restock/local/system/tempdir"
)

// Defaults of Config.
const (
	// DefaultIdleTimeout is the lifetime of an idle instance. AWS documents none.
	DefaultIdleTimeout = 5 * time.Minute

	// DefaultInitTimeout is Lambda's limit for the init phase.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
	DefaultInitTimeout = 10 * time.Second
)

// ErrClosed is the error of an invocation that was refused or cancelled because the host closed.
var ErrClosed = errors.New("the Lambda host is closed")

// Config is the configuration of a host.
type Config struct {
	Region    string
	AccountID string

	// EndpointURL is the endpoint of the functions' AWS SDKs (AWS_ENDPOINT_URL). Empty means AWS.
	EndpointURL string

	// IdleTimeout is the lifetime of an idle instance; 0 means DefaultIdleTimeout.
	IdleTimeout time.Duration

	// InitTimeout limits an instance's start; 0 means DefaultInitTimeout.
	InitTimeout time.Duration

	// Concurrency limits the account's concurrent invocations of all functions; 0 means
	// DefaultConcurrency.
	Concurrency int

	// Credentials returns the credentials of a new instance. release, which must not be nil, is
	// called when the instance has ended. If Credentials is nil, each instance gets the function's
	// Credentials.
	Credentials func(Function) (c Credentials, release func())

	// XRayDaemon is the address of the X-Ray daemon, a host and a port. Empty means
	// DefaultXRayDaemon.
	XRayDaemon string

	// Log receives the functions' output and reports. Nil discards them.
	Log *slog.Logger
}

// Host runs functions. One HTTP server on loopback is the Runtime API of all instances.
type Host struct {
	config   Config
	log      *slog.Logger
	addr     string       // of the Runtime API
	tmp      *tempdir.Dir // has the folders of the instances
	server   *http.Server
	shutdown chan struct{} // closed when instances must end

	serving sync.WaitGroup // the server
	running sync.WaitGroup // invocations and watchers of instances

	unreserved unreserved

	mu        sync.Mutex
	closed    bool
	functions map[string]*Deployed // by name
	instances map[string]*instance // by id; they may call the Runtime API
}

// NewHost starts a host without functions. The caller must close it.
func NewHost(c Config) (*Host, error) {
	c.IdleTimeout = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	c.InitTimeout = cmp.Or(c.InitTimeout, DefaultInitTimeout)
	c.XRayDaemon = cmp.Or(c.XRayDaemon, DefaultXRayDaemon)
	c.Concurrency = cmp.Or(c.Concurrency, DefaultConcurrency)

	tmp, err := tempdir.New("restock-lambda-*")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the functions' temporary files: %w", err)
	}
	listener, err := loopback.Listen("127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the Lambda Runtime API: %w", err), tmp.Remove())
	}
	h := &Host{
		config:     c,
		log:        cmp.Or(c.Log, slog.New(slog.DiscardHandler)),
		addr:       listener.Addr().String(),
		tmp:        tmp,
		shutdown:   make(chan struct{}),
		unreserved: unreserved{free: c.Concurrency, left: c.Concurrency},
		functions:  map[string]*Deployed{},
		instances:  map[string]*instance{},
	}
	h.server = &http.Server{
		ReadHeaderTimeout: DefaultInitTimeout,
		Handler:           h.runtimeAPI(),
		ConnContext:       withRuntimeConn,
	}
	listener.Wrap = newRuntimeConn
	h.serving.Go(func() {
		if err := listener.Serve(h.server, nil, h.log); !errors.Is(err, http.ErrServerClosed) {
			h.log.Error("the Lambda Runtime API ended", "error", err)
		}
	})
	return h, nil
}

// Add adds a function. The first invocation starts the first instance. The error names the part of
// the declaration that Lambda or this host refuses.
func (h *Host) Add(f Function) (*Deployed, error) {
	if err := f.validate(); err != nil {
		return nil, fmt.Errorf("adding function %q: %w", f.Name, err)
	}
	f.ARN = cmp.Or(f.ARN, fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", h.config.Region, h.config.AccountID, f.Name))
	f.MemoryMB = cmp.Or(f.MemoryMB, DefaultMemoryMB)

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, fmt.Errorf("adding function %q: %w", f.Name, ErrClosed)
	}
	if h.functions[f.Name] != nil {
		return nil, fmt.Errorf("adding function %q: a function with that name exists", f.Name)
	}
	if n := f.ReservedConcurrency; n != nil {
		if err := h.unreserved.reserve(*n); err != nil {
			return nil, fmt.Errorf("adding function %q: %w", f.Name, err)
		}
	}
	d := &Deployed{Function: f, host: h, log: h.log.With("function", f.Name)}
	h.functions[f.Name] = d
	return d, nil
}

// Close waits for running invocations until ctx ends, then kills every instance. New invocations
// fail with ErrClosed. When Close returns, no process and no temporary file is left. It returns
// ctx's error if it cancelled invocations.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	first := !h.closed
	h.closed = true
	functions := h.functions
	h.mu.Unlock()
	if !first {
		h.serving.Wait()
		return nil
	}

	var err error
	for _, f := range functions {
		if e := f.drain(ctx); e != nil {
			err = fmt.Errorf("closing the Lambda host: invocations were cancelled: %w", e)
		}
	}
	close(h.shutdown)
	h.running.Wait()
	// This is the last step: an instance without a Runtime API logs errors.
	err = errors.Join(err, h.server.Close())
	h.serving.Wait()
	return errors.Join(err, h.tmp.Remove())
}

// credentialsOf returns the credentials of a new instance, and the function that releases them.
func (h *Host) credentialsOf(f Function) (c Credentials, release func()) {
	if h.config.Credentials == nil {
		return f.Credentials, func() {}
	}
	return h.config.Credentials(f)
}

// begin runs f in a goroutine that Close waits for. It fails if the host is closed.
func (h *Host) begin(f func()) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.running.Go(f)
	return nil
}
