package lambda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"restock/local/system/process"
)

// startInstance starts a process for the function and waits until it asks for its first
// event. The error is a *FunctionError, or ErrClosed.
//
// An init phase has InitTimeout. One that takes longer is ended and run again as a part of the invocation, whose timeout then
// counts, as on AWS: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
// Lambda also runs an init again that failed; as that would only fail again, and say all twice, it is not done here.
func (d *Deployed) startInstance(inv *invocation) (*instance, error) {
	started, initTimeout := time.Now(), d.host.config.InitTimeout
	inst, err := d.initialise(inv, initTimeout)
	if err == nil {
		inv.initDuration = time.Since(started)
		return inst, nil
	}
	if failure := (*FunctionError)(nil); errors.As(err, &failure) && failure.Type == ErrorTypeTimeout {
		d.log.Warn("init did not end in time, it runs again within the function's timeout", "init_timeout", initTimeout, "timeout", d.Timeout)
		started = time.Now()
		inst, err = d.initialise(inv, time.Until(inv.begin(d.Timeout)))
	}
	inv.duration = time.Since(started) // of one that ends here
	return inst, err
}

// initialise starts an instance and waits for at most a time until it asks for its first event.
func (d *Deployed) initialise(inv *invocation, timeout time.Duration) (*instance, error) {
	inst, err := d.newInstance()
	if err != nil {
		return nil, &FunctionError{Type: ErrorTypeEntrypoint, Message: err.Error(), RequestID: inv.requestID}
	}
	if err := inst.awaitInit(inv, timeout); err != nil {
		return nil, err
	}
	inst.log.Debug("instance started", "pid", inst.proc.PID())
	return inst, nil
}

// newInstance starts a process for the function, with all that is its own.
func (d *Deployed) newInstance() (*instance, error) {
	inst := &instance{
		id:         randomHex(16),
		fn:         d,
		generation: d.current(), // before the executable is looked at
		stderr:     process.NewTail(stderrLines),
		ready:      make(chan struct{}, 1),
		initFailed: make(chan *FunctionError, 1),
		events:     make(chan *delivery),
	}
	logStream := time.Now().UTC().Format("2006/01/02/") + "[$LATEST]" + inst.id
	inst.log = d.log.With("log_stream", logStream)

	inst.tmp = filepath.Join(d.host.tmp.Path(), inst.id)
	if err := os.Mkdir(inst.tmp, 0o700); err != nil {
		return nil, fmt.Errorf("making the instance's folder: %w", err)
	}
	var release func()
	inst.credentials, release = d.host.credentialsOf(d.Function)
	d.host.register(inst)
	inst.discard = func() {
		d.host.unregister(inst)
		release()
		if err := os.RemoveAll(inst.tmp); err != nil {
			inst.log.Warn("the instance's folder could not be removed", "error", err)
		}
	}

	proc, err := process.Start(process.Config{
		Path:   d.Executable,
		Dir:    filepath.Dir(d.Executable),
		Env:    inst.environment(logStream),
		Stdout: func(line string) { inst.logLine("stdout", line) },
		Stderr: func(line string) {
			inst.stderr.Add(line)
			inst.logLine("stderr", line)
		},
	})
	if err != nil {
		inst.discard()
		return nil, err
	}
	inst.proc = proc
	// Not begin: this runs within an invocation, which Close waits for.
	d.host.running.Go(inst.watch)
	return inst, nil
}

// awaitInit waits until the process asks for its first event. Where it does not, it is ended, and the error is a *FunctionError
// or ErrClosed.
func (inst *instance) awaitInit(inv *invocation, timeout time.Duration) error {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	var failure *FunctionError
	select {
	case <-inst.ready:
		if !inst.measureMemory() {
			return nil
		}
		failure = memoryError(inv.requestID)
	case failure = <-inst.initFailed:
	case <-inst.proc.Done():
		failure = inst.failed(inv.requestID)
	case <-limit.C:
		failure = timeoutError(inv.requestID, timeout)
	case <-inst.fn.host.shutdown:
	}
	inst.proc.Kill()
	inv.peakMemory = inst.memory()
	if inst.closing() {
		return ErrClosed
	}
	select {
	case failure = <-inst.initFailed: // reported just before the process ended
	default:
	}
	failure.RequestID = inv.requestID
	failure.Stderr = inst.stderr.Lines()
	return failure
}

// watch sees to it that nothing is left of an instance that has ended, and that it ends with the host, and when it takes more
// memory than it may.
func (inst *instance) watch() {
	look := time.NewTicker(memoryInterval)
	defer look.Stop()
	for alive := true; alive; {
		select {
		case <-inst.proc.Done():
			alive = false
		case <-inst.fn.host.shutdown:
			inst.proc.Kill()
			alive = false
		case <-look.C:
			if inst.measureMemory() {
				inst.proc.Kill()
			}
		}
	}
	idle := inst.fn.forget(inst)
	inst.discard()
	if idle && !inst.closing() {
		inst.logIdleEnd()
	}
}

// logIdleEnd logs that an instance ended by itself between two events.
func (inst *instance) logIdleEnd() {
	inst.log.Warn("instance ended while it was idle", "error_type", inst.failed("").Type, "exit", inst.proc.Err())
}
