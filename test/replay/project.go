package replay

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"restock/local/system/process"
	"restock/test/module"
)

// A Project is a copy of the project.
type Project struct {
	Dir string

	tests  string // the folder for the programs of go test, below Dir
	tested int    // how often go test has run
}

// NewProject copies the project, whose root is given, with [module.Copy].
func NewProject(t *testing.T, root string) *Project {
	t.Helper()
	return &Project{Dir: module.Copy(t, root, "extended").Dir, tests: ".build/tests/" + t.Name()}
}

// Apply makes changes. It returns a function that reverts them.
func (p *Project) Apply(changes []Change) (revert func() error, err error) {
	originals := map[string][]byte{} // nil: there was no such file
	revert = func() error {
		for path, text := range originals {
			if text == nil {
				if err := os.Remove(path); err != nil {
					return err
				}
			} else if err := os.WriteFile(path, text, 0o644); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range changes {
		path := filepath.Join(p.Dir, filepath.FromSlash(c.File))
		text, err := os.ReadFile(path)
		if isNew := errors.Is(err, fs.ErrNotExist); isNew != c.IsNew() || err != nil && !isNew {
			return revert, fmt.Errorf("changing %s: it exists: %v, want %v (%w)", c.File, !isNew, !c.IsNew(), err)
		}
		changed := c.New
		if !c.IsNew() {
			if changed, err = c.Apply(string(text)); err != nil {
				return revert, err
			}
		}
		if _, changed := originals[path]; !changed {
			originals[path] = text
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return revert, err
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			return revert, err
		}
	}
	return revert, nil
}

// goFlags make tests link in half of the time, and leave vet to the commands that run it: a test
// after every change would vet all packages below again. Programs have no commit, so that another
// commit does not link them again.
const goFlags = "-vet=off -buildvcs=false '-ldflags=-s -w'"

// Run runs a command in the project, and returns the lines of its output. The error is the
// command's.
func (p *Project) Run(ctx context.Context, command string) (lines []string, err error) {
	script := command
	if arguments, ok := strings.CutPrefix(command, "go test "); ok {
		// The go command links a test at every run, unless -o keeps its program. Each run has a
		// folder of its own, because a page changes the sources between two runs of a test. The
		// next copy gets the folders.
		p.tested++
		script = fmt.Sprintf("go test -o %s/%d/ %s", p.tests, p.tested, arguments)
	}
	var mu sync.Mutex
	collect := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}
	err = process.Run(ctx, process.Config{
		Path: "sh", Args: []string{"-euc", script}, Dir: p.Dir, Stdout: collect, Stderr: collect,
		Env: append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" "+goFlags),
	})
	if err != nil {
		return lines, fmt.Errorf("%s: %w", command, err)
	}
	return lines, nil
}
