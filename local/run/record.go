package run

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/rules"
	"restock/local/system/openfiles"
	"restock/local/view/events"
	"restock/local/view/progress"
)

// A program is a recorded program, with its functions built and its database started.
type program struct {
	graph    *graph.Graph // with this machine's addresses
	onAWS    *graph.Graph // with the addresses on AWS
	services *services
	secrets  []string // configured values that the console must not send
}

// record runs the Pulumi program against a recorder that answers with the addresses of the
// stand-ins. Like a deployment, it builds the functions when the program asks for their code, and
// starts the database when the program declares it. Both run at the same time.
func (r *Run) record(ctx context.Context) (*program, error) {
	if r.config.Program.Dir != "" {
		return r.recordExternal(ctx)
	}
	projectDir := filepath.Join(r.config.ProjectDir, r.config.Program.Project)
	project, config, err := recorder.Config(projectDir, r.config.Stage)
	if err != nil {
		return nil, err
	}
	p := &program{}
	var functions []string
	p.onAWS, functions, err = declared(r.config.Program,
		recorder.Options{Project: project, Stage: r.config.Stage, Config: config})
	if err != nil {
		return nil, err
	}
	if err := r.checkDebug(functions); err != nil {
		return nil, err
	}
	if r.config.Edit != nil {
		r.config.Edit(p.onAWS)
	}
	if err := r.check(p.onAWS); err != nil {
		return nil, err
	}
	if err := openfiles.Require(filesNeeded(p.onAWS)); err != nil {
		return nil, err
	}
	if err := r.overrideSettings(config, project+":settings"); err != nil {
		return nil, err
	}
	buildCtx, stopBuilding := context.WithCancel(ctx)
	defer stopBuilding()
	var building errgroup.Group
	build := func(_ context.Context, names []string) (map[string]bundle.Zip, error) {
		building.Go(func() error { return r.build(buildCtx, names) })
		programs := map[string]bundle.Zip{}
		for _, name := range names {
			programs[name] = bundle.Zip{Path: filepath.Join(r.config.BuildDir, name)} // not zipped
		}
		return programs, nil
	}
	p.services = r.newServices(ctx, p.onAWS)
	var failure atomic.Pointer[error] // the first error itself: Pulumi rewords it
	p.graph, err = recorder.Record(r.config.Program.Declare(build), recorder.Options{
		Project: project, Stage: r.config.Stage, Config: config, LogicalNames: true,
		Answer: p.answer(ctx, &failure),
	})
	if err != nil {
		stopBuilding()
		_ = building.Wait() // its error is that it was cancelled
		if first := failure.Load(); first != nil {
			err = *first
		}
		return nil, err
	}
	if err := building.Wait(); err != nil {
		return nil, err
	}
	if r.config.Edit != nil {
		r.config.Edit(p.graph)
	}
	r.hideMessages(p.graph)
	return p, nil
}

// answer returns the function that replaces the outputs of recorded resources by those of the run.
// It stores its first error.
func (p *program) answer(ctx context.Context, failure *atomic.Pointer[error]) func(*graph.Resource) error {
	return func(resource *graph.Resource) error {
		err := p.services.deployed(ctx, resource)
		if err != nil {
			failure.CompareAndSwap(nil, &err)
		}
		return err
	}
}

// check returns an error with a line for each rule that the program breaks. It checks the program
// with the addresses on AWS, before anything is built or started.
func (r *Run) check(onAWS *graph.Graph) error {
	violations := rules.Check(onAWS, r.config.Program.Declared)
	if r.config.Unchecked {
		for _, v := range violations {
			text := "would not work on AWS"
			if v.House {
				text = "works on AWS, and breaks a rule of this project"
			}
			r.config.Log.Warn(text, "rule", v.Rule, "violation", v.String())
		}
		return nil
	}
	return refused(violations)
}

// refused returns the error of a program that breaks rules, or nil if there are no violations. What
// fails on AWS and what only this project refuses are apart.
func refused(violations []rules.Violation) error {
	var texts []string
	for _, heading := range []struct {
		house bool
		text  string
	}{
		{false, "the program declares what would not work on AWS:"},
		{true, "the program declares what would work on AWS, and what this project does not allow:"},
	} {
		others := func(v rules.Violation) bool { return v.House != heading.house }
		if lines := rules.Lines(slices.DeleteFunc(slices.Clone(violations), others)); len(lines) > 0 {
			texts = append(texts, heading.text+"\n  "+strings.Join(lines, "\n  "))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return errors.New(strings.Join(texts, "\n"))
}

func (r *Run) build(ctx context.Context, names []string) (err error) {
	if r.config.Built {
		return nil
	}
	step := progress.Begin(r.config.Log.With("part", "build"), events.Building, "building the functions",
		slog.String("functions", strings.Join(names, " ")))
	r.built, err = r.buildSums(ctx, r.config.Program.packages(names)...)
	step.End(err)
	return err
}
