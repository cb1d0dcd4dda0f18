package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"restock/test/overlay"
	mutantswitch "restock/test/overlay/mutant"
)

// root is the project's folder. The command runs in it.
const root = "."

// A job makes one mutant, or those of a table of another test.
type job func(context.Context) []result

// jobs returns the jobs for the mutants with matching names. Those of a package follow each other,
// so that the compiler's cache helps.
func jobs(dir string, matches func(name string) bool) (jobs []job, err error) {
	selected := slices.DeleteFunc(all(), func(m mutant) bool { return !matches(m.name) })
	slices.SortStableFunc(selected, func(a, b mutant) int { return strings.Compare(a.pkg(), b.pkg()) })
	var of *tests
	for _, m := range selected {
		if of == nil || of.pkg != m.pkg() {
			of = newTests(m.pkg(), filepath.Join(dir, strings.ReplaceAll(m.pkg(), "/", "__")))
		}
		of.mutants = append(of.mutants, m)
		p := of
		jobs = append(jobs, func(ctx context.Context) []result { return []result{p.kill(ctx, m)} })
	}
	for _, r := range relatives {
		names, err := r.names(root)
		if err != nil {
			return nil, err
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !matches(r.prefix + name) })
		if len(names) > 0 {
			jobs = append(jobs, func(ctx context.Context) []result { return r.run(ctx, names) })
		}
	}
	return jobs, nil
}

// The tests of a package that must notice mutants.
type tests struct {
	pkg, dir string
	mutants  []mutant

	built    sync.Once
	binary   string   // with the mutants that can be switched on
	switched []string // the names of these
	err      error    // of the build

	mu       sync.Mutex // guards the next field
	unharmed map[string]func() error
}

func newTests(pkg, dir string) *tests {
	return &tests{pkg: pkg, dir: dir, binary: filepath.Join(dir, "test"), unharmed: map[string]func() error{}}
}

// build builds the tests once, with all mutants that can be switched on. If one of them does not
// compile, build builds the tests without any: then each mutant has a build of its own.
func (p *tests) build(ctx context.Context) {
	if p.err = os.MkdirAll(p.dir, 0o700); p.err != nil {
		return
	}
	switches, err := overlay.New(root)
	if p.err = err; err != nil {
		return
	}
	for _, m := range p.mutants {
		// A mutant that cannot be switched on has a build of its own.
		if m.kind() == code && switches.Add(m.name, m.edit()) == nil {
			p.switched = append(p.switched, m.name)
		}
	}
	file, err := switches.Write(p.dir)
	if p.err = err; err != nil {
		return
	}
	compile := func(flags ...string) error {
		arguments := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", p.binary}, flags...)
		command := exec.CommandContext(ctx, "go", append(arguments, "./"+p.pkg)...)
		command.Dir = root
		defer asAGroup(command)()
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("building the tests of %s: %w\n%s", p.pkg, err, output)
		}
		return nil
	}
	if p.err = compile("-overlay=" + file); p.err != nil {
		p.switched, p.err = nil, compile()
	}
}

// kill makes a mutant, and runs its test.
func (p *tests) kill(ctx context.Context, m mutant) result {
	r := result{
		Name: m.name, Promise: m.promise, Kind: m.kind(), Effect: m.effect, Outcome: broken,
		Test: p.pkg + " " + m.test,
	}
	if p.built.Do(func() { p.build(ctx) }); p.err != nil {
		r.Message = p.err.Error()
		return r
	}
	if err := p.passesWithout(ctx, m); err != nil {
		r.Message = err.Error()
		return r
	}
	begin := time.Now()
	events, err := p.runWith(ctx, m)
	r.Seconds = since(begin)
	if err != nil {
		r.Message = err.Error()
		return r
	}
	r.Outcome, r.Message = verdict(events, m.topTest())
	r.OK = r.Outcome == killed
	return r
}

// runWith runs a mutant's test with the mutant.
func (p *tests) runWith(ctx context.Context, m mutant) ([]event, error) {
	if slices.Contains(p.switched, m.name) {
		return p.run(ctx, m.name, m.pattern())
	}
	file, err := m.edit().Write(root, p.dir, m.name)
	if err != nil {
		return nil, err
	}
	return goTest(ctx, p.pkg, m.pattern(), "-overlay="+file)
}

// passesWithout returns an error if the test of a mutant does not pass without it: a test that
// fails anyway kills nothing. It runs each test once.
func (p *tests) passesWithout(ctx context.Context, m mutant) error {
	p.mu.Lock()
	run := p.unharmed[m.test]
	if run == nil {
		run = sync.OnceValue(func() error {
			events, err := p.run(ctx, "", m.pattern())
			if err != nil {
				return err
			}
			if o, message := verdict(events, m.topTest()); o != survived {
				return fmt.Errorf("without the mutant, %s does not pass: %s", m.test, message)
			}
			return nil
		})
		p.unharmed[m.test] = run
	}
	p.mu.Unlock()
	return run()
}

// A test that hangs fails after the timeout. The slowest test takes a minute on an idle machine,
// and half an hour on a busy one.
const timeout = "60m"

// run runs the test that a pattern matches in the binary with the mutants, and switches one on.
func (p *tests) run(ctx context.Context, name, pattern string) ([]event, error) {
	binary, err := filepath.Abs(p.binary)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "go", "tool", "test2json", "-t", "-p", p.pkg, binary,
		"-test.v=test2json", "-test.run="+pattern, "-test.timeout="+timeout)
	command.Dir = filepath.Join(root, p.pkg)
	command.Env = append(os.Environ(), mutantswitch.Variable+"="+name)
	return eventsOf(command)
}

// goTest builds the tests of a package, and runs those whose names match.
func goTest(ctx context.Context, pkg, names string, flags ...string) ([]event, error) {
	arguments := append([]string{"test", "-json", "-count=1", "-vet=off", "-ldflags=-s -w", "-timeout=" + timeout,
		"-run", names}, flags...)
	command := exec.CommandContext(ctx, "go", append(arguments, "./"+pkg)...)
	command.Dir = root
	return eventsOf(command)
}

// asAGroup makes an interrupt reach all processes of a command: go test does not pass it on to the
// test that it runs. The caller must call kill after the command, because it kills the processes
// that are left.
func asAGroup(command *exec.Cmd) (kill func()) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGINT) }
	command.WaitDelay = 10 * time.Second
	return func() {
		if command.Process != nil {
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // an error means that there are none
		}
	}
}

// eventsOf runs a command that prints events. Its error means that the command printed none: if a
// test fails, the events say so.
func eventsOf(command *exec.Cmd) (events []event, err error) {
	defer asAGroup(command)()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	failure := command.Run()
	for lines := json.NewDecoder(&stdout); ; {
		var e event
		if err := lines.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading the events of a test: %w", errors.Join(err, failure))
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("the test printed no event: %w\n%s", failure, stderr.String())
	}
	return events, nil
}
