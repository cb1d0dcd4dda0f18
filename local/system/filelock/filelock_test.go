package filelock_test

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"restock/local/system/filelock"
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
	for name, try := range map[string]func(string) (*filelock.Lock, error){"Try": filelock.Try,
		"TryExisting": filelock.TryExisting} {
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

func TestLockThatIsHandedOverIsHeldOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	before, err := filelock.Try(path)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := before.HandOver()
	if err != nil {
		t.Fatal(err)
	}
	if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0); errno != 0 ||
		flags&syscall.FD_CLOEXEC != 0 {
		t.Errorf("the descriptor's flags are %d (%v), want that it stays open in another program", flags, errno)
	}
	if err := before.Release(); err != nil { // as when this process becomes another program
		t.Fatal(err)
	}
	after := filelock.TakeOver(fd)
	if _, err := filelock.Try(path); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("after it was taken over: got %v, want EWOULDBLOCK", err)
	}
	if flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0); errno != 0 ||
		flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("the descriptor's flags are %d (%v), want that the programs that are started do not get it",
			flags, errno)
	}
	if err := after.Release(); err != nil {
		t.Fatal(err)
	}
	last, err := filelock.Try(path)
	if err != nil {
		t.Fatalf("after it was released: %v", err)
	}
	if err := last.Release(); err != nil {
		t.Error(err)
	}
}
