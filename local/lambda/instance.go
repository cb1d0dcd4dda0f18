package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/local/process"
)

// stderrLines is how many lines of its standard error the failure of an instance shows.
const stderrLines = 20

// invocation is one event on its way through an instance.
type invocation struct {
	requestID string
	traceID   string
	payload   []byte

	deadline time.Time    // set when the instance gets the event
	answer   chan *answer // holds the answer from its arrival on

	duration   time.Duration
	peakMemory int64 // bytes; 0 if not known
}

// answer is what the function had to say to an event.
type answer struct {
	payload []byte
	err     *FunctionError
}

func newInvocation(payload []byte) *invocation {
	return &invocation{
		requestID: uuid.NewString(),
		traceID:   newTraceID(time.Now()),
		payload:   payload,
		answer:    make(chan *answer, 1),
	}
}

// newTraceID makes an X-Ray tracing header of a request that is not sampled.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
func newTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), randomHex(12), randomHex(8))
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// instance is one execution environment: a process that handles one event at a time.
type instance struct {
	id     string
	fn     *Deployed
	log    *slog.Logger
	proc   *process.Process
	stderr *process.Tail

	initDuration time.Duration
	reap         *time.Timer // ends it when it has been idle too long; guarded by fn.mu

	// ready holds a token when the process asks for its next event: it finished its
	// init, or the event before.
	ready chan struct{}
	// initFailed holds the error that the process reported of its init.
	initFailed chan *FunctionError
	// events hands an event to the request that waits for it.
	events chan *invocation

	mu      sync.Mutex
	current *invocation // what the process works on; nil before it has it and after it is done
	polling bool        // a request for the next event waits
	free    bool        // the token in ready was given for the time since current ended
}

// startInstance starts a process for the function and waits until it asks for its first
// event. The error is a *FunctionError, or ErrClosed.
func (d *Deployed) startInstance(inv *invocation) (*instance, error) {
	inst := &instance{
		id:         randomHex(16),
		fn:         d,
		stderr:     process.NewTail(stderrLines),
		ready:      make(chan struct{}, 1),
		initFailed: make(chan *FunctionError, 1),
		events:     make(chan *invocation),
	}
	logStream := time.Now().UTC().Format("2006/01/02/") + "[$LATEST]" + inst.id
	inst.log = d.log.With("log_stream", logStream)

	d.host.register(inst)
	started := time.Now()
	proc, err := process.Start(process.Config{
		Path:   d.Executable,
		Dir:    filepath.Dir(d.Executable),
		Env:    d.environment(d.host.addr+"/"+inst.id, logStream),
		Stdout: func(line string) { inst.logLine("stdout", line) },
		Stderr: func(line string) {
			inst.stderr.Add(line)
			inst.logLine("stderr", line)
		},
	})
	if err != nil {
		d.host.unregister(inst)
		return nil, &FunctionError{Type: "Runtime.InvalidEntrypoint", Message: err.Error(), RequestID: inv.requestID}
	}
	inst.proc = proc
	// Not begin: this runs within an invocation, which Close waits for.
	d.host.running.Go(inst.watch)

	limit := time.NewTimer(d.host.config.InitTimeout)
	defer limit.Stop()
	var failure *FunctionError
	select {
	case <-inst.ready:
		inst.initDuration = time.Since(started)
		inst.log.Debug("instance started", "pid", proc.PID(), "init_duration", inst.initDuration)
		return inst, nil
	case failure = <-inst.initFailed:
	case <-proc.Done():
		failure = exitError(inv.requestID, proc.Err())
	case <-limit.C:
		// AWS runs the init once more, within the timeout of the invocation. A
		// function that needs that is better told.
		failure = initTimeoutError(inv.requestID, d.host.config.InitTimeout)
	case <-d.host.shutdown:
	}
	inv.duration = time.Since(started)
	proc.Kill()
	if inst.closing() {
		return nil, ErrClosed
	}
	select {
	case failure = <-inst.initFailed: // reported just before the process ended
	default:
	}
	failure.RequestID = inv.requestID
	failure.Stderr = inst.stderr.Lines()
	return nil, failure
}

// watch sees to it that nothing refers to an instance that has ended, and that it ends
// with the host.
func (inst *instance) watch() {
	select {
	case <-inst.proc.Done():
	case <-inst.fn.host.shutdown:
		inst.proc.Kill()
	}
	inst.fn.host.unregister(inst)
	if inst.fn.forget(inst) && !inst.closing() {
		inst.log.Warn("instance ended while it was idle", "exit", inst.proc.Err())
	}
}

func (inst *instance) ended() bool {
	select {
	case <-inst.proc.Done():
		return true
	default:
		return false
	}
}

// invoke hands an event to the process and waits until it is done with it: it asks for the
// next one, or ended. The error is a *FunctionError, or ErrClosed. If
// delivered is false, the process ended before it had the event.
func (inst *instance) invoke(inv *invocation) (out []byte, delivered bool, err error) {
	started := time.Now()
	inv.deadline = started.Add(inst.fn.Timeout)
	select {
	case inst.events <- inv:
	case <-inst.proc.Done():
		if inst.closing() {
			return nil, true, ErrClosed
		}
		return nil, false, nil
	}

	limit := time.NewTimer(time.Until(inv.deadline))
	defer limit.Stop()
	var failure *FunctionError
	select {
	case <-inst.ready: // which it may be only with an answer
	case <-inst.proc.Done():
		failure = exitError(inv.requestID, inst.proc.Err())
	case <-limit.C:
		failure = timeoutError(inv.requestID, inst.fn.Timeout)
		inv.peakMemory = inst.proc.PeakMemory()
		inst.proc.Kill()
	}
	inv.duration = time.Since(started)

	select {
	case a := <-inv.answer:
		// An answer in time counts, whatever became of the process after it: a panic,
		// for one, is reported before the process ends.
		if a.err != nil {
			a.err.RequestID = inv.requestID
			return nil, true, a.err
		}
		return a.payload, true, nil
	default:
	}
	if inst.closing() {
		return nil, true, ErrClosed
	}
	failure.RequestID = inv.requestID
	failure.Stderr = inst.stderr.Lines()
	return nil, true, failure
}

func (inst *instance) closing() bool {
	select {
	case <-inst.fn.host.shutdown:
		return true
	default:
		return false
	}
}

// errBusy and errIdle are answers to a process that breaks the order of the Runtime API.
var (
	errBusy = errors.New("the event before has no response yet, or another request waits for the next one")
	errIdle = errors.New("no such invocation is waiting for a response")
)

// next notes that the process asks for an event, and is thus done with the one before.
func (inst *instance) next() error {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.polling || inst.current != nil && len(inst.current.answer) == 0 {
		return errBusy
	}
	inst.polling = true
	inst.current = nil
	if !inst.free { // else a request that was broken off is made again
		inst.free = true
		inst.ready <- struct{}{}
	}
	return nil
}

// nextDone notes the end of a request for the next event; inv is what it got, or nil.
func (inst *instance) nextDone(inv *invocation) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.polling = false
	if inv != nil {
		inst.current = inv
		inst.free = false
	}
}

// respond gives the answer to the event that the process works on.
func (inst *instance) respond(requestID string, a *answer) error {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.current == nil || inst.current.requestID != requestID || len(inst.current.answer) > 0 {
		return errIdle
	}
	inst.current.answer <- a
	return nil
}

// requestID returns the id of the invocation that the process works on, "" if none.
func (inst *instance) requestID() string {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.current == nil {
		return ""
	}
	return inst.current.requestID
}
