package mariadb

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestWhatAKilledProcessLeftIsRemovedAndNothingElse(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	killed, alive := &Server{}, &Server{}
	for _, s := range []*Server{killed, alive} {
		if err := s.makeTmp(); err != nil {
			t.Fatal(err)
		}
	}
	if err := killed.alive.release(); err != nil { // as the system does
		t.Fatal(err)
	}
	defer alive.alive.release()
	other := filepath.Join(os.TempDir(), "restock-mariadb-other") // without a lock, it is not ours to judge
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}

	removeAbandoned()
	if _, err := os.Stat(killed.tmp); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the killed process's directory is left: %v", err)
	}
	for _, dir := range []string{alive.tmp, other} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone: %v", dir, err)
		}
	}
}

func TestServersThatStartAtOnceDoNotTakeEachOtherForDead(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				s := &Server{}
				removeAbandoned()
				if err := s.makeTmp(); err != nil {
					t.Errorf("starting: %v", err)
				}
				if err := s.cleanUp(); err != nil {
					t.Errorf("stopping: %v", err)
				}
			}
		})
	}
	all.Wait()
}
