package run

import (
	"context"
	"log/slog"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"restock/infra/bundle"
	"restock/infra/graph"
	"restock/local/system/watch"
)

// A follower keeps the functions up to date with their sources: it builds the packages of a changed
// file, and swaps functions that have changed. A function that does not build keeps running in its
// previous version.
type follower struct {
	run       *Run
	log       *slog.Logger         // of builds
	declared  *graph.Graph         // the running stack, with the addresses on AWS
	invoked   []*graph.Resource    // invocations that are a part of the deployment
	functions map[string]*function // by package path, such as "./lambdas/stock"
	program   string               // the path of the package that declares the stack
	sources   atomic.Pointer[watch.Sources]
	reported  string // the last reported error; empty after a successful build
	replaced  bool   // whether the run has a successor
}

// packages is a set of packages, by path.
type packages map[string]bool

func (p packages) add(more []string) {
	for _, path := range more {
		p[path] = true
	}
}

func (p packages) sorted() []string { return slices.Sorted(maps.Keys(p)) }

// watchSources starts to watch the sources.
func (r *Run) watchSources() {
	if !r.config.Watch {
		return
	}
	log := r.config.Log.With("part", "build")
	skip := []string{"bin", bundle.OutDir}
	if data, err := filepath.Rel(r.config.ProjectDir, r.config.Data); err == nil {
		skip = append(skip, filepath.ToSlash(data)) // the database writes there all the time
	}
	watcher, err := watch.Start(watch.Config{Root: r.config.ProjectDir, Skip: skip, Log: log})
	if err != nil {
		log.Warn("the sources are not watched: changes have no effect", "error", err)
		return
	}
	r.watcher = watcher
	r.onClose("watch of the sources", func(context.Context) error { return watcher.Close() })
}

// followSources keeps the functions up to date until the run closes or has a successor.
func (r *Run) followSources(p *program, fs functions) {
	if r.watcher == nil {
		return
	}
	f := &follower{
		run: r, log: r.config.Log.With("part", "build"), declared: p.onAWS, invoked: p.graph.OfType(graph.Invocation),
		functions: map[string]*function{}, program: "./" + r.config.Program.Package,
	}
	for _, function := range fs {
		f.functions["./"+path.Join(r.config.Program.Functions, path.Base(function.Executable))] = function
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.listSources(ctx)
		f.rebuildChanged(ctx)
	}()
	r.onClose("watch of the functions", func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}

// listSources finds the files of each package. If the go command fails, the previous list stays in
// use.
func (f *follower) listSources(ctx context.Context) {
	packages := append(slices.Sorted(maps.Keys(f.functions)), f.program)
	sources, err := watch.List(ctx, f.run.config.ProjectDir, packages...)
	if err != nil {
		f.log.Debug("listing the sources failed", "error", err)
		return
	}
	f.sources.Store(sources)
}

// rebuildChanged rebuilds changed packages until ctx ends or the run has a successor.
func (f *follower) rebuildChanged(ctx context.Context) {
	stale := packages{} // changed since their last successful build
	again := false
	if len(f.run.config.Changes) > 0 {
		// The program may have changed again while this run replaced the one before.
		stale[f.program], again = true, true
	}
	for ctx.Err() == nil && !f.replaced {
		if again {
			stale, again = f.rebuildUntilChange(ctx, stale)
			continue
		}
		select {
		case <-ctx.Done():
		case batch := <-f.run.watcher.Batches():
			made := f.madeOf(batch, stale)
			stale.add(made)
			again = len(made) > 0
		}
	}
}

// rebuildUntilChange rebuilds stale packages, and returns those that are still stale. Further
// changes cancel the build; again says that the caller repeats it with them.
func (f *follower) rebuildUntilChange(ctx context.Context, stale packages) (left packages, again bool) {
	building, cancel := context.WithCancel(ctx)
	defer cancel()
	rebuilt := make(chan packages, 1)
	go func() { rebuilt <- f.rebuild(ctx, building, stale) }()
	more := packages{}
	for {
		select {
		case left := <-rebuilt:
			left.add(more.sorted())
			return left, len(more) > 0 && !f.replaced
		case batch := <-f.run.watcher.Batches():
			if made := f.madeOf(batch, nil); len(made) > 0 {
				more.add(made)
				cancel()
			}
		}
	}
}

// madeOf returns the packages to build after a batch of changes. Every changed source file may
// repair a broken package, so it rebuilds them too.
func (f *follower) madeOf(batch watch.Batch, broken packages) (made []string) {
	sources := f.sources.Load()
	if sources == nil || batch.All {
		return append(slices.Collect(maps.Keys(f.functions)), f.program)
	}
	for _, file := range batch.Files {
		made = append(made, sources.MadeOf(file)...)
		if path.Ext(file) == ".sql" {
			f.log.Warn("a migration has changed: a migration that has run on this database does not run again; "+
				"make reset deletes the database", "file", file)
		}
		if f.configures(file) {
			made = append(made, f.program)
		}
		if watch.IsSource(file) {
			made = append(made, broken.sorted()...)
		}
	}
	return made
}

// configures reports whether the program reads a file as its configuration.
func (f *follower) configures(file string) bool {
	dir, name := path.Split(file)
	return path.Clean(dir) == path.Clean(f.run.config.Program.Project) && strings.HasPrefix(name, "Pulumi.") &&
		path.Ext(name) == ".yaml"
}
