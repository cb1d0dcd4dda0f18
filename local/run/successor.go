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
	"time"

	"restock/infra/graph"
	"restock/local/aws/lambda"
	"restock/local/system/process"
	"restock/local/view/console"
	"restock/local/view/events"
)

// A Successor is what is to run in place of a run whose program has changed: the command, built anew. The program is compiled into it, so the
// run itself cannot become another one.
type Successor struct {
	Executable string
	Changes    []graph.Change // of the stack
}

// Successor tells, at most once, that the program has changed in what it declares. The change has been built, checked and told of: the run is
// to be closed, and the successor to be started. Until then all goes on as it was.
func (r *Run) Successor() <-chan Successor { return r.successor }

// showChanges shows what has changed since the run before.
func (r *Run) showChanges() {
	if r.console != nil && len(r.config.Changes) > 0 {
		r.console.Changed(console.Change{Time: time.Now().UTC(), Lines: r.config.Changes})
	}
}

// Undelivered is the number of messages that are in queues at this moment.
func (r *Run) Undelivered() (n int) {
	for _, q := range r.queues {
		c := q.Counts()
		n += c.Visible + c.InFlight + c.Delayed
	}
	return n
}

// RecordCommand is the first argument of a Config's Command where it is to write a program's Declaration as JSON and to end.
const RecordCommand = "record"

// commandDir, below the folder where functions are built, is where the command is.
const commandDir = ".command"

// reprogram builds the command of a program that has changed, and has it say what the program declares by now. Where that is something
// else, and could run, the run gets a successor.
func (f *follower) reprogram(ctx context.Context) error {
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
		f.log.Debug("the program declares what it did")
		return nil
	}
	// A function that does not build would end the successor as it starts.
	if err := lambda.Prebuild(ctx, c.ProjectDir, c.BuildDir, c.Program.packages(next.Functions)...); err != nil {
		return err
	}
	f.log.Info("the program has changed: restarting", events.ProgramChanged.Attr(),
		"changes", strings.Join(graph.Lines(changes), "\n")+"\n")
	f.replaced = true
	f.run.successor <- Successor{Executable: executable, Changes: changes}
	return nil
}

// record asks a command what its program declares.
func (f *follower) record(ctx context.Context, executable string) (d Declaration, err error) {
	var stdout, stderr bytes.Buffer
	err = process.Run(ctx, process.Config{
		Path: executable,
		Args: []string{RecordCommand, "-program", f.run.config.Program.Name, "-stage", f.run.config.Stage},
		Env:  os.Environ(),
		Dir:  f.run.config.ProjectDir,
		// A long line comes in pieces, which are one again without a newline; JSON does without.
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
