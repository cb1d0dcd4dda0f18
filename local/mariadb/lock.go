package mariadb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lock is an exclusive lock on a file. The system releases it when the process that
// holds it dies. A nil *lock is one that was never taken.
type lock struct{ file *os.File }

// tryLock takes the lock or fails at once with an error that is syscall.EWOULDBLOCK.
func tryLock(path string) (*lock, error) { return tryLockFile(path, os.O_CREATE) }

func tryLockFile(path string, create int) (*lock, error) {
	f, err := os.OpenFile(path, create|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return &lock{f}, nil
}

// waitLock takes the lock when its holder releases it, or fails when ctx ends.
func waitLock(ctx context.Context, path string) (*lock, error) {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		l, err := tryLock(path)
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

// release gives the lock up. The file stays: removing it would let two processes hold
// the lock, one on the old file and one on a new one.
func (l *lock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
