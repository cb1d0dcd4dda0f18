// Package watch detects changes of a module's source files, and knows which packages depend on
// them.
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
	// DefaultQuiet is the time without a change after which a batch is complete. Editors write a
	// file in several steps, formatters write it again, and git writes many files at once.
	DefaultQuiet = 40 * time.Millisecond

	// maxDelay limits the delay of a batch while changes continue, for example in the files of a
	// running program.
	maxDelay = time.Second
)

// Config configures a Watcher.
type Config struct {
	Root  string        // a directory, watched recursively except names that begin with . or _
	Skip  []string      // unwatched directories below the root, with slashes
	Quiet time.Duration // 0 means DefaultQuiet
	Log   *slog.Logger
}

// A Batch is a set of changes within a short time.
type Batch struct {
	Files []string // below the root, with slashes, sorted: files, and deleted directories
	All   bool     // events were lost: any file may have changed
}

// A Watcher watches a directory tree until it is closed.
type Watcher struct {
	config  Config
	events  *fsnotify.Watcher
	batches chan Batch
	closing chan struct{}
	done    chan struct{}
}

// Start watches a directory tree. It keeps changes while nobody receives them.
//
// It watches directories, not files: when an editor writes a new file and renames it, a watch on
// the file would stay on the old one.
func Start(c Config) (*Watcher, error) {
	root, err := filepath.EvalSymlinks(c.Root) // a walk does not follow a link
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
	w := &Watcher{config: c, events: events, batches: make(chan Batch), closing: make(chan struct{}),
		done: make(chan struct{})}
	if _, err := w.add(root); err != nil {
		return nil, errors.Join(fmt.Errorf("watching %s: %w", c.Root, limit(err)), events.Close())
	}
	go func() {
		defer close(w.done)
		w.gather(events.Events, events.Errors)
	}()
	return w, nil
}

// limit adds advice to the error of a system that allows no more watches.
func limit(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) {
		return fmt.Errorf("%w: this user already watches too many files: raise fs.inotify.max_user_watches and "+
			"max_user_instances with sysctl", err)
	}
	return err
}

// Batches returns the channel of changes.
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

// add watches a directory and those below it. It returns the files in them, which may be older than
// the watch.
func (w *Watcher) add(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // deleted meanwhile
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

// skips reports whether a directory is not watched: the go command ignores it, or Skip names it.
func (w *Watcher) skips(dir string) bool {
	name := filepath.Base(dir)
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "node_modules" ||
		slices.Contains(w.config.Skip, w.below(dir))
}

// gather collects events into batches until the watch is closed.
func (w *Watcher) gather(events <-chan fsnotify.Event, failures <-chan error) {
	var (
		changed = map[string]bool{}
		all     bool
		first   time.Time        // start of the batch; zero if there is none
		quiet   <-chan time.Time // fires when the batch is complete
		batches chan<- Batch     // set when the batch is complete
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
				continue // indexers and backups cause these events
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

// changedBy returns the files of an event. The event of a new directory has several.
func (w *Watcher) changedBy(e fsnotify.Event) []string {
	paths := []string{e.Name}
	if e.Has(fsnotify.Create) {
		if info, err := os.Lstat(e.Name); err == nil && info.IsDir() {
			if w.skips(e.Name) {
				return nil
			}
			files, err := w.add(e.Name)
			if err != nil {
				w.config.Log.Warn("changes in a new folder will not be detected", "folder", e.Name, "error", limit(err))
			}
			paths = files
		}
	}
	for i, path := range paths {
		paths[i] = w.below(path)
	}
	return paths
}

// below returns a watched path relative to the root.
func (w *Watcher) below(path string) string {
	return filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(path, w.config.Root), string(filepath.Separator)))
}
