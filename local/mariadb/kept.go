package mariadb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"restock/local/system/filelock"
)

// ErrData says of a kept data directory that the server cannot use what is in it.
var ErrData = errors.New("the kept data cannot be used")

// ErrInUse says of a kept data directory that another server has it.
var ErrInUse = errors.New("is used by another run")

// seriesFile, in a data directory, holds the release series of the server that made it, such as 10.11. A server of another series would have
// to upgrade the data, or would damage them: https://mariadb.com/docs/server/server-management/install-and-upgrade-mariadb/upgrading
const seriesFile = "restock-mariadb-series"

// lock takes the lock on a kept data directory. The lock file lies beside it, as the directory must be empty to be initialised.
func lock(dir string) (*filelock.Lock, error) {
	l, err := filelock.Try(filepath.Clean(dir) + ".lock")
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s %w: end it, or name another directory", dir, ErrInUse)
	}
	return l, err
}

// Kept lists the data directories in a directory.
func Kept(in string) (dirs []string, err error) {
	entries, err := os.ReadDir(in)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for kept data: %w", err)
	}
	for _, e := range entries {
		dir := filepath.Join(in, e.Name())
		if _, err := os.Stat(filepath.Join(dir, seriesFile)); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// Forget removes a kept data directory, or fails if a server uses it or if it is none. One that is not there is no error. Its lock file stays.
func Forget(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	l, err := lock(dir)
	if err != nil {
		return fmt.Errorf("forgetting the data: %w", err)
	}
	defer l.Release()
	if _, err := os.Stat(filepath.Join(dir, seriesFile)); err != nil {
		return fmt.Errorf("forgetting the data: %s holds none that were kept here: %w", dir, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("forgetting the data: %w", err)
	}
	return nil
}

// checkSeries refuses data that are of another release series than the server, or were not made here: their accounts would be replaced.
func checkSeries(ctx context.Context, bin binaries, dir string) error {
	made, err := os.ReadFile(filepath.Join(dir, seriesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: those in %s were not made by a run of this stack: name another directory", ErrData, dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	version, err := serverVersion(ctx, bin)
	if err != nil {
		return err
	}
	if now := series(version); now != strings.TrimSpace(string(made)) {
		return fmt.Errorf("%w: those in %s are of MariaDB %s, and the server here is of MariaDB %s", ErrData, dir, strings.TrimSpace(string(made)), now)
	}
	return nil
}

var inVersion = regexp.MustCompile(`\bVer (\d+\.\d+)\.`)

// series is that of a server which says "mariadbd  Ver 10.11.6-MariaDB-…": 10.11.
func series(version string) string {
	if match := inVersion.FindStringSubmatch(version); match != nil {
		return match[1]
	}
	return version
}

// complaint is what a server that does not start complains of first, without the time. What follows are consequences.
func complaint(lines []string) string {
	for _, line := range lines {
		if _, text, found := strings.Cut(line, "[ERROR] "); found {
			return text
		}
	}
	return ""
}

// blamesData tells of a complaint that is not about how the server was started.
func blamesData(complaint string) bool {
	for _, other := range []string{"unknown option", "unknown variable", "Can't start server", "ambiguous option", "Out of memory"} {
		if strings.Contains(complaint, other) {
			return false
		}
	}
	return complaint != ""
}
