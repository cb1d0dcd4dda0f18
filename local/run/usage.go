package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"restock/infra/graph"
	"restock/infra/policy/usage"
	"restock/infra/recorder"
	"restock/local/aws/awsapi"
	"restock/local/aws/forward"
	"restock/local/system/filelock"
)

// UsageFile is the name of a run's file of calls in its folder of data: see Config.Usage.
const UsageFile = "usage.json"

// Usage returns the calls that the policies have allowed so far.
func (r *Run) Usage() usage.Counts {
	counts := r.usage.Counts()
	counts.Judged = []string{"execute-api", "lambda"} // without an API in the list of stand-ins
	for _, standIn := range r.services.standIns {
		if slices.ContainsFunc(standIn.APIs, checksCalls) {
			counts.Judged = append(counts.Judged, standIn.Service)
		}
	}
	slices.Sort(counts.Judged)
	return counts
}

// checksCalls reports whether the run checks all calls of an API. Config.Unchecked, or a lack of a
// model of the service, lets calls pass to an emulator unchecked.
func checksCalls(api awsapi.Service) bool {
	return api.Forward == nil || !api.Forward.Unchecked &&
		slices.ContainsFunc(forward.Models(), func(m forward.Model) bool { return m.Service == api.Name })
}

// ReadUsage reads the calls that runs have added to a file. A missing file has none.
func ReadUsage(path string) (counts usage.Counts, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return counts, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &counts)
	}
	if err != nil {
		return counts, fmt.Errorf("reading the calls of earlier runs in %s: %w", path, err)
	}
	return counts, nil
}

// keepUsage adds the calls of this run to Config.Usage. Other runs may do the same at the same
// time.
func (r *Run) keepUsage(ctx context.Context) error {
	path := r.config.Usage
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	lock, err := filelock.Wait(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer lock.Release()
	counts, err := ReadUsage(path)
	if err != nil {
		return err
	}
	counts.Add(r.Usage())
	text, err := json.MarshalIndent(counts, "", "\t")
	if err != nil {
		return fmt.Errorf("writing the calls: %w", err)
	}
	partial := path + ".partial" // a reader never sees half a file
	if err := os.WriteFile(partial, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(partial, path)
}

// Record records a program for a stage with the names and ARNs that its runs use. projectDir is the
// folder of the program's module.
func Record(ctx context.Context, p Program, projectDir, stage string) (*graph.Graph, error) {
	if p.Dir != "" {
		r := &Run{config: DefaultConfig(p, projectDir)}
		r.config.Stage, r.config.Log = stage, slog.New(slog.DiscardHandler)
		read, err := recorder.ReadStage(p.Dir, stage, p.Given)
		if err != nil {
			return nil, err
		}
		built, err := r.buildExternal(ctx, filepath.Join(p.Dir, read.Main))
		if err != nil {
			return nil, err
		}
		built.Secrets, built.Log = read.Secrets, r.config.Log
		return built.Record(ctx, recorder.Options{
			Project: read.Project, Stage: stage, Config: read.Config, LogicalNames: true,
		})
	}
	project, config, err := recorder.Config(filepath.Join(projectDir, p.Project), stage)
	if err != nil {
		return nil, err
	}
	g, _, err := declared(p, recorder.Options{Project: project, Stage: stage, Config: config, LogicalNames: true})
	return g, err
}
