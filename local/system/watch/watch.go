// Package watch notices changes of a module's source files, and knows which packages are made of them.
package watch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// DefaultQuiet is how long nothing may change before a batch is told of. Editors write a file in several steps, formatters
	// write it again, and git many at once.
	DefaultQuiet = 40 * time.Millisecond

	// maxDelay is how long a batch waits at most where changes never end, in the files of a running program for one.
	maxDelay = time.Second
)

// Config says what to watch.
type Config struct {
	Root  string        // a directory, watched with all that is below it, but for names that begin with . or _
	Skip  []string      // directories below the root that are not watched, with slashes
	Quiet time.Duration // 0 means DefaultQuiet
	Log   *slog.Logger
}

// A Batch is what changed within a short time.
type Batch struct {
	Files []string // below the root, with slashes, sorted: files, and directories that went
	All   bool     // events were lost: anything may have changed
}

// A Watcher watches a directory tree until it is closed.
type Watcher struct {
	config  Config
	events  *fsnotify.Watcher
	batches chan Batch
	closing chan struct{}
	done    chan struct{}
}

// Start watches a directory tree. What changes while nobody receives is kept.
//
// Directories are watched, not files: an editor that saves a file under another name and renames it leaves a watch on the old file behind.
func Start(c Config) (*Watcher, error) {
	root, err := filepath.EvalSymlinks(c.Root) // which a walk does not follow
	if err == nil {
		root, err = filepath.Abs(root)
	}
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", c.Root, err)
	}
	c.Root, c.Quiet = root, cmp.Or(c.Quiet, DefaultQuiet)
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	events, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", c.Root, limit(err))
	}
	w := &Watcher{config: c, events: events, batches: make(chan Batch), closing: make(chan struct{}), done: make(chan struct{})}
	if _, err := w.add(root); err != nil {
		return nil, errors.Join(fmt.Errorf("watching %s: %w", c.Root, limit(err)), events.Close())
	}
	go func() {
		defer close(w.done)
		w.gather(events.Events, events.Errors)
	}()
	return w, nil
}

// limit says what to do where the system allows no more watches.
func limit(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("%w: this user watches too many files already: raise fs.inotify.max_user_watches and max_user_instances with sysctl", err)
	}
	return err
}

// Batches are what changed, batch by batch.
func (w *Watcher) Batches() <-chan Batch { return w.batches }

// Close ends the watch.
func (w *Watcher) Close() error {
	close(w.closing)
	<-w.done
	if err := w.events.Close(); err != nil {
		return fmt.Errorf("ending the watch of %s: %w", w.config.Root, err)
	}
	return nil
}

// add watches a directory and those below it, and returns the files in them, which may have come before the watch.
func (w *Watcher) add(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it went again
		case err != nil:
			return err
		case !entry.IsDir():
			files = append(files, path)
			return nil
		case path != w.config.Root && w.skips(path):
			return fs.SkipDir
		}
		if err := w.events.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	return files, err
}

// skips tells of a directory that the go command does not look into either, and of one that is not to be watched.
func (w *Watcher) skips(dir string) bool {
	name := filepath.Base(dir)
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "node_modules" || slices.Contains(w.config.Skip, w.below(dir))
}

// gather makes batches of events until the watch is closed.
func (w *Watcher) gather(events <-chan fsnotify.Event, failures <-chan error) {
	var (
		changed = map[string]bool{}
		all     bool
		first   time.Time        // of the batch; zero while there is none
		quiet   <-chan time.Time // tells that the batch is whole
		batches chan<- Batch     // where it goes then; nil before
	)
	note := func() {
		now := time.Now()
		if first.IsZero() {
			first = now
		}
		quiet = time.After(min(w.config.Quiet, first.Add(maxDelay).Sub(now)))
		batches = nil
	}
	for {
		select {
		case e := <-events:
			if e.Op == fsnotify.Chmod {
				continue // indexers and backups do that
			}
			for _, file := range w.changedBy(e) {
				changed[file] = true
				note()
			}
		case err := <-failures:
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				all = true
				note()
				continue
			}
			w.config.Log.Warn("watching the sources", "error", err)
		case <-quiet:
			quiet, batches = nil, w.batches
		case batches <- Batch{Files: slices.Sorted(maps.Keys(changed)), All: all}:
			changed, all, first, batches = map[string]bool{}, false, time.Time{}, nil
		case <-w.closing:
			return
		}
	}
}

// changedBy are the files that an event tells of: more than one where it is of a new directory.
func (w *Watcher) changedBy(e fsnotify.Event) []string {
	paths := []string{e.Name}
	if e.Has(fsnotify.Create) {
		if info, err := os.Lstat(e.Name); err == nil && info.IsDir() {
			if w.skips(e.Name) {
				return nil
			}
			files, err := w.add(e.Name)
			if err != nil {
				w.config.Log.Warn("changes in a new folder will not be seen", "folder", e.Name, "error", limit(err))
			}
			paths = files
		}
	}
	for i, path := range paths {
		paths[i] = w.below(path)
	}
	return paths
}

// below is a path that was watched, from the root on.
func (w *Watcher) below(path string) string {
	return filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(path, w.config.Root), string(filepath.Separator)))
}
