package process_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"restock/local/system/process"
	"restock/test/await"
)

// The test binary is also the child: TestMain runs the behaviour that the first argument names.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if behave, ok := behaviours[os.Args[1]]; ok {
			behave()
			return
		}
	}
	os.Exit(m.Run())
}

var behaviours = map[string]func(){
	"lines": func() {
		fmt.Println("one")
		fmt.Println("")
		fmt.Print(strings.Repeat("x", process.MaxLine+10), "\n")
		fmt.Fprint(os.Stderr, "two\nno newline")
	},
	"exit3": func() { os.Exit(3) },
	"env": func() {
		fmt.Println(strings.Join(os.Environ(), ","))
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // see noRaceSleep, which this environment does not have
	},
	"wait": func() {
		fmt.Println("ready")
		time.Sleep(time.Hour)
	},
	"stubborn": func() {
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	},
	// grandchild leaves a process in the same group that keeps the pipes of its parent open.
	"grandchild": func() {
		c := exec.Command(os.Args[0], "wait")
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Start(); err != nil {
			panic(err)
		}
		fmt.Println("grandchild", c.Process.Pid)
	},
	// parent starts a child with the package and then waits to be killed.
	"parent": func() {
		p, err := process.Start(process.Config{Path: os.Args[0], Args: []string{"wait"}})
		if err != nil {
			panic(err)
		}
		fmt.Println("child", p.PID())
		time.Sleep(time.Hour)
	},
}

// noRaceSleep prevents that the race detector waits a second at every exit.
const noRaceSleep = "GORACE=atexit_sleep_ms=0"

// child is a started process with its recorded output.
type child struct {
	*process.Process
	stdout, stderr chan string
}

func start(t *testing.T, behaviour string, env ...string) *child {
	t.Helper()
	c := &child{stdout: make(chan string, 100), stderr: make(chan string, 100)}
	p, err := process.Start(process.Config{
		Path: os.Args[0], Args: []string{behaviour}, Env: env,
		Stdout: func(l string) { c.stdout <- l },
		Stderr: func(l string) { c.stderr <- l },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	c.Process = p
	return c
}

// line returns the next line of the standard output.
func (c *child) line(t *testing.T) string {
	t.Helper()
	select {
	case l := <-c.stdout:
		return l
	case <-c.Done():
	}
	select {
	case l := <-c.stdout:
		return l
	default:
		t.Fatalf("it ended (%v) without the line that was waited for", c.Err())
		return ""
	}
}

func collect(lines chan string) []string {
	close(lines)
	var all []string
	for l := range lines {
		all = append(all, l)
	}
	return all
}

// endedBy returns the signal that ended a process, or -1 if none did.
func endedBy(c *child) syscall.Signal {
	var exit *exec.ExitError
	if errors.As(c.Err(), &exit) {
		return exit.Sys().(syscall.WaitStatus).Signal()
	}
	return -1
}

// gone reports whether a process has ended. A zombie counts as ended, because its new parent may be
// slow to reap it.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // Linux only
	return strings.Contains(string(stat), ") Z ")
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	await.Until(t, fmt.Sprintf("process %d is gone", pid), func() bool { return gone(pid) })
}

func TestOutputArrivesLineByLineBeforeDone(t *testing.T) {
	c := start(t, "lines", noRaceSleep)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "", strings.Repeat("x", process.MaxLine), strings.Repeat("x", 10)}
	if got := collect(c.stdout); !slices.Equal(got, want) {
		t.Errorf("stdout: got %.80q (%d lines), want %.80q (%d lines)", got, len(got), want, len(want))
	}
	if got, want := collect(c.stderr), []string{"two", "no newline"}; !slices.Equal(got, want) {
		t.Errorf("stderr: got %q, want %q", got, want)
	}
}

func TestExitStatusIsToldToEveryObserver(t *testing.T) {
	c := start(t, "exit3", noRaceSleep)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var exit *exec.ExitError
			if err := c.Err(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
				t.Errorf("got %v, want exit status 3", err)
			}
		})
	}
	wg.Wait()
}

func TestNothingOfTheEnvironmentIsInherited(t *testing.T) {
	t.Setenv("SECRET_OF_THE_DEVELOPER", "1")
	for _, env := range [][]string{nil, {"A=1", "B=2"}} {
		c := start(t, "env", env...)
		<-c.Done()
		if got, want := c.line(t), strings.Join(env, ","); got != want {
			t.Errorf("environment of %q: got %q, want %q", env, got, want)
		}
	}
}

func TestStopAsksBeforeItKills(t *testing.T) {
	t.Run("a process that obeys", func(t *testing.T) {
		c := start(t, "wait")
		c.line(t)
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if got := endedBy(c); got != syscall.SIGTERM {
			t.Errorf("it ended by %v, want %v", got, syscall.SIGTERM)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Errorf("stopping again: %v", err)
		}
	})
	t.Run("a process that does not", func(t *testing.T) {
		c := start(t, "stubborn")
		c.line(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := c.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that it had to be killed", err)
		}
		if !gone(c.PID()) {
			t.Error("it is still there")
		}
	})
}

func TestDescendantsInTheGroupEndWithTheProcess(t *testing.T) {
	c := start(t, "grandchild", noRaceSleep)
	line := c.line(t)
	if line == "ready" { // the grandchild may be faster than its parent
		line = c.line(t)
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(line, "grandchild "))
	if err != nil {
		t.Fatal(err)
	}
	<-c.Done() // not before the grandchild, which keeps the pipes open, is killed
	waitGone(t, pid)
}

func TestRunKillsWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := process.Run(ctx, process.Config{
		Path: os.Args[0], Args: []string{"wait"}, Stdout: func(string) { cancel() },
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestMissingExecutableIsNamed(t *testing.T) {
	_, err := process.Start(process.Config{Path: "/nowhere/to/be/found"})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/nowhere/to/be/found") {
		t.Errorf("got %v, want a not-exist error that names the path", err)
	}
}

func TestAFileThatCannotBeExecutedSaysWhatToLookAt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := process.Start(process.Config{Path: path})
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "noexec") {
		t.Errorf("got %v, want an error that names %s and noexec", err, path)
	}
}

func TestTailKeepsTheLastLines(t *testing.T) {
	tail := process.NewTail(2)
	for _, l := range []string{"a", "b", "c"} {
		tail.Add(l)
	}
	if got, want := tail.Lines(), []string{"b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// startParent runs the behaviour "parent" without the package, and returns it with the process id
// of its child.
func startParent(t *testing.T) (parent *exec.Cmd, child int) {
	t.Helper()
	parent = exec.Command(os.Args[0], "parent")
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = parent.Process.Kill(); _ = parent.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(line, "child %d", &child); err != nil {
		t.Fatalf("reading %q: %v", line, err)
	}
	return parent, child
}
