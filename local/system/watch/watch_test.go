package watch

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"

	"restock/test/await"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatPeopleAndEditorsDoIsNoticed(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, root string)
		want string // a file of a batch
	}{
		{"a file is written", func(t *testing.T, root string) { write(t, root+"/a/main.go", "2") }, "a/main.go"},
		{"a file is new", func(t *testing.T, root string) { write(t, root+"/a/new.go", "") }, "a/new.go"},
		{"a file is replaced by one that was written beside it", func(t *testing.T, root string) {
			write(t, root+"/a/main.go.new", "2")
			if err := os.Rename(root+"/a/main.go.new", root+"/a/main.go"); err != nil {
				t.Fatal(err)
			}
		}, "a/main.go"},
		{"a file is kept under another name and written anew", func(t *testing.T, root string) {
			if err := os.Rename(root+"/a/main.go", root+"/a/main.go~"); err != nil {
				t.Fatal(err)
			}
			write(t, root+"/a/main.go", "2")
		}, "a/main.go"},
		{"a file is removed", func(t *testing.T, root string) {
			if err := os.Remove(root + "/a/main.go"); err != nil {
				t.Fatal(err)
			}
		}, "a/main.go"},
		{"a file is written in a new folder", func(t *testing.T, root string) { write(t, root+"/b/c/d.go", "") },
			"b/c/d.go"},
		{"a folder is moved in", func(t *testing.T, root string) {
			outside := t.TempDir()
			write(t, outside+"/b/c/d.go", "")
			if err := os.Rename(outside+"/b", root+"/b"); err != nil {
				t.Fatal(err)
			}
		}, "b/c/d.go"},
		{"a folder is moved away", func(t *testing.T, root string) {
			if err := os.Rename(root+"/a", t.TempDir()+"/a"); err != nil {
				t.Fatal(err)
			}
		}, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root+"/a/main.go", "1")
			w := start(t, Config{Root: root})
			c.do(t, root)
			awaitFile(t, w, c.want)
		})
	}
}

func start(t *testing.T, c Config) *Watcher {
	t.Helper()
	w, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// awaitFile waits until a file has changed, and returns all files that have changed by then.
func awaitFile(t *testing.T, w *Watcher, file string) (seen []string) {
	t.Helper()
	for !slices.Contains(seen, file) {
		batch := await.Receive(t, fmt.Sprintf("%s has changed, after %q", file, seen), w.Batches())
		seen = append(seen, batch.Files...)
	}
	return seen
}

func TestFilesInAFolderThatCameLaterAreNoticed(t *testing.T) {
	root := t.TempDir()
	w := start(t, Config{Root: root})
	write(t, root+"/b/c/d.go", "1")
	awaitFile(t, w, "b/c/d.go")
	write(t, root+"/b/c/e.go", "1")
	awaitFile(t, w, "b/c/e.go")
}

func TestWhatIsNoSourceIsNotWatched(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{".git", "bin", "_old", "node_modules"} {
		write(t, filepath.Join(root, dir, "x.go"), "1")
	}
	w := start(t, Config{Root: root, Skip: []string{"bin", "data"}})
	for _, dir := range []string{".git", "bin", "_old", "node_modules", "data", ".later"} {
		write(t, filepath.Join(root, dir, "x.go"), "2")
	}
	write(t, root+"/last.go", "")
	if seen := awaitFile(t, w, "last.go"); !slices.Equal(slices.Compact(seen), []string{"last.go"}) {
		t.Errorf("got changes of %q, want of last.go alone", seen)
	}
}

func TestAFolderThatIsNotThere(t *testing.T) {
	_, err := Start(Config{Root: "testdata/nowhere", Quiet: time.Millisecond})
	if err != nil && strings.Contains(err.Error(), "nowhere") {
		return
	}
	t.Errorf("got %v, want an error that names the folder", err)
}

// gathering returns a watcher that gets its events from the test, in a synctest bubble.
func gathering(t *testing.T) (w *Watcher, events chan fsnotify.Event, failures chan error) {
	w = &Watcher{config: Config{Root: "/src", Quiet: 40 * time.Millisecond, Log: slog.New(slog.DiscardHandler)},
		batches: make(chan Batch), closing: make(chan struct{})}
	events, failures = make(chan fsnotify.Event), make(chan error)
	go w.gather(events, failures)
	t.Cleanup(func() { close(w.closing) })
	return w, events, failures
}

func wrote(file string) fsnotify.Event {
	return fsnotify.Event{Name: "/src/" + file, Op: fsnotify.Write}
}

func TestABatchIsToldOfWhenAllIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, events, _ := gathering(t)
		began := time.Now()
		for i := range 5 {
			events <- wrote(fmt.Sprint(4-i, ".go"))
			events <- wrote("same.go")
			time.Sleep(30 * time.Millisecond)
		}
		batch := <-w.Batches()
		if want := []string{"0.go", "1.go", "2.go", "3.go", "4.go", "same.go"}; !slices.Equal(batch.Files, want) {
			t.Errorf("got %q, want %q in one batch", batch.Files, want)
		}
		if took, want := time.Since(began), 4*30*time.Millisecond+40*time.Millisecond; took != want {
			t.Errorf("told after %v, want 40 ms after the last change: %v", took, want)
		}
		events <- wrote("later.go")
		if batch := <-w.Batches(); !slices.Equal(batch.Files, []string{"later.go"}) {
			t.Errorf("got %q, want later.go alone", batch.Files)
		}
	})
}

func TestChangesThatNeverEndAreToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, events, _ := gathering(t)
		began := time.Now()
		for time.Since(began) < time.Minute {
			select {
			case events <- wrote("a.log"):
				time.Sleep(time.Millisecond)
			case <-w.Batches():
				if took := time.Since(began); took > maxDelay+40*time.Millisecond {
					t.Errorf("told after %v, want after %v", took, maxDelay)
				}
				return
			}
		}
		t.Error("a change every millisecond: nothing was told in a minute")
	})
}

func TestWhatChangesWhileNobodyListensIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, events, _ := gathering(t)
		events <- wrote("a.go")
		time.Sleep(time.Hour)
		events <- wrote("b.go")
		if batch := <-w.Batches(); !slices.Equal(batch.Files, []string{"a.go", "b.go"}) {
			t.Errorf("got %q, want a.go and b.go", batch.Files)
		}
	})
}

func TestLostEventsMayBeAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, events, failures := gathering(t)
		events <- fsnotify.Event{Name: "/src/a.go", Op: fsnotify.Chmod}
		failures <- fsnotify.ErrEventOverflow
		if batch := <-w.Batches(); !batch.All || len(batch.Files) > 0 {
			t.Errorf("got %+v, want all, and no file: a mode is no change", batch)
		}
	})
}
