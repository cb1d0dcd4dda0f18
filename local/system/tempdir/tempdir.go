// Package tempdir makes temporary directories that a killed process does not leave for good: whoever makes the next one removes them.
package tempdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"restock/local/system/filelock"
	"restock/local/system/openfiles"
)

// aliveLock, in a directory, is locked for as long as the process lives that made it.
const aliveLock = "alive.lock"

// A Dir is a temporary directory. A nil *Dir is one that was never made.
type Dir struct {
	path  string
	alive *filelock.Lock
}

// New makes a directory in os.TempDir, with a random text for the * of its pattern, as in "restock-lambda-*". It first removes those of
// the pattern whose processes were killed.
func New(pattern string) (*Dir, error) {
	// TMPDIR may be relative. Processes that are started in other folders are told of the directory.
	in, err := filepath.Abs(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("finding the folder for temporary files: %w", err)
	}
	removeAbandoned(in, pattern)
	path, err := os.MkdirTemp(in, pattern)
	if err != nil {
		return nil, fmt.Errorf("making a temporary directory: %w: set TMPDIR to a folder that exists and can be written to", openfiles.Explain(err))
	}
	d := &Dir{path: path}
	lock := filepath.Join(path, aliveLock)
	if d.alive, err = filelock.Try(lock + ".new"); err == nil {
		err = os.Rename(lock+".new", lock) // nobody sees the lock before it is held
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making a temporary directory: %w", err), d.Remove())
	}
	return d, nil
}

// Path is where the directory is. It is absolute.
func (d *Dir) Path() string { return d.path }

// Remove removes the directory with all that is in it.
func (d *Dir) Remove() error {
	if d == nil {
		return nil
	}
	return errors.Join(os.RemoveAll(d.path), d.alive.Release())
}

// removeAbandoned removes the directories of processes that were killed. What cannot be removed is left: it belongs to somebody else.
func removeAbandoned(in, pattern string) {
	locks, _ := fs.Glob(os.DirFS(in), pattern+"/"+aliveLock) // the pattern is well-formed
	for _, lock := range locks {
		path := filepath.Join(in, lock)
		l, err := filelock.TryExisting(path) // it is not made here: its directory may be going away
		if err != nil {
			continue // its process lives, or another removes it
		}
		_ = os.RemoveAll(filepath.Dir(path))
		_ = l.Release()
	}
}

// HandOver keeps the directory for the program that this process becomes (execve), which calls TakeOver with its path and the file
// descriptor. See filelock.Lock.HandOver.
func (d *Dir) HandOver() (fd int, err error) { return d.alive.HandOver() }

// TakeOver is a directory that was handed over.
func TakeOver(path string, fd int) *Dir { return &Dir{path: path, alive: filelock.TakeOver(fd)} }
