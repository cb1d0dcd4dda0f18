package lambda

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/traceid"
	"restock/local/system/process"
)

// stderrLines limits the lines of standard error in the failure of an instance.
const stderrLines = 20

// invocation is one event in an instance.
type invocation struct {
	ctx       context.Context // the caller's, for the log; it is never cancelled
	requestID string
	span      traceid.Span
	payload   []byte

	deadline time.Time    // for the answer; the function gets it
	began    time.Time    // start of the function's timeout; zero before
	answer   chan *answer // buffered: it keeps an early answer

	// For the report; 0 means unknown.
	duration     time.Duration
	initDuration time.Duration // of a preceding init phase
	peakMemory   int64         // of the instance, in bytes
}

// begin starts the function's timeout if it is not running, and returns its end.
func (inv *invocation) begin(timeout time.Duration) (deadline time.Time) {
	if inv.began.IsZero() {
		inv.began = time.Now()
	}
	inv.deadline = inv.began.Add(timeout)
	return inv.deadline
}

// delivery is one attempt to give an invocation to a process.
type delivery struct {
	inv     *invocation
	written chan bool    // receives once: whether the whole event was written
	conn    *runtimeConn // the event's connection; set before written receives; may be nil
}

// answer is the function's answer to an event.
type answer struct {
	payload []byte
	err     *FunctionError
}

func newInvocation(ctx context.Context, payload []byte) *invocation {
	return &invocation{
		ctx:       context.WithoutCancel(ctx),
		requestID: cmp.Or(RequestID(ctx), uuid.NewString()),
		span:      traceid.Start(ctx),
		payload:   payload,
		answer:    make(chan *answer, 1),
	}
}

type requestIDKey struct{}

// WithRequestID returns a context that gives an invocation its request id. The retries of an
// asynchronous invocation keep the id; see test_request_id_async_invoke_with_retry, recorded on
// 2025-11-24:
// https://github.com/localstack/localstack/blob/main/tests/aws/services/lambda_/test_lambda.snapshot.json
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the request id that WithRequestID has set, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// instance is one execution environment: a process that handles one event at a time.
type instance struct {
	id          string
	fn          *Deployed
	generation  int // of the executable
	log         *slog.Logger
	proc        *process.Process
	stderr      *process.Tail
	tmp         string // its own folder; guarded by fn.mu after the start; empty if another has it
	credentials Credentials
	discard     func() // releases its credentials, once

	reap *time.Timer // ends it after the idle timeout; guarded by fn.mu
	busy bool        // starts or runs an invocation, which then removes or keeps tmp; guarded by fn.mu

	// ready receives a token when the process requests its next event: it has finished its init, or
	// the last event.
	ready chan struct{}
	// initFailed receives the error that the process reports for its init.
	initFailed chan *FunctionError
	// events passes an event to the waiting request.
	events chan *delivery

	mu         sync.Mutex
	peakMemory int64       // in bytes
	current    *invocation // the event that the process is handling, or nil
	requestID  string      // of the latest event; "" before the first
	polling    bool        // a request for the next event is waiting
	free       bool        // ready has received the token since current ended
}

func (inst *instance) ended() bool {
	select {
	case <-inst.proc.Done():
		return true
	default:
		return false
	}
}

// removeFolder removes the instance's temporary files, unless another instance has them.
func (inst *instance) removeFolder() {
	inst.fn.mu.Lock()
	path := inst.tmp
	inst.tmp = ""
	inst.fn.mu.Unlock()
	if path == "" {
		return
	}
	if err := os.RemoveAll(path); err != nil {
		inst.log.Warn("the instance's folder could not be removed", "error", err)
	}
}

func (inst *instance) isBusy() bool {
	inst.fn.mu.Lock()
	defer inst.fn.mu.Unlock()
	return inst.busy
}

// errUnread is the error of an invocation whose process ended before it read the event. Another
// process may handle the event, because no code has seen it.
var errUnread = errors.New("the instance ended before it had read the event")

// invoke passes an event to the process. It waits until the process requests the next event, or
// ends. The error is a *FunctionError, ErrClosed or errUnread.
func (inst *instance) invoke(inv *invocation) (out []byte, err error) {
	ctx, cancel := inst.withTimeout(inv)
	defer cancel()
	var failure *FunctionError
	switch conn, err := inst.deliver(ctx, inv); {
	case errors.Is(err, errUnread):
		return nil, inst.unread(inv)
	case err != nil:
		failure = timeoutError(inv.requestID, inst.fn.Timeout)
	default:
		select {
		case <-inst.ready: // the process answers before it requests the next event
		case <-inst.proc.Done():
			if len(inv.answer) == 0 && conn.unread(ctx) {
				return nil, inst.unread(inv)
			}
			failure = inst.failed(inv.requestID)
		case <-ctx.Done():
			failure = timeoutError(inv.requestID, inst.fn.Timeout)
		}
	}
	inv.duration = time.Since(inv.began)

	exceeded := inst.measureMemory()
	inv.peakMemory = inst.memory()
	if exceeded {
		// On AWS the process would have been killed before it could answer.
		failure = memoryError(inv.requestID)
	} else {
		select {
		case a := <-inv.answer:
			// An answer in time counts, whatever happened to the process afterwards. A panic, for
			// example, is reported before the process ends.
			if failure != nil {
				inst.proc.Kill()
			}
			if a.err != nil {
				a.err.RequestID = inv.requestID
				return nil, a.err
			}
			return a.payload, nil
		default:
		}
	}
	inst.proc.Kill()
	if inst.closing() {
		return nil, ErrClosed
	}
	failure.RequestID = inv.requestID
	failure.Stderr = inst.stderr.Lines()
	return nil, failure
}

// deliver writes an event to the process and returns the connection. The error is errUnread if the
// process ended before, or ctx's error. A broken connection is no error: the process may request
// the event again.
func (inst *instance) deliver(ctx context.Context, inv *invocation) (*runtimeConn, error) {
	if inst.proc.Exited() {
		return nil, errUnread
	}
	for {
		d := &delivery{inv: inv, written: make(chan bool, 1)}
		select {
		case inst.events <- d:
		case <-inst.proc.Done():
			return nil, errUnread
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case written := <-d.written:
			if written {
				return d.conn, nil
			}
		case <-ctx.Done(): // the process does not read
			return nil, ctx.Err()
		}
	}
}

// unread returns the error of an invocation whose event the process did not read.
func (inst *instance) unread(inv *invocation) error {
	if inst.closing() {
		return ErrClosed
	}
	inv.began = time.Time{} // the next process gets the whole timeout
	return errUnread
}

func (inst *instance) closing() bool {
	select {
	case <-inst.fn.host.shutdown:
		return true
	default:
		return false
	}
}

// errBusy and errIdle are answers to a process that violates the order of the Runtime API.
var (
	errBusy = errors.New("the last event has no response yet, or another request for the next one is waiting")
	errIdle = errors.New("no such invocation is waiting for a response")
)

// next records that the process requests an event, which ends the event before.
func (inst *instance) next() error {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.polling || inst.current != nil && len(inst.current.answer) == 0 {
		return errBusy
	}
	inst.polling = true
	inst.current = nil
	if !inst.free { // otherwise the process repeats an interrupted request
		inst.free = true
		inst.ready <- struct{}{}
	}
	return nil
}

// nextDone records the end of a request for the next event. inv is the event that the request got,
// or nil.
func (inst *instance) nextDone(inv *invocation) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.polling = false
	if inv != nil {
		inst.current, inst.requestID = inv, inv.requestID
		inst.free = false
	}
}

// takeBack reverts nextDone for an event that did not reach the process.
func (inst *instance) takeBack() {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.current = nil
	inst.free = true
}

// respond passes on the answer to the current event.
func (inst *instance) respond(requestID string, a *answer) error {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if inst.current == nil || inst.current.requestID != requestID || len(inst.current.answer) > 0 {
		return errIdle
	}
	inst.current.answer <- a
	return nil
}
