// Package watchtest gives tests a copy of this module. Tests may edit its sources while a program
// watches them.
package watchtest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"restock/local/system/filelock"
)

// A Module is a copy of the module. It is removed when the test ends.
type Module struct{ Dir string }

// Copy copies the module at a directory into [Folder], without its history, its build results and
// its documentation.
func Copy(tb testing.TB, from string) Module {
	tb.Helper()
	to := Folder(tb, from)
	if err := copyModule(from, to); err != nil {
		tb.Fatal(err)
	}
	return Module{to}
}

// Folder returns an empty folder for a copy of the module at a directory. All copies have the same
// path, because the path is part of the keys in the go command's cache: a copy with another path
// would compile every package again. A concurrent call waits. The end of the test removes the
// folder.
func Folder(tb testing.TB, module string) string {
	tb.Helper()
	folder, err := filepath.Abs(filepath.Join(module, ".build", "copy")) // git and the go command ignore .build
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		tb.Fatal(err)
	}
	lock, err := filelock.Wait(tb.Context(), folder+".lock")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := errors.Join(os.RemoveAll(folder), lock.Release()); err != nil {
			tb.Error(err)
		}
	})
	// Remains of a killed test.
	if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o755)); err != nil {
		tb.Fatal(err)
	}
	return folder
}

func copyModule(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil || below == "." {
			return err
		}
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".") || slices.Contains([]string{"bin", "dist", "docs"}, below) {
				return fs.SkipDir
			}
			return os.Mkdir(filepath.Join(to, below), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, below), text, 0o644)
	})
}

// Edit replaces a text in a file. The file must contain it. Like an editor, Edit writes a new file
// and renames it.
func (m Module) Edit(tb testing.TB, file, old, new string) {
	tb.Helper()
	path := filepath.Join(m.Dir, file)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		tb.Fatalf("%s does not say %q (%v)", file, old, err)
	}
	if err := os.WriteFile(path+"~", []byte(strings.Replace(string(text), old, new, 1)), 0o644); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		tb.Fatal(err)
	}
}

// Add writes a new file. The folder may exist.
func (m Module) Add(tb testing.TB, file, text string) {
	tb.Helper()
	path := filepath.Join(m.Dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}
