package filelock_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"restock/local/filelock"
)

func TestLockIsHeldByOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if _, err := filelock.TryExisting(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("TryExisting of a file that is missing: got %v, want that it does not exist", err)
	}
	held, err := filelock.Try(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func(string) (*filelock.Lock, error){"Try": filelock.Try, "TryExisting": filelock.TryExisting} {
		if _, err := try(path); !errors.Is(err, syscall.EWOULDBLOCK) {
			t.Errorf("%s of a lock that is held: got %v, want EWOULDBLOCK", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := filelock.Wait(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait for a lock that stays held: got %v, want the end of the context", err)
	}

	taken := make(chan error, 1)
	go func() {
		l, err := filelock.Wait(t.Context(), path)
		taken <- errors.Join(err, l.Release())
	}()
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}
	if err := <-taken; err != nil {
		t.Errorf("Wait for a lock that is released: %v", err)
	}
}
