package tour

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"restock/local/system/filelock"
	"restock/local/system/process"
)

// projectDir is the project's root.
const projectDir = "../.."

// A project is a copy of the project for the tour's mistakes.
type project struct{ dir string }

// newProject copies the project. The copy always has the same path, so that the go command finds
// the results of earlier builds in its cache. A concurrent call waits.
func newProject(t *testing.T) project {
	t.Helper()
	built, err := filepath.Abs(filepath.Join(projectDir, ".build")) // git and the go command ignore it
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(built, 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := filelock.Wait(t.Context(), filepath.Join(built, "tour.lock"))
	if err != nil {
		t.Fatal(err)
	}
	p := project{filepath.Join(built, "tour")}
	t.Cleanup(func() {
		if err := os.RemoveAll(p.dir); err != nil {
			t.Error(err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	})
	if err := os.RemoveAll(p.dir); err != nil { // left by a killed test
		t.Fatal(err)
	}
	if err := p.copyFrom(projectDir); err != nil {
		t.Fatal(err)
	}
	return p
}

// notSource are folders in the project's root with build results.
var notSource = []string{"bin", "dist"}

func (p project) copyFrom(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if at != "." && strings.HasPrefix(entry.Name(), ".") || slices.Contains(notSource, at) {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(p.dir, at), 0o755)
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(p.dir, at), text, info.Mode().Perm())
	})
}

// apply makes a step's changes. It returns a function that reverts them.
func (p project) apply(changes []change) (revert func() error, err error) {
	originals := map[string]string{}
	revert = func() error {
		for path, text := range originals {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range changes {
		path := filepath.Join(p.dir, filepath.FromSlash(c.file))
		text, err := os.ReadFile(path)
		if err != nil {
			return revert, err
		}
		if _, changed := originals[path]; !changed {
			originals[path] = string(text)
		}
		changed, err := c.apply(string(text))
		if err != nil {
			return revert, err
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			return revert, err
		}
	}
	return revert, nil
}

// run runs a command in the project, and returns the lines of its output. The error is the
// command's.
func (p project) run(ctx context.Context, command string) (lines []string, err error) {
	var mu sync.Mutex
	collect := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}
	err = process.Run(ctx, process.Config{
		Path: "sh", Args: []string{"-euc", command}, Dir: p.dir, Env: os.Environ(), Stdout: collect, Stderr: collect,
	})
	if err != nil {
		return lines, fmt.Errorf("%s: %w", command, err)
	}
	return lines, nil
}
