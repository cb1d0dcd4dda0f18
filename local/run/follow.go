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

// A follower keeps what runs what the sources say: it builds what is made of a file that has changed, and swaps what has become
// another one. What does not build goes on as it was.
type follower struct {
	run       *Run
	log       *slog.Logger         // of builds
	declared  *graph.Graph         // what runs, as it is deployed
	invoked   []*graph.Resource    // invocations that are part of a deployment
	functions map[string]*function // by the path of their packages, "./lambdas/stock"
	program   string               // the path of the package that declares them
	sources   atomic.Pointer[watch.Sources]
	told      string // of the last attempt that failed; empty after one that did not
	replaced  bool   // the run has a successor
}

// packages is a set of packages, by path.
type packages map[string]bool

func (p packages) add(more []string) {
	for _, path := range more {
		p[path] = true
	}
}

func (p packages) sorted() []string { return slices.Sorted(maps.Keys(p)) }

// watchSources notes, from here on, what of the sources changes.
func (r *Run) watchSources() {
	if !r.config.Watch {
		return
	}
	log := r.config.Log.With("part", "build")
	skip := []string{"bin", bundle.OutDir}
	if data, err := filepath.Rel(r.config.ProjectDir, r.config.Data); err == nil {
		skip = append(skip, filepath.ToSlash(data)) // a database writes all the time
	}
	watcher, err := watch.Start(watch.Config{Root: r.config.ProjectDir, Skip: skip, Log: log})
	if err != nil {
		log.Warn("what is changed will not be seen", "error", err)
		return
	}
	r.watcher = watcher
	r.onClose("watch of the sources", func(context.Context) error { return watcher.Close() })
}

// followSources lets the functions follow their sources until the run is closed, or has a successor.
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
		f.list(ctx)
		f.follow(ctx)
	}()
	r.onClose("watch of the functions", func(context.Context) error {
		cancel()
		<-done
		return nil
	})
}

// list finds out which files all is made of. Where the go command does not tell, what was known before has to do.
func (f *follower) list(ctx context.Context) {
	packages := append(slices.Sorted(maps.Keys(f.functions)), f.program)
	sources, err := watch.List(ctx, f.run.config.ProjectDir, packages...)
	if err != nil {
		f.log.Debug("the sources cannot be listed", "error", err)
		return
	}
	f.sources.Store(sources)
}

// follow rebuilds what changes until ctx ends or the run has a successor.
func (f *follower) follow(ctx context.Context) {
	stale := packages{} // have changed, and were not built since, or do not build
	again := false
	if len(f.run.config.Changes) > 0 {
		stale[f.program], again = true, true // it may have changed once more while this run took the place of the one before
	}
	for ctx.Err() == nil && !f.replaced {
		if again {
			stale, again = f.attempt(ctx, stale)
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

// attempt rebuilds what is stale, and returns what is so still. Changes that come meanwhile break it off: it is to be made again, with them.
func (f *follower) attempt(ctx context.Context, stale packages) (left packages, again bool) {
	building, breakOff := context.WithCancel(ctx)
	defer breakOff()
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
				breakOff()
			}
		}
	}
}

// madeOf are the packages that are to be built after a batch of changes. Of those that do not build, any source file may be what they miss.
func (f *follower) madeOf(batch watch.Batch, broken packages) (made []string) {
	sources := f.sources.Load()
	if sources == nil || batch.All {
		return append(slices.Collect(maps.Keys(f.functions)), f.program)
	}
	for _, file := range batch.Files {
		made = append(made, sources.MadeOf(file)...)
		if path.Ext(file) == ".sql" {
			f.log.Warn("a migration has changed: one that has run on this database does not run again; make reset forgets the database", "file", file)
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

// configures tells of a file that the program reads.
func (f *follower) configures(file string) bool {
	dir, name := path.Split(file)
	return path.Clean(dir) == path.Clean(f.run.config.Program.Project) && strings.HasPrefix(name, "Pulumi.") && path.Ext(name) == ".yaml"
}
