package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"restock/local/aws/awsapi"
)

const (
	// DefaultMemoryMB is Lambda's default memory size.
	// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
	DefaultMemoryMB = 128
	// MinMemoryMB is Lambda's smallest memory size.
	MinMemoryMB = 128
	// MaxMemoryMB is Lambda's largest memory size.
	MaxMemoryMB = 10240
	// DefaultTimeout is Lambda's default timeout.
	DefaultTimeout = 3 * time.Second
	// MaxTimeout is Lambda's longest timeout.
	MaxTimeout = 15 * time.Minute

	// MaxRequest limits the event of a synchronous invocation, in bytes (6 MB).
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxRequest = 6 << 20
)

// The values of a function's LogFormat.
// https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
const (
	LogFormatText = "Text"
	LogFormatJSON = "JSON"
)

// Function is the declaration of a function.
type Function struct {
	Name string

	// ARN defaults to the ARN of a function with this name in the host's region and account.
	ARN string

	// Executable is the program that handles the invocations.
	Executable string

	// Environment has the declared variables, without Lambda's own.
	Environment map[string]string

	// Timeout limits one invocation. The maximum is MaxTimeout.
	Timeout time.Duration

	// MemoryMB is the memory size in MiB; 0 means DefaultMemoryMB.
	MemoryMB int

	// ReservedConcurrency limits the concurrent instances. Nil means that the function uses the
	// account's unreserved concurrency. 0 throttles every invocation, as on AWS.
	ReservedConcurrency *int

	// ConcurrencySetting names the setting of ReservedConcurrency, for the message that all
	// instances are busy. May be empty.
	ConcurrencySetting string

	// LogFormat is LogFormatText or LogFormatJSON. Empty means LogFormatText. LogFormatJSON becomes
	// AWS_LAMBDA_LOG_FORMAT.
	LogFormat string

	// LogLevel is the application's log level, such as DEBUG. It becomes AWS_LAMBDA_LOG_LEVEL if
	// LogFormat is LogFormatJSON. Empty means INFO.
	LogLevel string

	// LogGroup becomes AWS_LAMBDA_LOG_GROUP_NAME. Empty means /aws/lambda/ and the function's name.
	LogGroup string

	// ActiveTracing traces each invocation. Without it, the caller of an invocation decides.
	ActiveTracing bool

	// Debugger, if it is not empty, is the command of a debugger that runs Executable: the path is
	// its last argument. The function then has one instance and no limit of memory, and its timeout
	// passes only while it runs. The debugger must end the function on SIGTERM.
	Debugger []string

	// Role is the ARN of the function's role. The host's Config.Credentials uses it.
	Role string

	// Credentials are those of every instance if the host's Config.Credentials is nil.
	Credentials Credentials
}

// Credentials sign a function's AWS requests.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

func (f Function) validate() error {
	if f.Name == "" {
		return errors.New("it has no name")
	}
	if err := validateName(f.Name); err != nil {
		return err
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

const maxName = 64

// functionName matches the names of functions.
// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html#lambda-CreateFunction-request-FunctionName
var functionName = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)

func validateName(name string) error {
	const refused = "1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: "
	if !functionName.MatchString(name) {
		// The pattern is the one of a name or an ARN.
		const pattern = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?` +
			`(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
		return awsapi.Errorf("ValidationException", refused+"Member must satisfy regular expression pattern: %s",
			name, pattern).Explained("its name has characters other than letters, digits, hyphens and underscores")
	}
	if len(name) > maxName {
		return invalidParameter(refused+"Member must have length less than or equal to %d", name, maxName).
			Explained("its name has %d characters; at most %d are allowed", len(name), maxName)
	}
	return nil
}

// Deployed is a function on a host.
type Deployed struct {
	Function
	host *Host
	log  *slog.Logger

	mu         sync.Mutex
	generation int           // of the executable: the number of calls of Reload
	idle       []*instance   // warm instances of this generation; the most recently used is last
	busy       int           // instances that start, run an invocation or are being killed
	folders    []string      // of reset instances, for the next new instances; see keepFolder
	quiescent  chan struct{} // release closes it when busy falls to 0; nil while nobody waits
}

// Invoke runs the function on an event and returns its answer; both are JSON. An empty event means
// an empty object. The error is a *FunctionError if the function failed, ErrThrottled if it may not
// run now, ErrRequestTooLarge or ErrInvalidRequest if the event is refused, and ErrClosed if the
// host was closed. If ctx ends first, the error is the cause of its end; the function continues, as
// on AWS when a caller hangs up.
func (d *Deployed) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if len(payload) > MaxRequest {
		return nil, fmt.Errorf("invoking %s with an event of %d bytes: %w", d.Name, len(payload), ErrRequestTooLarge)
	}
	if !utf8.Valid(payload) || !json.Valid(payload) {
		return nil, fmt.Errorf("invoking %s: %w", d.Name, ErrInvalidRequest)
	}
	inv := newInvocation(ctx, payload)
	inv.span.Sampled = inv.span.Sampled || d.ActiveTracing // Lambda samples a part; the host all
	out, err := d.do(ctx, func(inst *instance) ([]byte, error) { return d.run(inst, inv) })
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", d.Name, err)
	}
	return out, nil
}

// Prepare starts an instance, unless the function has one, and keeps it for the first invocation.
// It fails as the first invocation would fail if the function cannot start.
func (d *Deployed) Prepare(ctx context.Context) error {
	_, err := d.do(ctx, func(inst *instance) (_ []byte, err error) {
		if inst == nil {
			inst, err = d.startInstance(newInvocation(ctx, nil))
		}
		d.release(inst)
		return nil, err
	})
	if err != nil {
		return fmt.Errorf("starting function %s: %w", d.Name, err)
	}
	return nil
}

// do runs work with an acquired instance, which work must release. If ctx ends first, do returns
// the cause of its end, and work continues.
func (d *Deployed) do(ctx context.Context, work func(*instance) ([]byte, error)) ([]byte, error) {
	inst, err := d.acquire()
	if err != nil {
		return nil, err
	}
	type result struct {
		payload []byte
		err     error
	}
	done := make(chan result, 1)
	err = d.host.begin(func() {
		out, err := work(inst)
		done <- result{out, err}
	})
	if err != nil {
		d.release(nil) // Close stops the idle instances itself
		return nil, err
	}
	select {
	case r := <-done:
		return r.payload, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// run runs one invocation on a warm instance, or on a new one if warm is nil. If the warm instance
// ended while it was idle, a new instance gets the event. If an instance ended after it read the
// event, the invocation has failed. Nobody knows what the instance had done by then, so there is no
// retry. There is no retry either if a new instance ends at once: the next one would do the same.
func (d *Deployed) run(warm *instance, inv *invocation) ([]byte, error) {
	if warm != nil {
		out, err := warm.invoke(inv)
		if !errors.Is(err, errUnread) {
			d.report(inv, err)
			d.release(warm)
			return out, err
		}
		warm.logIdleEnd()
		warm.removeFolder()
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

// acquire takes the most recently used warm instance. Nil means that the caller may start one.
func (d *Deployed) acquire() (*instance, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Idle instances use no concurrency: Lambda counts invocations.
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
	if d.debugged() && d.busy > 0 {
		return nil, &ThrottledError{fmt.Sprintf("the debugger runs one instance of %s", d.Name)}
	}
	if n := d.ReservedConcurrency; n != nil && d.busy >= *n || n == nil && !d.host.unreserved.take() {
		return nil, d.throttled()
	}
	d.busy++
	if len(d.idle) == 0 {
		return nil, nil
	}
	inst := d.idle[len(d.idle)-1]
	d.idle = d.idle[:len(d.idle)-1]
	inst.busy = true
	inst.reap.Stop()
	return inst, nil
}

// throttled returns the error of an invocation when all concurrency is in use.
func (d *Deployed) throttled() error {
	setting := ""
	if d.ConcurrencySetting != "" {
		setting = " (" + d.ConcurrencySetting + ")"
	}
	switch n := d.ReservedConcurrency; {
	case n == nil && d.host.config.Concurrency == NewAccountConcurrency:
		return &ThrottledError{fmt.Sprintf("all %d invocations at once that a new account allows are in use",
			NewAccountConcurrency)}
	case n == nil:
		return &ThrottledError{fmt.Sprintf("all %d invocations at once that the account allows are in use",
			d.host.unreserved.total())}
	case *n == 0:
		return &ThrottledError{fmt.Sprintf("no instance of %s may run: its concurrency is 0%s", d.Name, setting)}
	default:
		return &ThrottledError{fmt.Sprintf("all %d instances of %s are busy%s", *n, d.Name, setting)}
	}
}

// release ends what acquire began. It keeps a living instance for the next invocation.
func (d *Deployed) release(inst *instance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if inst != nil {
		inst.busy = false
	}
	switch {
	case inst == nil:
	case inst.ended():
		d.keepFolder(inst)
	case inst.generation != d.generation:
		d.host.running.Go(inst.proc.Kill) // not begin: this runs in an invocation, for which Close waits
	default:
		idleTimeout := d.host.config.IdleTimeout
		if d.debugged() {
			idleTimeout = debugSession
		}
		inst.reap = time.AfterFunc(idleTimeout, func() {
			if d.forget(inst) {
				inst.log.Debug("idle instance ended", "idle", idleTimeout)
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

// keepFolder keeps the temporary files of an instance that ended during an invocation for the next
// new instance: Lambda resets the environment without clearing /tmp. d.mu must be locked.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors
func (d *Deployed) keepFolder(inst *instance) {
	if inst.generation == d.generation {
		d.folders = append(d.folders, inst.tmp)
		inst.tmp = ""
		return
	}
	d.host.running.Go(inst.removeFolder) // not begin: this runs in an invocation, for which Close waits
}

// takeFolder returns a kept folder, or "".
func (d *Deployed) takeFolder() (path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last := len(d.folders) - 1; last >= 0 {
		path, d.folders = d.folders[last], d.folders[:last]
	}
	return path
}

// forget removes an instance from the idle ones, and reports whether it was one of them.
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

// drain waits until no invocation runs. By then the host must refuse new ones.
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
