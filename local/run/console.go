package run

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"restock/local/view/console"
	"restock/local/view/console/drawing"
	"restock/local/view/events"
	"restock/local/view/otlp"
)

// ConsoleAddress is the console's default address in command local.
const ConsoleAddress = "127.0.0.1:8082"

// recordCapacity is how many records of the log the stream to the views keeps: those of one
// second of the fastest rush.
const recordCapacity = 16384

// startViews starts the console and the export of spans, if the configuration has them. From then
// on, they get all records of the log.
func (r *Run) startViews() error {
	if r.listen.console == nil && r.config.OTLP == "" {
		return nil
	}
	records := events.NewStream[events.Event](recordCapacity)
	r.config.Log = slog.New(slog.NewMultiHandler(r.config.Log.Handler(), events.NewHandler(records, slog.LevelDebug)))
	if r.config.OTLP != "" {
		exporter, err := otlp.Start(otlp.Config{
			Collector: r.config.OTLP, Program: r.config.Program.Name, Stage: r.config.Stage,
			Log: r.config.Log.With("part", "otlp"),
		}, records.Subscribe(0))
		if err != nil {
			return err
		}
		r.onClose("export of spans", exporter.Close)
	}
	if r.listen.console != nil {
		r.startConsole(records)
	}
	return nil
}

// startConsole starts the console, which shows the records of a stream.
func (r *Run) startConsole(records *events.Stream[events.Event]) {
	r.console = console.New(console.Config{
		Program: r.config.Program.Name, Stage: r.config.Stage, Records: records,
		Log: r.config.Log.With("part", "console"), Panels: r.config.Panels, Business: r.config.Program.Business,
	})
	r.onClose("console", func(context.Context) error { return r.console.Close() })
	r.serve("console", r.listen.console, r.console, nil)
}

// invoked returns the function that shows an invocation in the console, or nil without a console.
func (r *Run) invoked() func(console.Invocation) {
	if r.console == nil {
		return nil
	}
	return r.console.Invoked
}

// draw draws the recorded program.
func (r *Run) draw(p *program) (console.Graph, error) {
	return drawing.Draw(p.graph, p.services.standIns,
		drawing.Outside{Callers: r.config.Program.Callers, Servers: r.Endpoints().Outside})
}

// showProgram shows the picture of the recorded program in the console.
func (r *Run) showProgram(p *program) error {
	if r.console == nil {
		return nil
	}
	picture, err := r.draw(p)
	if err != nil {
		return err
	}
	r.console.Draw(picture)
	return nil
}

// showStack shows the running stack in the console.
func (r *Run) showStack(p *program, s *services, fs functions) error {
	if r.console == nil {
		return nil
	}
	picture, err := r.draw(p)
	if err != nil {
		return err
	}
	e := r.Endpoints()
	stack := console.Stack{
		Graph: picture, Region: r.region, DSN: e.DSN, Topics: s.declaredTopics(), Queues: s.queues(),
		Endpoints: map[string]string{"api": e.API, "aws": e.AWS},
		Instances: func(name string) int {
			if f := fs.named(p.graph, name); f != nil {
				return f.Instances()
			}
			return 0
		},
	}
	stack.PassTime = func(ctx context.Context) console.Passed {
		passed := console.Passed{Schedules: len(r.schedules)}
		for _, q := range stack.Queues {
			passed.Messages += q.Advance(time.Minute)
		}
		r.PassTime(ctx)
		return passed
	}
	stack.Functions = r.consoleFunctions(p, s, fs, picture.Routes)
	if stack.Functions.Declared, err = r.declarations(p.graph); err != nil {
		return err
	}
	stack.Secrets = func() []string { return append(s.secrets.Values(), p.secrets...) }
	maps.Copy(stack.Endpoints, e.Outside)
	if err := r.console.Run(stack); err != nil {
		return fmt.Errorf("showing the stack in the console: %w", err)
	}
	// The console starts first and stops last, but must close its connection before the database
	// stops.
	r.onClose("console's connection to the database",
		func(context.Context) error { r.console.ReleaseDatabase(); return nil })
	return nil
}

// showChanges shows in the console how the stack has changed since the previous run.
func (r *Run) showChanges() {
	if r.console != nil && len(r.config.Changes) > 0 {
		r.console.Changed(console.Change{Time: time.Now().UTC(), Lines: r.config.Changes})
	}
}

// showBuild shows the state of a build in the console.
func (f *follower) showBuild(b console.Build) {
	if f.run.console != nil {
		b.Time = time.Now().UTC()
		f.run.console.Built(b)
	}
}
