// Package lambda runs Lambda functions on this machine: each instance is a process of
// its own that speaks to the host through Lambda's Runtime API, as it would on AWS.
//
// # Logs
//
// A line that a function writes becomes a record of the host's logger, with the line as its
// message and the attributes function, stream (stdout or stderr) and request_id. A
// line of JSON with a "level" gives the record that level. After each invocation
// follows a record "invocation ended" with what Lambda's REPORT line holds. The host's own
// records have no attribute stream.
//
// # What is not as on AWS
//
// An instance is a process, not a virtual machine. Its memory is what the process holds, the pages of its program among them, but
// not those of children that it starts; it is known on Linux alone, and only there an instance that takes more than its memory size
// is killed. The processor's share does not follow the memory size. Between invocations a process is not frozen: what it left
// running runs on.
//
// The /tmp of an instance is a folder of its own that TMPDIR names, which os.TempDir and its like in other languages follow; it goes
// with the instance. A path that is written out as /tmp leads to this machine's. The folder's size is not limited, and the function's
// own folder, read-only on AWS, is as it is here.
//
// # Why not AWS's emulator
//
// The Lambda Runtime Interface Emulator, github.com/aws/aws-lambda-runtime-interface-emulator, is
// a program for one function: its server holds one invocation context and refuses
// a second invocation while the first runs (ErrAlreadyReserved, its issue 97), it takes its
// configuration from its own environment and hands all of that environment on to the
// function. The library inside has no stable API. The Runtime API itself is four
// requests (see runtime.go).
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
	// DefaultIdleTimeout is how long an idle instance is kept. AWS names no number.
	DefaultIdleTimeout = 5 * time.Minute

	// DefaultInitTimeout is Lambda's own limit of the init phase.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
	DefaultInitTimeout = 10 * time.Second
)

// ErrClosed is the error of an invocation that the end of the host prevented or cut short.
var ErrClosed = errors.New("the Lambda host is closed")

// Config says where the host pretends to be.
type Config struct {
	Region    string
	AccountID string

	// EndpointURL is where the functions' AWS SDKs send their requests
	// (AWS_ENDPOINT_URL). Empty means to AWS.
	EndpointURL string

	// IdleTimeout is how long an idle instance is kept; 0 means DefaultIdleTimeout.
	IdleTimeout time.Duration

	// InitTimeout is how long an instance may take to become ready; 0 means DefaultInitTimeout.
	InitTimeout time.Duration

	// Concurrency is how many invocations the account may have at once, of all functions; 0 means DefaultConcurrency.
	Concurrency int

	// Credentials returns what an instance of a function signs its AWS requests with. It is called when an instance starts, and
	// release, which may not be nil, when that instance has ended. Nil gives each instance the function's own Credentials.
	Credentials func(Function) (c Credentials, release func())

	// Log receives the functions' output and reports. Nil discards them.
	Log *slog.Logger
}

// Host runs functions. One HTTP server on loopback is the Runtime API of all instances.
type Host struct {
	config   Config
	log      *slog.Logger
	addr     string       // of the Runtime API
	tmp      *tempdir.Dir // holds the folders of the instances
	server   *http.Server
	shutdown chan struct{} // closed when instances must end

	serving sync.WaitGroup // the server
	running sync.WaitGroup // invocations and watchers of instances

	unreserved unreserved

	mu        sync.Mutex
	closed    bool
	functions map[string]*Deployed // by name
	instances map[string]*instance // by id, those that may call the Runtime API
}

// NewHost starts a host without functions. It must be closed.
func NewHost(c Config) (*Host, error) {
	c.IdleTimeout = cmp.Or(c.IdleTimeout, DefaultIdleTimeout)
	c.InitTimeout = cmp.Or(c.InitTimeout, DefaultInitTimeout)
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

// Add makes a function ready to be invoked. No instance is started before the first
// invocation. The error says which part of the declaration Lambda, or this host, refuses.
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
		return nil, fmt.Errorf("adding function %q: there is one of that name", f.Name)
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

// Close lets running invocations finish until ctx ends, then kills every instance. New
// invocations fail with ErrClosed from the beginning of Close. When Close
// returns, no process and no temporary file is left. The error is that of ctx if invocations were cut short.
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
			err = fmt.Errorf("closing the Lambda host: invocations were cut short: %w", e)
		}
	}
	close(h.shutdown)
	h.running.Wait()
	// Last: an instance that loses the Runtime API complains in the log.
	err = errors.Join(err, h.server.Close())
	h.serving.Wait()
	return errors.Join(err, h.tmp.Remove())
}

// credentialsOf returns what a new instance of a function signs with, and what gives that back.
func (h *Host) credentialsOf(f Function) (c Credentials, release func()) {
	if h.config.Credentials == nil {
		return f.Credentials, func() {}
	}
	return h.config.Credentials(f)
}

// begin runs f in a goroutine that Close waits for, unless the host is closed.
func (h *Host) begin(f func()) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.running.Go(f)
	return nil
}
