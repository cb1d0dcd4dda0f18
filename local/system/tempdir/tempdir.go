// Package tempdir makes temporary directories. If a process is killed, the next process that makes
// a directory removes those of the killed one.
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

// aliveLock is a file in a directory. It is locked while the process that made the directory lives.
const aliveLock = "alive.lock"

// A Dir is a temporary directory. A nil *Dir was never made.
type Dir struct {
	path  string
	alive *filelock.Lock
}

// New makes a directory in os.TempDir. A random text replaces the * of the pattern, such as
// "restock-lambda-*". New first removes the directories with this pattern whose processes were
// killed.
func New(pattern string) (*Dir, error) {
	// TMPDIR may be relative, but processes in other folders use the directory too.
	in, err := filepath.Abs(os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("finding the folder for temporary files: %w", err)
	}
	removeAbandoned(in, pattern)
	path, err := os.MkdirTemp(in, pattern)
	if err != nil {
		return nil, fmt.Errorf(
			"making a temporary directory: %w: set TMPDIR to a folder that exists and can be written to",
			openfiles.Explain(err))
	}
	d := &Dir{path: path}
	lock := filepath.Join(path, aliveLock)
	if d.alive, err = filelock.Try(lock + ".new"); err == nil {
		err = os.Rename(lock+".new", lock) // atomic: no other process sees the file unlocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making a temporary directory: %w", err), d.Remove())
	}
	return d, nil
}

// Path returns the absolute path of the directory.
func (d *Dir) Path() string { return d.path }

// Remove removes the directory with its content.
func (d *Dir) Remove() error {
	if d == nil {
		return nil
	}
	return errors.Join(os.RemoveAll(d.path), d.alive.Release())
}

// removeAbandoned removes the directories of killed processes. It ignores errors: another user may
// own a directory.
func removeAbandoned(in, pattern string) {
	locks, _ := fs.Glob(os.DirFS(in), pattern+"/"+aliveLock) // the pattern is well-formed
	for _, lock := range locks {
		path := filepath.Join(in, lock)
		l, err := filelock.TryExisting(path) // do not create it: another process may be removing the directory
		if err != nil {
			continue // its process lives, or another process is removing it
		}
		_ = os.RemoveAll(filepath.Dir(path))
		_ = l.Release()
	}
}

// HandOver keeps the directory for the program that this process becomes (execve). That program
// calls TakeOver with the path and the file descriptor. See filelock.Lock.HandOver.
func (d *Dir) HandOver() (fd int, err error) { return d.alive.HandOver() }

// TakeOver returns a directory that was handed over.
func TakeOver(path string, fd int) *Dir { return &Dir{path: path, alive: filelock.TakeOver(fd)} }
