// Package filelock is an exclusive lock between processes, on a file. The system releases the lock
// when its process ends for any reason.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"restock/local/system/openfiles"
)

// A Lock is a lock that this process holds. A nil *Lock was never taken.
type Lock struct{ file *os.File }

// Try takes the lock on a file. It creates a missing file. If another process holds the lock, it
// fails at once with an error that wraps syscall.EWOULDBLOCK.
func Try(path string) (*Lock, error) { return try(path, os.O_CREATE) }

// TryExisting is like Try, but fails if the file is missing.
func TryExisting(path string) (*Lock, error) { return try(path, 0) }

func try(path string, create int) (*Lock, error) {
	f, err := os.OpenFile(path, create|os.O_RDWR, 0o600)
	if err != nil {
		return nil, openfiles.Explain(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return &Lock{f}, nil
}

// pollInterval is the time between two attempts to take a lock.
const pollInterval = 10 * time.Millisecond

// Wait takes the lock on a file when its holder releases it. It creates a missing file. It fails
// when ctx ends.
func Wait(ctx context.Context, path string) (*Lock, error) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		l, err := Try(path)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return l, err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock %s: %w", path, context.Cause(ctx))
		}
	}
}

// Release releases the lock. The file stays: without it, two processes could hold the lock, one on
// the old file and one on a new one.
func (l *Lock) Release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}

// HandOver returns a file descriptor that also holds the lock, and that stays open when this
// process becomes another program (execve). That program calls TakeOver. This process must not
// start a child until then, because the child would hold the lock as well.
func (l *Lock) HandOver() (fd int, err error) {
	fd, err = syscall.Dup(int(l.file.Fd())) // without close-on-exec
	if err != nil {
		return 0, fmt.Errorf("handing over the lock %s: %w", l.file.Name(), err)
	}
	return fd, nil
}

// TakeOver returns the lock of a file descriptor from HandOver.
func TakeOver(fd int) *Lock {
	syscall.CloseOnExec(fd)
	return &Lock{os.NewFile(uintptr(fd), "lock")}
}
