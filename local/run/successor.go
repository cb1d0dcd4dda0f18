package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"restock/infra/graph"
	"restock/local/aws/lambda"
	"restock/local/system/process"
	"restock/local/view/events"
)

// A Successor is the newly built command that replaces a run whose program has changed. The program
// is compiled into the command, so the running process cannot load a new one.
type Successor struct {
	Executable string
	Changes    []graph.Change // how the stack changes
}

// Successor returns a channel that gets at most one successor, when the declared stack has changed.
// The run has built, checked and logged the change. It keeps running: the caller closes it and
// starts the successor.
func (r *Run) Successor() <-chan Successor { return r.successor }

// Undelivered returns the number of messages in all queues.
func (r *Run) Undelivered() (n int) {
	for _, q := range r.services.queues() {
		c := q.Counts()
		n += c.Visible + c.InFlight + c.Delayed
	}
	return n
}

// Running returns the number of functions' instances that are at work.
func (r *Run) Running() int { return r.host.Running() }

// RecordCommand is the first argument of Config.Command that makes it write a program's Declaration
// as JSON and exit.
const RecordCommand = "record"

// commandDir is the folder of the built command, below the folder of built functions.
const commandDir = ".command"

// updateProgram builds the command of a changed program, and lets it record the stack that the
// program declares now. If the stack has changed and passes the rules, the run gets a successor.
func (f *follower) updateProgram(ctx context.Context) error {
	c := f.run.config
	dir := filepath.Join(c.BuildDir, commandDir)
	if err := lambda.Build(ctx, c.ProjectDir, dir, c.Command); err != nil {
		return err
	}
	executable := filepath.Join(dir, filepath.Base(c.Command))
	next, err := f.record(ctx, executable)
	if err != nil {
		return err
	}
	if len(next.Violations) > 0 && !c.Unchecked {
		return refused(next.Violations)
	}
	changes := graph.Diff(f.declared, next.Graph)
	if len(changes) == 0 {
		f.log.Debug("the declared stack has not changed")
		return nil
	}
	// The successor could not start if a function did not build.
	if err := lambda.Prebuild(ctx, c.ProjectDir, c.BuildDir, c.Program.packages(next.Functions)...); err != nil {
		return err
	}
	f.log.Info("the program has changed: restarting", events.ProgramChanged.Attr(),
		"changes", strings.Join(graph.Lines(changes), "\n")+"\n")
	f.replaced = true
	f.run.successor <- Successor{Executable: executable, Changes: changes}
	return nil
}

// record lets a command record what its program declares.
func (f *follower) record(ctx context.Context, executable string) (d Declaration, err error) {
	var stdout, stderr bytes.Buffer
	err = process.Run(ctx, process.Config{
		Path: executable,
		Args: []string{RecordCommand, "-program", f.run.config.Program.Name, "-stage", f.run.config.Stage},
		Env:  os.Environ(),
		Dir:  f.run.config.ProjectDir,
		// process.Run splits long lines. JSON needs no line breaks, so the pieces are joined
		// without them.
		Stdout: func(line string) { stdout.WriteString(line) },
		Stderr: func(line string) { fmt.Fprintln(&stderr, line) },
	})
	if err != nil {
		if why := strings.TrimSpace(stderr.String()); why != "" && ctx.Err() == nil {
			return d, errors.New(why)
		}
		return d, fmt.Errorf("recording the program: %w", err)
	}
	if err := json.Unmarshal(stdout.Bytes(), &d); err != nil {
		return d, fmt.Errorf("recording the program: %w", err)
	}
	return d, nil
}
