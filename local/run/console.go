package run

import (
	"context"
	"fmt"
	"log/slog"
	"maps"

	"restock/infra/graph"
	"restock/local/view/console"
	"restock/local/view/console/drawing"
	"restock/local/view/events"
)

// ConsoleAddress is where the console of a run listens that a person starts.
const ConsoleAddress = "127.0.0.1:8082"

// recordCapacity is how many of the log's records are kept for the console, which takes them at once: a second of the fastest rush.
const recordCapacity = 16384

// startConsole shows the run from its beginning, where the config says so: from here on the console is told of all that is logged.
func (r *Run) startConsole() {
	if r.listen.console == nil {
		return
	}
	records := events.NewStream[events.Event](recordCapacity)
	r.config.Log = slog.New(slog.NewMultiHandler(r.config.Log.Handler(), events.NewHandler(records, slog.LevelDebug)))
	r.console = console.New(console.Config{
		Program: r.config.Program.Name, Stage: r.config.Stage, Records: records, Log: r.config.Log.With("part", "console"),
		Panels: r.config.Panels, Business: r.config.Program.Business,
	})
	r.onClose("console", func(context.Context) error { return r.console.Close() })
	r.serve("console", r.listen.console, r.console, nil)
}

// draw shows the recorded program in the console.
func (r *Run) draw(p *program) error {
	if r.console == nil {
		return nil
	}
	picture, err := drawing.Draw(p.graph, r.Endpoints().Outside)
	if err != nil {
		return err
	}
	r.console.Draw(picture)
	return nil
}

// showInConsole shows the stack that runs in the console.
func (r *Run) showInConsole(p *program, s *services, fs functions) error {
	if r.console == nil {
		return nil
	}
	picture, err := drawing.Draw(p.graph, r.Endpoints().Outside)
	if err != nil {
		return err
	}
	e := r.Endpoints()
	stack := console.Stack{
		Graph: picture, DSN: e.DSN,
		Endpoints: map[string]string{"api": e.API, "aws": e.AWS},
		Instances: func(name string) int {
			if f := fs.named(p.graph, name); f != nil {
				return f.Instances()
			}
			return 0
		},
	}
	for _, resource := range p.graph.OfType(graph.Queue) {
		stack.Queues = append(stack.Queues, s.queues[resource.String("arn")])
	}
	maps.Copy(stack.Endpoints, e.Outside)
	if err := r.console.Run(stack); err != nil {
		return fmt.Errorf("showing the stack in the console: %w", err)
	}
	// Before the database ends: the console, which began first, ends last.
	r.onClose("console's connection to the database", func(context.Context) error { r.console.ReleaseDatabase(); return nil })
	return nil
}
