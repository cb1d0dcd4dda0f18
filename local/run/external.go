package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"restock/infra/graph"
	"restock/infra/recorder"
	"restock/infra/rules"
	"restock/local/aws/secretsmanager"
	"restock/local/engine"
	"restock/local/system/openfiles"
	"restock/local/system/process"
	"restock/local/view/events"
	"restock/local/view/progress"
)

// External returns the Pulumi program in a folder with a Pulumi.yaml. It has a main of its own, may
// belong to another module, and may use any version of Pulumi's SDKs.
func External(dir string) (Program, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Program{}, fmt.Errorf("finding the program: %w", err)
	}
	// The compiler writes the paths of the sources without links. See recorder.Source.
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return Program{}, fmt.Errorf("finding the program: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err != nil {
		return Program{}, fmt.Errorf("%s is not the folder of a Pulumi program: %w", dir, err)
	}
	return Program{Name: filepath.Base(dir), Project: ".", Dir: dir}, nil
}

// The folders of an external program, below the folder of built functions.
const (
	externalDir  = "program"
	functionsDir = "functions"
)

// recordExternal builds an external program and runs it twice against a recorder: with the
// addresses on AWS, and with those of the stand-ins.
func (r *Run) recordExternal(ctx context.Context) (*program, error) {
	external := r.config.Program
	stage, err := recorder.ReadStage(external.Dir, r.config.Stage, external.Given)
	if err != nil {
		return nil, err
	}
	log := r.config.Log.With("part", "program")
	if stage.NoFile != "" {
		log.Info("the stage has no file: the run uses the values that Pulumi.yaml proposes", "file", stage.NoFile)
	}
	if stage.Runtime != "go" {
		return nil, fmt.Errorf("the program's runtime is %q: the run builds programs in Go only", stage.Runtime)
	}
	built, err := r.buildExternal(ctx, filepath.Join(external.Dir, stage.Main))
	if err != nil {
		return nil, err
	}
	built.Secrets, built.Log = stage.Secrets, log
	o := recorder.Options{Project: stage.Project, Stage: r.config.Stage, Config: stage.Config}
	p := &program{secrets: secretValues(stage)}
	if p.onAWS, err = built.Record(ctx, o); err != nil {
		return nil, err
	}
	if r.config.Edit != nil {
		r.config.Edit(p.onAWS)
	}
	p.services = r.newServices(ctx, p.onAWS)
	r.warnOfRules(p.onAWS)
	if err := openfiles.Require(filesNeeded(p.onAWS)); err != nil {
		return nil, err
	}
	var failure atomic.Pointer[error]
	o.LogicalNames, o.Answer = true, p.answer(ctx, &failure)
	if p.graph, err = built.Record(ctx, o); err != nil {
		if first := failure.Load(); first != nil {
			err = *first
		}
		return nil, err
	}
	if r.config.Edit != nil {
		r.config.Edit(p.graph)
	}
	if err := r.buildArchives(ctx, stage); err != nil {
		return nil, err
	}
	for _, kind := range []graph.Type{graph.BucketObject, graph.PlainBucketObject} {
		for _, object := range p.graph.OfType(kind) {
			if source := object.String("source"); source != "" {
				object.Outputs["source"] = absolute(built.Dir, source)
			}
		}
	}
	return p, r.unpackFunctions(p.graph, built.Dir)
}

// secretValues returns the secret values of a stage's configuration. It leaves out short ones, as
// those of secrets.
func secretValues(stage recorder.Stage) (values []string) {
	for _, key := range stage.Secrets {
		if value := stage.Config[key]; len(value) >= secretsmanager.ShortestSecret {
			values = append(values, value)
		}
	}
	return values
}

// buildExternal builds the main package in a folder.
func (r *Run) buildExternal(ctx context.Context, dir string) (p engine.Program, err error) {
	step := progress.Begin(r.config.Log.With("part", "build"), events.Building, "building the program")
	defer func() { step.End(err) }()
	p = engine.Program{Dir: dir, Executable: filepath.Join(r.config.BuildDir, externalDir)}
	if err := os.MkdirAll(r.config.BuildDir, 0o755); err != nil {
		return p, fmt.Errorf("building the program: %w", err)
	}
	return p, runCommand(ctx, "building the program", process.Config{
		Path: "go", Args: []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", p.Executable, "."},
		Dir: dir, Env: os.Environ(),
	})
}

// buildArchives runs the command in Pulumi.yaml that builds the functions' archives, if there is
// one. Pulumi ignores the key:
//
//	local:
//	  build: make build
func (r *Run) buildArchives(ctx context.Context, stage recorder.Stage) error {
	declared, ok := stage.Keys["local"]
	if !ok {
		return nil
	}
	keys, _ := declared.(map[string]any)
	command, ok := keys["build"].(string)
	if !ok || len(keys) != 1 {
		return errors.New(`the key "local" of Pulumi.yaml must have one key, "build", with a command`)
	}
	step := progress.Begin(r.config.Log.With("part", "build"), events.Building, "building the functions: "+command)
	err := runCommand(ctx, command, process.Config{
		Path: "sh", Args: []string{"-c", command}, Dir: r.config.Program.Dir, Env: os.Environ(),
	})
	step.End(err)
	return err
}

// runCommand runs a command. The error has the last lines of its output.
func runCommand(ctx context.Context, what string, c process.Config) error {
	last := process.NewTail(30)
	c.Stdout, c.Stderr = last.Add, last.Add
	if err := process.Run(ctx, c); err != nil {
		return fmt.Errorf("%s: %w\n%s", what, err, strings.Join(last.Lines(), "\n"))
	}
	return nil
}

// warnOfRules logs what would fail or get lost on AWS. The rules of this project's style are not
// for other programs, and a program that runs on AWS also runs here. The rule runtime is about the
// zips that this project builds, which are for arm64; unpackFunctions checks other archives. The
// rules output and metric know the names of outputs and of namespaces in this project.
func (r *Run) warnOfRules(onAWS *graph.Graph) {
	own := []string{"metric", "output", "runtime"}
	for _, v := range rules.Check(onAWS, r.config.Program.Declared) {
		if !v.House && !slices.Contains(own, v.Rule) {
			r.config.Log.Warn("would fail on AWS, or lose something there", "rule", v.Rule, "violation", v.String())
		}
	}
}
