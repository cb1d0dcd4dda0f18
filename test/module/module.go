// Package module gives tests copies of this module, whose sources they may edit, and folders for
// what they build.
package module

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

// Sources are a copy of the module. The end of the test removes it.
type Sources struct {
	Dir  string
	kept string // the folder with the programs for the next copy
}

// Copy copies the module at a directory, without its history and what it has built. All copies have
// the same path, because the path is part of the keys in the go command's cache: a copy with
// another path would compile every package again. A concurrent call waits. Copies with the same
// name leave their programs in .build to each other, as [Kept] does: those of the end of the test,
// or those of the call of [Sources.Keep].
func Copy(tb testing.TB, from, name string) Sources {
	tb.Helper()
	s := folder(tb, from, name)
	if err := copyModule(from, s.Dir); err != nil {
		tb.Fatal(err)
	}
	return s
}

// buildDir is the folder for built programs in a module's root. git and the go command ignore it.
const buildDir = ".build"

// folder returns a folder for a copy of the module at a directory. It is empty but for the built
// programs. The end of the test removes it.
func folder(tb testing.TB, module, name string) Sources {
	tb.Helper()
	folder := Kept(tb, module, "copy")
	built, kept := filepath.Join(folder, buildDir), folder+"."+name
	move := func(from, to string) error {
		if err := os.Rename(from, to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	// Remains of a killed test.
	if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o755), move(kept, built)); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_, err := os.Stat(kept)
		if errors.Is(err, fs.ErrNotExist) { // the test has not called Keep
			err = move(built, kept)
		}
		if err := errors.Join(err, os.RemoveAll(folder)); err != nil {
			tb.Error(err)
		}
	})
	return Sources{folder, kept}
}

// Keep keeps the programs that are in .build now for the next copy. A test calls it once, when the
// programs are those that the next test needs first, such as the functions of the unedited sources:
// the go command would link them again if it found those of later edits.
func (s Sources) Keep(tb testing.TB) {
	tb.Helper()
	built := filepath.Join(s.Dir, buildDir)
	// A link is enough: the go command replaces a program, and does not write to its file.
	err := filepath.WalkDir(built, func(path string, entry fs.DirEntry, err error) error {
		to := s.kept + strings.TrimPrefix(path, built)
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return os.Mkdir(to, 0o755)
		}
		info, err := entry.Info()
		if err != nil || info.Mode()&0o100 == 0 {
			return err // a lock, or the certificate of the run: no program
		}
		return os.Link(path, to)
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Kept returns a folder for built programs, by a name, in the module at a directory. No run uses
// it: a function's name does not begin with a dot. The folder stays after the test: the go command
// does not link programs again that are up to date. A concurrent call with the same name waits.
func Kept(tb testing.TB, module, name string) string {
	tb.Helper()
	folder, err := filepath.Abs(filepath.Join(module, buildDir, ".kept", name))
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		tb.Fatal(err)
	}
	lock, err := filelock.Wait(tb.Context(), folder+".lock")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := lock.Release(); err != nil {
			tb.Error(err)
		}
	})
	return folder
}

// notSource are what the module's root has and a clone of it does not: see .gitignore. In a work
// tree of git, .git is a file.
var notSource = []string{".git", buildDir, ".data", "bin", "dist"}

func copyModule(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch skip := slices.Contains(notSource, below); {
		case skip && entry.IsDir():
			return fs.SkipDir
		case skip:
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, below), 0o755)
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, below), text, info.Mode().Perm())
	})
}

// Edit replaces a text in a file. The file must contain it. Like an editor, Edit writes a new file
// and renames it.
func (s Sources) Edit(tb testing.TB, file, old, new string) {
	tb.Helper()
	path := filepath.Join(s.Dir, file)
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
func (s Sources) Add(tb testing.TB, file, text string) {
	tb.Helper()
	path := filepath.Join(s.Dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}
