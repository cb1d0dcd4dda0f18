// Package process runs child processes that cannot outlive the program that started them.
//
// A child has a process group of its own, so Ctrl-C in a terminal reaches the
// program alone, which then ends its children in the order it chooses. When the
// program dies without that, by SIGKILL for one, Linux kills the child (see
// platform_linux.go). macOS has no such mechanism: there a child that does not
// notice the loss of its parent by itself survives a SIGKILL of the parent.
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

// Config says what to run.
type Config struct {
	// Path is the executable: a path, or a name that is looked up in this program's PATH.
	Path string
	Args []string

	// Env is the whole environment, as KEY=value. Nothing is inherited.
	Env []string

	// Dir is the working directory; empty means this program's.
	Dir string

	// Stdout and Stderr receive the process's output line by line, without the
	// newline, each from a goroutine of its own. A line longer than MaxLine is handed on
	// in pieces. They must not block for long: the process waits for them once
	// the pipe between them is full. Nil discards the output.
	Stdout, Stderr func(line string)
}

// MaxLine is the length in bytes from which a line of output is handed on in pieces.
const MaxLine = 256 << 10

// outputGrace is how long output is still read after the process ended. It only
// matters where a descendant left the process group and keeps the pipe open.
const outputGrace = time.Second

// Process is a child process that was started.
type Process struct {
	name string
	proc *os.Process

	// mu orders kills after the exit: the system may give the id of a group that
	// is gone to somebody else's processes.
	mu     sync.Mutex
	exited bool

	done chan struct{} // closed when the process ended and its output was handed on
	err  error         // written before done is closed, read after
}

// Start starts a process. The caller must see to its end with Stop or Kill.
func Start(c Config) (*Process, error) {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = append([]string{}, c.Env...) // not nil, which would mean: inherit everything
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

	p := &Process{name: filepath.Base(c.Path), done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux delivers the parent-death signal when the *thread* that forked
		// ends, not the process. So the goroutine that forks keeps its thread to
		// itself for as long as the child lives.
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

// explain adds to the system's errors what a person can do about them.
func explain(err error) error {
	if errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("%w: it is not executable, or it is on a file system that is mounted noexec", err)
	}
	return openfiles.Explain(err)
}

// wait is the one place where the process's exit is observed.
func (p *Process) wait(cmd *exec.Cmd, outputs []*output) {
	var reading sync.WaitGroup
	for _, o := range outputs {
		_ = o.w.Close() // the child has its own copy; ours would keep the pipe open
		reading.Go(o.forward)
	}

	err := cmd.Wait()

	p.mu.Lock()
	p.exited = true
	// What the process left behind in its group goes with it.
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

// Done is closed when the process has ended and all its output was handed on.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exited tells whether the process is known to have ended. Unlike Done, it does not wait for the
// rest of the output.
func (p *Process) Exited() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exited
}

// Err waits for the end of the process and tells how it was: nil for exit status 0,
// otherwise an *exec.ExitError.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Stop asks the process to end (SIGTERM) and waits until it did. When ctx ends
// first, the whole process group is killed and an error says so. Stop may be
// called more than once, and after the process ended.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.proc.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Kill()
		return fmt.Errorf("asking %s (process %d) to end: %w; it was killed", p.name, p.PID(), err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("%s (process %d) did not end when asked and was killed: %w", p.name, p.PID(), context.Cause(ctx))
	}
}

// Kill ends the whole process group at once (SIGKILL) and waits until the process is gone.
func (p *Process) Kill() {
	p.mu.Lock()
	if !p.exited {
		_ = syscall.Kill(-p.PID(), syscall.SIGKILL)
	}
	p.mu.Unlock()
	<-p.done
}

// Run starts a process and waits for its end. When ctx ends first, the process
// and its descendants are killed and the cause of ctx's end is returned.
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

// output carries one stream of a process to its handler.
type output struct {
	r, w   *os.File
	handle func(line string)
}

func newOutput(handle func(string)) (*output, error) {
	r, w, err := os.Pipe()
	return &output{r: r, w: w, handle: handle}, err
}

// forward hands on lines until every writer has closed the pipe. It must never stop
// before: the process would block on a pipe that nobody reads.
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
