package lambda

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"restock/local/aws/traceid"
	"restock/local/system/process"
)

// stderrLines is how many lines of its standard error the failure of an instance shows.
const stderrLines = 20

// invocation is one event on its way through an instance.
type invocation struct {
	ctx       context.Context // of who invoked, for the log: it does not end
	requestID string
	traceID   string
	payload   []byte

	deadline time.Time    // of the answer, as the function is told
	began    time.Time    // when the function's timeout began to run; zero before
	answer   chan *answer // holds the answer from its arrival on

	// For the report: what is not known is 0.
	duration     time.Duration
	initDuration time.Duration // of an init phase before it
	peakMemory   int64         // bytes, of the instance
}

// begin starts the function's timeout, unless it runs already, and returns its end.
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
	conn    *runtimeConn // that it was written to; set before written receives; may be nil
}

// answer is what the function had to say to an event.
type answer struct {
	payload []byte
	err     *FunctionError
}

func newInvocation(ctx context.Context, payload []byte) *invocation {
	return &invocation{
		ctx:       context.WithoutCancel(ctx),
		requestID: uuid.NewString(),
		traceID:   traceid.NotSampled(time.Now()),
		payload:   payload,
		answer:    make(chan *answer, 1),
	}
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
	tmp         string // a folder of its own
	credentials Credentials
	discard     func() // gives back what it was given; once

	reap *time.Timer // ends it when it has been idle too long; guarded by fn.mu

	// ready holds a token when the process asks for its next event: it finished its
	// init, or the event before.
	ready chan struct{}
	// initFailed holds the error that the process reported of its init.
	initFailed chan *FunctionError
	// events hands an event to the request that waits for it.
	events chan *delivery

	mu         sync.Mutex
	peakMemory int64       // bytes
	current    *invocation // what the process works on; nil before it has it and after it is done
	polling    bool        // a request for the next event waits
	free       bool        // the token in ready was given for the time since current ended
}

func (inst *instance) ended() bool {
	select {
	case <-inst.proc.Done():
		return true
	default:
		return false
	}
}

// errUnread is the error of an invocation whose process ended before it had read the event. Another
// process may handle the event: nobody has seen it yet.
var errUnread = errors.New("the instance ended before it had read the event")

// invoke hands an event to the process and waits until it is done with it: it asks for the
// next one, or ended. The error is a *FunctionError, ErrClosed or errUnread.
func (inst *instance) invoke(inv *invocation) (out []byte, err error) {
	ctx, cancel := context.WithDeadline(inv.ctx, inv.begin(inst.fn.Timeout))
	defer cancel()
	var failure *FunctionError
	switch conn, err := inst.deliver(ctx, inv); {
	case errors.Is(err, errUnread):
		return nil, inst.unread(inv)
	case err != nil:
		failure = timeoutError(inv.requestID, inst.fn.Timeout)
	default:
		select {
		case <-inst.ready: // which it may be only with an answer
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
		// On AWS it would have been killed before it could answer.
		failure = memoryError(inv.requestID)
	} else {
		select {
		case a := <-inv.answer:
			// An answer in time counts, whatever became of the process after it: a panic,
			// for one, is reported before the process ends.
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

// deliver writes an event to the process, and returns the connection that it was written to. The
// error is errUnread if the process ended before, and that of ctx. A connection that breaks is not
// the end: the process may ask again.
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
	inv.began = time.Time{} // the next process has the whole timeout
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

// takeBack undoes nextDone for an event that did not reach the process.
func (inst *instance) takeBack() {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.current = nil
	inst.free = true
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
