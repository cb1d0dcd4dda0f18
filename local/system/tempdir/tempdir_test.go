package tempdir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const pattern = "restock-test-*"

func TestWhatAKilledProcessLeftIsRemovedAndNothingElse(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var dirs []*Dir
	for range 2 {
		d, err := New(pattern)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, d)
	}
	killed, alive := dirs[0], dirs[1]
	if err := killed.alive.Release(); err != nil { // as the system does
		t.Fatal(err)
	}
	other := filepath.Join(os.TempDir(), "restock-test-other") // without a lock, it may belong to another program
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}

	next, err := New(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(killed.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the killed process's directory is left: %v", err)
	}
	for _, dir := range []string{alive.Path(), next.Path(), other} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s is gone: %v", dir, err)
		}
	}
	for _, d := range []*Dir{alive, next} {
		if err := d.Remove(); err != nil {
			t.Errorf("removing %s: %v", d.Path(), err)
		}
		if _, err := os.Stat(d.Path()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", d.Path(), err)
		}
	}
}

func TestADirectoryIsAbsoluteWhateverTMPDIRSays(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("a [folder]", 0o700); err != nil {
		t.Fatal(err)
	}
	for tmpdir, in := range map[string]string{".": here, "a [folder]": filepath.Join(here, "a [folder]")} {
		t.Setenv("TMPDIR", tmpdir)
		killed, err := New(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.Dir(killed.Path()); got != in {
			t.Errorf("TMPDIR=%s: the directory is in %s, want %s", tmpdir, got, in)
		}
		if err := killed.alive.Release(); err != nil { // as the system does
			t.Fatal(err)
		}
		next, err := New(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(killed.Path()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("TMPDIR=%s: the killed process's directory is left: %v", tmpdir, err)
		}
		if err := next.Remove(); err != nil {
			t.Error(err)
		}
	}
}

func TestAFolderThatCannotBeUsedIsNamedWithTMPDIR(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", folder)
	d, err := New(pattern)
	if err == nil {
		t.Fatalf("got the directory %s", d.Path())
	}
	if !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), "set TMPDIR to") {
		t.Errorf("got %v, want an error that names %s and TMPDIR", err, folder)
	}
}

func TestProcessesThatStartAtOnceDoNotTakeEachOtherForDead(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				d, err := New(pattern)
				if err != nil {
					t.Errorf("making: %v", err)
					return
				}
				if _, err := os.Stat(d.Path()); err != nil {
					t.Errorf("another took it for abandoned: %v", err)
				}
				if err := d.Remove(); err != nil {
					t.Errorf("removing: %v", err)
				}
			}
		})
	}
	all.Wait()
}

func TestDirectoryThatIsHandedOverIsKept(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	before, err := New(pattern)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := before.HandOver()
	if err != nil {
		t.Fatal(err)
	}
	if err := before.alive.Release(); err != nil { // as when this process becomes another program
		t.Fatal(err)
	}
	other, err := New(pattern) // removes the directories of ended processes
	if err != nil {
		t.Fatal(err)
	}
	defer other.Remove()
	after := TakeOver(before.Path(), fd)
	if _, err := os.Stat(after.Path()); err != nil {
		t.Errorf("it is gone before it was taken over: %v", err)
	}
	if err := after.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(after.Path()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is left: %v", err)
	}
}
