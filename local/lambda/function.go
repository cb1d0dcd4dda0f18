package lambda

import (
	"cmp"
	"context"
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
	// DefaultMemoryMB and MaxTimeout are Lambda's.
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	DefaultMemoryMB = 128
	MaxTimeout      = 15 * time.Minute
)

// ErrThrottled is the error of an invocation that found all concurrency in use,
// TooManyRequestsException on AWS. The function did not run.
var ErrThrottled = errors.New("TooManyRequestsException: Rate Exceeded")

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

	// ReservedConcurrency is how many instances may run at once; nil means any number. 0
	// throttles every invocation, as on AWS.
	ReservedConcurrency *int

	// LogFormat is Text or JSON: what AWS_LAMBDA_LOG_FORMAT says to the function. Empty means Text.
	LogFormat string

	// Credentials of the function's role.
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

	mu        sync.Mutex
	idle      []*instance   // warm ones; the last was used last
	busy      int           // instances that start, run an invocation or are being killed
	quiescent chan struct{} // closed by release when busy falls to 0; nil while nobody waits
}

// Invoke runs the function on an event and returns its answer, both JSON. The error is a
// *FunctionError if the function failed, ErrThrottled if it may not run now, ErrClosed
// if the host was closed, and the cause of ctx's end if that came first.
// The end of ctx does not stop the function: as on AWS, a caller that goes away stops nothing.
func (d *Deployed) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
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
		out, err := d.run(inst, newInvocation(payload))
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

// run runs one invocation, on a new instance if inst is nil or has ended meanwhile.
func (d *Deployed) run(inst *instance, inv *invocation) ([]byte, error) {
	var cold bool
	var out []byte
	var err error
	for delivered := false; !delivered; {
		if inst == nil {
			cold = true
			if inst, err = d.startInstance(inv); err != nil {
				d.release(nil)
				d.report(inst, inv, cold, err)
				return nil, err
			}
		}
		if out, delivered, err = inst.invoke(inv); !delivered {
			inst = nil // it ended while it was idle; the event is still ours
		}
	}
	d.report(inst, inv, cold, err)
	d.release(inst)
	return out, err
}

// acquire takes the warm instance that was used last; nil means that the caller may start one.
func (d *Deployed) acquire() (*instance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Idle instances hold no concurrency: it counts invocations.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
	if n := d.ReservedConcurrency; n != nil && d.busy >= *n {
		return nil, ErrThrottled
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

// release ends what acquire began. The instance is kept for the next invocation if it lives.
func (d *Deployed) release(inst *instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if inst != nil && !inst.ended() {
		inst.reap = time.AfterFunc(d.host.config.IdleTimeout, func() {
			if d.forget(inst) {
				inst.log.Debug("idle instance ended", "idle", d.host.config.IdleTimeout)
				inst.proc.Kill()
			}
		})
		d.idle = append(d.idle, inst)
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

// report logs what Lambda's REPORT line says. Its levels are those of Lambda's own
// platform.report. inst is nil if none could be started.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
func (d *Deployed) report(inst *instance, inv *invocation, cold bool, err error) {
	attrs := []slog.Attr{
		slog.String("request_id", inv.requestID),
		slog.Duration("duration", inv.duration),
		slog.Int("memory_size_mb", d.MemoryMB),
	}
	if inst != nil {
		if cold {
			attrs = append(attrs, slog.Duration("init_duration", inst.initDuration))
		}
		if peak := cmp.Or(inv.peakMemory, inst.proc.PeakMemory()); peak > 0 {
			attrs = append(attrs, slog.Int64("max_memory_used_mb", peak>>20))
		}
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, failureAttr(err))
	}
	d.log.LogAttrs(context.Background(), level, "invocation ended", attrs...)
}

// failureAttr describes a failure without the process's output, which was logged as it came.
func failureAttr(err error) slog.Attr {
	var failure *FunctionError
	if errors.As(err, &failure) {
		return slog.Group("", "error_type", failure.Type, "error", failure.Message)
	}
	return slog.Any("error", err)
}
