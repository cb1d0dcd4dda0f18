package lambda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"restock/local/system/process"
	"restock/local/view/events"
)

// startInstance starts a process for the function and waits until it requests its first event. The
// error is a *FunctionError, or ErrClosed.
//
// The init phase is limited to InitTimeout. As on AWS, a longer one is killed and runs again as a
// part of the invocation, within the invocation's timeout:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
// Lambda also repeats a failed init. This host does not, because the repetition would fail again
// and log everything twice.
func (d *Deployed) startInstance(inv *invocation) (*instance, error) {
	started, initTimeout := time.Now(), d.host.config.InitTimeout
	if d.debugged() {
		initTimeout = debugSession
	}
	inst, err := d.initialise(inv, initTimeout)
	if err == nil {
		inv.initDuration = time.Since(started)
		return inst, nil
	}
	if failure := (*FunctionError)(nil); errors.As(err, &failure) && failure.Type == ErrorTypeTimeout {
		d.log.Warn("init did not end in time, it runs again within the function's timeout", "init_timeout", initTimeout,
			"timeout", d.Timeout)
		started = time.Now()
		inst, err = d.initialise(inv, time.Until(inv.begin(d.Timeout)))
	}
	inv.duration = time.Since(started) // of an invocation that ends here
	return inst, err
}

// initialise starts an instance and waits up to timeout until it requests its first event.
func (d *Deployed) initialise(inv *invocation, timeout time.Duration) (*instance, error) {
	inst, err := d.newInstance()
	if err != nil {
		return nil, &FunctionError{Type: ErrorTypeEntrypoint, Message: err.Error(), RequestID: inv.requestID}
	}
	if err := inst.awaitInit(inv, timeout); err != nil {
		return nil, err
	}
	inst.log.Debug("instance started", events.InstanceStarted.Attr(), "pid", inst.proc.PID())
	return inst, nil
}

// newInstance starts a process for the function, with its own folder and credentials.
func (d *Deployed) newInstance() (*instance, error) {
	inst := &instance{
		id:         randomHex(16),
		fn:         d,
		generation: d.current(), // read before the executable is opened
		stderr:     process.NewTail(stderrLines),
		ready:      make(chan struct{}, 1),
		initFailed: make(chan *FunctionError, 1),
		events:     make(chan *delivery),
		busy:       true,
	}
	logStream := time.Now().UTC().Format("2006/01/02/") + "[$LATEST]" + inst.id
	inst.log = d.log.With("log_stream", logStream)

	if inst.tmp = d.takeFolder(); inst.tmp == "" {
		inst.tmp = filepath.Join(d.host.tmp.Path(), inst.id)
		if err := os.Mkdir(inst.tmp, 0o700); err != nil {
			return nil, fmt.Errorf("creating the instance's folder: %w", err)
		}
	}
	var release func()
	inst.credentials, release = d.host.credentialsOf(d.Function)
	d.host.register(inst)
	inst.discard = func() {
		d.host.unregister(inst)
		release()
	}

	command := append(slices.Clone(d.Debugger), d.Executable)
	proc, err := process.Start(process.Config{
		Path:   command[0],
		Args:   command[1:],
		Gentle: d.debugged(),
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
		inst.removeFolder()
		return nil, err
	}
	inst.proc = proc
	// Not begin: this runs in an invocation, for which Close waits.
	d.host.running.Go(inst.watch)
	return inst, nil
}

// awaitInit waits until the process requests its first event. If it does not, awaitInit ends the
// process and returns a *FunctionError or ErrClosed.
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
	inst.removeFolder()
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

// watch ends the instance with the host, or if it exceeds its memory size. It cleans up after an
// instance that has ended.
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
	if !inst.isBusy() {
		inst.removeFolder()
	}
	if idle && !inst.closing() {
		inst.logIdleEnd()
	}
}

// logIdleEnd logs that an instance ended by itself between two events.
func (inst *instance) logIdleEnd() {
	inst.log.Warn("instance ended while it was idle", "error_type", inst.failed("").Type, "exit", inst.proc.Err())
}
