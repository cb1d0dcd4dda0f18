// Package process runs child processes that cannot outlive the program that started them.
//
// A child has its own process group. So Ctrl-C in a terminal reaches only the program, which then
// stops its children in its own order. If the program dies without doing so, for example by
// SIGKILL, Linux kills the child (see platform_linux.go). macOS has no such mechanism: there, a
// child survives a SIGKILL of its parent unless it notices the loss itself.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"restock/local/system/openfiles"
)

// Config configures a process.
type Config struct {
	// Path is the executable: a path, or a name that is looked up in this program's PATH.
	Path string
	Args []string

	// Env is the whole environment, as KEY=value. The process inherits no variable.
	Env []string

	// Gentle makes Kill ask the process to end first, with SIGTERM. It is for a process that must
	// end children which have left its group, such as a debugger.
	Gentle bool

	// Dir is the working directory; empty means this program's.
	Dir string

	// Stdout and Stderr receive the process's output line by line, without the newline, each from
	// its own goroutine. A line longer than MaxLine arrives in pieces. If they block, the process
	// also blocks as soon as its pipe is full. Nil discards the output.
	Stdout, Stderr func(line string)
}

// MaxLine is the length in bytes above which a line of output is split.
const MaxLine = 256 << 10

// outputGrace is the time for which output is read after the process has ended. On a busy machine,
// reading what is there takes a while. The rest matters only if a descendant has left the process
// group and keeps the pipe open.
const outputGrace = 5 * time.Second

// Process is a child process.
type Process struct {
	name   string
	proc   *os.Process
	gentle bool

	// mu orders kills after the exit: when a process group is gone, the system may reuse its id for
	// another one.
	mu     sync.Mutex
	exited bool

	done chan struct{} // closed when the process has ended and its output was passed on
	err  error         // set before done is closed, read only after that
}

// Start starts a process. The caller must end it with Stop or Kill.
func Start(c Config) (*Process, error) {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = append([]string{}, c.Env...) // not nil, which would mean to inherit the environment
	cmd.Dir = c.Dir
	cmd.SysProcAttr = attributes()

	var outputs []*output
	for _, o := range []struct {
		handle func(string)
		file   *io.Writer
	}{{c.Stdout, &cmd.Stdout}, {c.Stderr, &cmd.Stderr}} {
		if o.handle == nil {
			continue
		}
		out, err := newOutput(o.handle)
		if err != nil {
			closeAll(outputs)
			return nil, fmt.Errorf("starting %s: making a pipe: %w", c.Path, openfiles.Explain(err))
		}
		*o.file = out.w
		outputs = append(outputs, out)
	}

	p := &Process{name: filepath.Base(c.Path), gentle: c.Gentle, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the parent-death signal when the *thread* that forked ends, not the process.
		// So the goroutine that forks locks its thread for the child's lifetime.
		// https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()

		err := cmd.Start()
		p.proc = cmd.Process
		started <- err
		if err == nil {
			p.wait(cmd, outputs)
		}
	}()
	if err := <-started; err != nil {
		closeAll(outputs)
		return nil, fmt.Errorf("starting %s: %w", c.Path, explain(err))
	}
	return p, nil
}

// explain adds advice to the system's errors.
func explain(err error) error {
	if errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w: it is not executable, or it is on a file system that is mounted noexec", err)
	}
	return openfiles.Explain(err)
}

// wait is the only code that observes the process's exit.
func (p *Process) wait(cmd *exec.Cmd, outputs []*output) {
	var reading sync.WaitGroup
	for _, o := range outputs {
		_ = o.w.Close() // the child has its own copy; this one would keep the pipe open
		reading.Go(o.forward)
	}

	err := cmd.Wait()

	p.mu.Lock()
	p.exited = true
	// Kill the processes that are left in its group.
	_ = syscall.Kill(-p.proc.Pid, syscall.SIGKILL)
	p.mu.Unlock()

	for _, o := range outputs {
		_ = o.r.SetReadDeadline(time.Now().Add(outputGrace))
	}
	reading.Wait()
	p.err = err
	close(p.done)
}

// PID returns the process's id, which is also the id of its group.
func (p *Process) PID() int { return p.proc.Pid }

// Done is closed when the process has ended and all its output was passed on.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exited reports whether the process has ended. Unlike Done, it does not wait for the rest of the
// output.
func (p *Process) Exited() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exited
}

// Err waits for the end of the process. It returns nil for exit status 0, otherwise an
// *exec.ExitError.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Stop sends SIGTERM and waits until the process has ended. If ctx ends first, it kills the process
// group and returns an error. Stop may be called more than once, and after the process has ended.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.proc.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.kill()
		return fmt.Errorf("asking %s (process %d) to end: %w; it was killed", p.name, p.PID(), err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("%s (process %d) did not end when asked and was killed: %w", p.name, p.PID(),
			context.Cause(ctx))
	}
}

// gentleGrace is how long a gentle process may take to end.
const gentleGrace = 5 * time.Second

// Kill sends SIGKILL to the process group and waits until the process is gone. See Config.Gentle.
func (p *Process) Kill() {
	if p.gentle {
		ctx, cancel := context.WithTimeout(context.Background(), gentleGrace)
		defer cancel()
		_ = p.Stop(ctx) // it kills a process that does not end
		return
	}
	p.kill()
}

func (p *Process) kill() {
	p.mu.Lock()
	if !p.exited {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	}
	p.mu.Unlock()
	<-p.done
}

// Run starts a process and waits for its end. If ctx ends first, it kills the process and its
// descendants, and returns the cause of ctx's end.
func Run(ctx context.Context, c Config) error {
	p, err := Start(c)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
		return p.Err()
	case <-ctx.Done():
		p.Kill()
		return context.Cause(ctx)
	}
}

// output passes one stream of a process to its handler.
type output struct {
	r, w   *os.File
	handle func(line string)
}

func newOutput(handle func(string)) (*output, error) {
	r, w, err := os.Pipe()
	return &output{r: r, w: w, handle: handle}, err
}

// forward passes on lines until every writer has closed the pipe. It must not stop earlier: the
// process would block on a full pipe.
func (o *output) forward() {
	defer o.r.Close()
	lines := bufio.NewReaderSize(o.r, MaxLine)
	for {
		line, isPrefix, err := lines.ReadLine()
		if err != nil {
			return
		}
		if len(line) > 0 || !isPrefix {
			o.handle(string(line))
		}
	}
}

func closeAll(outputs []*output) {
	for _, o := range outputs {
		_ = o.r.Close()
		_ = o.w.Close()
	}
}
