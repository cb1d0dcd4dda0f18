package mariadb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"restock/test/await"
)

// kept creates a data directory with a table in it.
func kept(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s := start(t, Config{Dir: dir})
	execute(t, open(t, s.Admin()), "CREATE DATABASE shop")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestDataThatCannotBeUsedAreRefusedInOneLine(t *testing.T) {
	good := kept(t)
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		want  string
	}{
		{"another series", func(
			dir string) error {
			return os.WriteFile(filepath.Join(dir, seriesFile), []byte("9.8\n"), 0o600)
		},
			"MariaDB 9.8 created those in "},
		{"somebody else's", func(dir string) error { return os.Remove(filepath.Join(dir, seriesFile)) },
			"no run of this stack created those in "},
		{"half a tablespace", func(dir string) error { return os.Truncate(filepath.Join(dir, "ibdata1"), 1<<20) },
			"InnoDB: The Auto-extending data file './ibdata1' is of a different size"},
		{"no redo log", func(dir string) error { return os.Remove(filepath.Join(dir, "ib_logfile0")) },
			"InnoDB: File ./ib_logfile0 was not found"},
		{"no accounts", func(
			dir string) error {
			return os.Truncate(filepath.Join(dir, "mysql", "global_priv.frm"), 10)
		},
			"./mysql/global_priv.frm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := errors.Join(os.CopyFS(dir, os.DirFS(good)), c.spoil(dir)); err != nil {
				t.Fatal(err)
			}
			_, err := Start(t.Context(), Config{Dir: dir})
			if !errors.Is(err, ErrData) || !strings.Contains(err.Error(), dir) ||
				!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v\nwant ErrData in one line that names %s and says %q", err, dir, c.want)
			}
		})
	}
}

func TestWhatIsNotTheDatasFaultIsNotBlamedOnThem(t *testing.T) {
	if _, err := Start(t.Context(), Config{Dir: kept(t), Args: []string{"--no-such-option"}}); err == nil ||
		errors.Is(err, ErrData) || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("got %v, want an error of the option alone", err)
	}
}

func TestDataSurviveAServerThatIsKilled(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
	}{
		{"with a binary log", nil},
		{"kept by a version that wrote none", []string{"--skip-log-bin"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s := start(t, Config{Dir: dir, Args: c.args})
			db := open(t, s.Admin())
			execute(t, db, "CREATE DATABASE shop")
			execute(t, db, "CREATE TABLE shop.sale (id INT PRIMARY KEY)")
			execute(t, db, "INSERT INTO shop.sale VALUES (1)")
			s.Kill()
			<-s.Done()
			if err := s.lock.Release(); err != nil { // as the system does when the run is killed
				t.Fatal(err)
			}
			s.lock = nil
			again := start(t, Config{Dir: dir})
			db = open(t, again.Admin())
			if got := query[int](t, db, "SELECT COUNT(*) FROM shop.sale"); got != 1 {
				t.Errorf("%d sales are left, want 1", got)
			}
			execute(t, db, "INSERT INTO shop.sale VALUES (2)")
			if again.Admin().Passwd == s.Admin().Passwd {
				t.Error("the administrator's password is the same as before")
			}
		})
	}
}

func TestKeptDirectoryFromBeforeTheBinaryLogStarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, Config{Dir: dir, Args: []string{"--skip-log-bin"}})
	execute(t, open(t, s.Admin()), "CREATE DATABASE shop")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if files := binlogs(t, dir); len(files) != 0 {
		t.Fatalf("without a binary log: got the files %q, want none", files)
	}
	execute(t, open(t, start(t, Config{Dir: dir}).Admin()), "CREATE TABLE shop.sale (id INT PRIMARY KEY)")
	if files := binlogs(t, dir); len(files) != 1 {
		t.Errorf("with a binary log: got the files %q, want one", files)
	}
}

// binlogs lists the files of the binary log in a data directory.
func binlogs(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "binlog.0*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestBinaryLogOfAKeptDirectoryDoesNotGrow(t *testing.T) {
	dir := kept(t)
	age := func() {
		t.Helper()
		for _, file := range binlogs(t, dir) {
			if err := os.Chtimes(file, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	age()
	db := open(t, start(t, Config{Dir: dir}).Admin())
	// A server that repairs its last file, because it was not closed, makes that file new.
	if files := binlogs(t, dir); len(files) > 2 {
		t.Errorf("after a start: got the files %q, want the current one, or the last two", files)
	}
	// A thread of the server says when a file is not needed any more. If it is late, the next new
	// file deletes two.
	for range 3 {
		await.Until(t, "the server keeps the last two files only", func() bool {
			age()
			execute(t, db, "FLUSH BINARY LOGS") // as the server does when a file is full
			files := binlogs(t, dir)
			if len(files) > 20 {
				t.Fatalf("after the server began new files: it keeps %q", files)
			}
			return len(files) == 2
		})
	}
	const limit = 16 << 20
	if got := query[int](t, db, "SELECT @@max_binlog_size"); got > limit {
		t.Errorf("a file may have %d bytes, want at most %d", got, limit)
	}
}

func TestForget(t *testing.T) {
	dir := kept(t)
	s := start(t, Config{Dir: dir})
	if err := Forget(dir); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir+" is used by another run") {
		t.Errorf("while a server uses it: got %v, want an error that says so", err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a missing directory is no error
		if err := Forget(dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if other := t.TempDir(); Forget(other) == nil {
		t.Errorf("%s, which was not made here, was removed", other)
	}
}

func TestSeriesOfAServer(t *testing.T) {
	for version, want := range map[string]string{
		"/usr/sbin/mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)": "10.11",
		"mariadbd  Ver 12.0.2-MariaDB for osx10.20 on arm64 (Homebrew)":                                "12.0",
		"nonsense": "nonsense",
	} {
		if got := series(version); got != want {
			t.Errorf("%s: got %s, want %s", version, got, want)
		}
	}
}
