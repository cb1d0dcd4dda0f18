package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	// Lambda's limits, and its default memory size.
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	DefaultMemoryMB = 128
	MinMemoryMB     = 128
	MaxMemoryMB     = 10240
	MaxTimeout      = 15 * time.Minute

	// MaxRequest is the size in bytes of the largest event of a synchronous invocation (6 MB).
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxRequest = 6 << 20
)

// What a function's LogFormat may be.
// https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
const (
	LogFormatText = "Text"
	LogFormatJSON = "JSON"
)

// Function is the declaration of a function.
type Function struct {
	Name string

	// ARN; empty means the one that follows from the host's region and account.
	ARN string

	// Executable is the program that handles the invocations.
	Executable string

	// Environment holds the declared variables: those that Lambda sets itself are not among them.
	Environment map[string]string

	// Timeout of one invocation, at most MaxTimeout.
	Timeout time.Duration

	// MemoryMB is the memory size in MiB; 0 means DefaultMemoryMB.
	MemoryMB int

	// ReservedConcurrency is how many instances may run at once; nil means that the function shares what the others leave of the
	// account's. 0 throttles every invocation, as on AWS.
	ReservedConcurrency *int

	// ConcurrencySetting says where ReservedConcurrency is set, for the person who reads that all instances are busy. May be empty.
	ConcurrencySetting string

	// LogFormat is LogFormatText or LogFormatJSON: what AWS_LAMBDA_LOG_FORMAT says to the function. Empty means LogFormatText.
	LogFormat string

	// LogLevel is the application's log level, DEBUG for one: what AWS_LAMBDA_LOG_LEVEL says to a function whose LogFormat is
	// LogFormatJSON. Empty means INFO.
	LogLevel string

	// LogGroup is the name of the log group that AWS_LAMBDA_LOG_GROUP_NAME tells the function; empty means /aws/lambda/ and the
	// function's name.
	LogGroup string

	// Role is the ARN of the role that the function runs with. It is the host's Config.Credentials to make something of it.
	Role string

	// Credentials of every instance, where the host's Config.Credentials is nil.
	Credentials Credentials
}

// Credentials are what a function signs its AWS requests with.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

func (f Function) validate() error {
	if f.Name == "" {
		return errors.New("it has no name")
	}
	if f.Timeout <= 0 || f.Timeout > MaxTimeout {
		return fmt.Errorf("its timeout is %v; it must be positive and at most %v", f.Timeout, MaxTimeout)
	}
	if m := f.MemoryMB; m != 0 && (m < MinMemoryMB || m > MaxMemoryMB) {
		return fmt.Errorf("its memory size is %d MB; it must be from %d to %d MB", m, MinMemoryMB, MaxMemoryMB)
	}
	if !slices.Contains([]string{"", LogFormatText, LogFormatJSON}, f.LogFormat) {
		return fmt.Errorf("its log format is %q; it must be %s or %s", f.LogFormat, LogFormatText, LogFormatJSON)
	}
	if n := f.ReservedConcurrency; n != nil && *n < 0 {
		return fmt.Errorf("its reserved concurrency is %d; it must not be negative", *n)
	}
	if !filepath.IsAbs(f.Executable) {
		return fmt.Errorf("the path of its executable, %q, is not absolute", f.Executable)
	}
	if _, err := exec.LookPath(f.Executable); err != nil {
		return fmt.Errorf("its executable can't be run, was it built? %w", err)
	}
	return validateEnvironment(f.Environment)
}

// Deployed is a function that a host runs.
type Deployed struct {
	Function
	host *Host
	log  *slog.Logger

	mu         sync.Mutex
	generation int           // of the executable: how often Reload was called
	idle       []*instance   // warm ones, of this generation; the last was used last
	busy       int           // instances that start, run an invocation or are being killed
	quiescent  chan struct{} // closed by release when busy falls to 0; nil while nobody waits
}

// Invoke runs the function on an event and returns its answer, both JSON. The error is a
// *FunctionError if the function failed, ErrThrottled if it may not run now, ErrRequestTooLarge or ErrInvalidRequest if the event
// is refused, ErrClosed if the host was closed, and the cause of ctx's end if that came first. No event is an empty object.
// The end of ctx does not stop the function: as on AWS, a caller that goes away stops nothing.
func (d *Deployed) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if len(payload) > MaxRequest {
		return nil, fmt.Errorf("invoking %s with an event of %d bytes: %w", d.Name, len(payload), ErrRequestTooLarge)
	}
	if !json.Valid(payload) {
		return nil, fmt.Errorf("invoking %s: %w", d.Name, ErrInvalidRequest)
	}
	inst, err := d.acquire()
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", d.Name, err)
	}
	type result struct {
		payload []byte
		err     error
	}
	done := make(chan result, 1)
	err = d.host.begin(func() {
		out, err := d.run(inst, newInvocation(ctx, payload))
		done <- result{out, err}
	})
	if err != nil {
		d.release(nil) // Close ends the idle ones itself
		return nil, fmt.Errorf("invoking %s: %w", d.Name, err)
	}
	select {
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("invoking %s: %w", d.Name, r.err)
		}
		return r.payload, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("invoking %s: %w", d.Name, context.Cause(ctx))
	}
}

// run runs one invocation on a warm instance, or on a new one if warm is nil. If the warm one ended
// while it was idle, a new instance gets the event. An instance that read the event and then ended
// has failed: nobody knows what it had done by then, so the event is not tried again. Neither is one
// whose new instance ends at once: the next one would do the same.
func (d *Deployed) run(warm *instance, inv *invocation) ([]byte, error) {
	if warm != nil {
		out, err := warm.invoke(inv)
		if !errors.Is(err, errUnread) {
			d.report(inv, err)
			d.release(warm)
			return out, err
		}
		warm.logIdleEnd()
	}
	inst, err := d.startInstance(inv)
	if err != nil {
		d.report(inv, err)
		d.release(nil)
		return nil, err
	}
	out, err := inst.invoke(inv)
	if errors.Is(err, errUnread) {
		failure := inst.failed(inv.requestID)
		failure.RequestID, failure.Stderr = inv.requestID, inst.stderr.Lines()
		err = failure
	}
	d.report(inv, err)
	d.release(inst)
	return out, err
}

// acquire takes the warm instance that was used last; nil means that the caller may start one.
func (d *Deployed) acquire() (*instance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Idle instances hold no concurrency: it counts invocations.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
	if n := d.ReservedConcurrency; n != nil && d.busy >= *n || n == nil && !d.host.unreserved.take() {
		return nil, d.throttled()
	}
	d.busy++
	if len(d.idle) == 0 {
		return nil, nil
	}
	inst := d.idle[len(d.idle)-1]
	d.idle = d.idle[:len(d.idle)-1]
	inst.reap.Stop()
	return inst, nil
}

// throttled is the error of an invocation that finds all concurrency in use.
func (d *Deployed) throttled() error {
	setting := ""
	if d.ConcurrencySetting != "" {
		setting = " (" + d.ConcurrencySetting + ")"
	}
	switch n := d.ReservedConcurrency; {
	case n == nil:
		return &ThrottledError{fmt.Sprintf("all %d invocations at once that the account allows are in use", d.host.unreserved.total())}
	case *n == 0:
		return &ThrottledError{fmt.Sprintf("no instance of %s may run: its concurrency is 0%s", d.Name, setting)}
	default:
		return &ThrottledError{fmt.Sprintf("all %d instances of %s are busy%s", *n, d.Name, setting)}
	}
}

// release ends what acquire began. The instance is kept for the next invocation if it lives.
func (d *Deployed) release(inst *instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case inst == nil || inst.ended():
	case inst.generation != d.generation:
		d.host.running.Go(inst.proc.Kill) // not begin: this runs within an invocation, which Close waits for
	default:
		inst.reap = time.AfterFunc(d.host.config.IdleTimeout, func() {
			if d.forget(inst) {
				inst.log.Debug("idle instance ended", "idle", d.host.config.IdleTimeout)
				inst.proc.Kill()
			}
		})
		d.idle = append(d.idle, inst)
	}
	if d.ReservedConcurrency == nil {
		d.host.unreserved.put()
	}
	d.busy--
	if d.busy == 0 && d.quiescent != nil {
		close(d.quiescent)
		d.quiescent = nil
	}
}

// forget removes an instance from the idle ones and tells whether it was among them.
func (d *Deployed) forget(inst *instance) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.Index(d.idle, inst)
	if i < 0 {
		return false
	}
	inst.reap.Stop()
	d.idle = slices.Delete(d.idle, i, i+1)
	return true
}

// drain waits until no invocation runs. The host accepts no new ones by then.
func (d *Deployed) drain(ctx context.Context) error {
	d.mu.Lock()
	if d.busy == 0 {
		d.mu.Unlock()
		return nil
	}
	quiescent := make(chan struct{})
	d.quiescent = quiescent
	d.mu.Unlock()
	select {
	case <-quiescent:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
