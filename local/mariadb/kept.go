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

// ErrData means that the server cannot use the data in a kept data directory.
var ErrData = errors.New("the kept data cannot be used")

// ErrInUse means that another server uses a kept data directory.
var ErrInUse = errors.New("is used by another run")

// seriesFile, in a data directory, has the release series of the server that created it, such as
// 10.11. A server of another series would have to upgrade the data, or would damage them:
// https://mariadb.com/docs/server/server-management/install-and-upgrade-mariadb/upgrading
const seriesFile = "restock-mariadb-series"

// lock locks a kept data directory. The lock file is beside the directory, because MariaDB
// initialises only an empty one.
func lock(dir string) (*filelock.Lock, error) {
	l, err := filelock.Try(filepath.Clean(dir) + ".lock")
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s %w: end it, or name another directory", dir, ErrInUse)
	}
	return l, err
}

// Kept lists the kept data directories in a directory.
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

// Forget removes a kept data directory. It fails if a server uses the directory, or if it is no
// kept data directory. A missing directory is no error. The lock file stays.
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
		return fmt.Errorf("forgetting the data: %s has no data of this stack: %w", dir, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("forgetting the data: %w", err)
	}
	return nil
}

// checkSeries refuses data of a release series other than the server's. It also refuses data that
// this package did not create, because it would replace their accounts.
func checkSeries(ctx context.Context, bin binaries, dir string) error {
	made, err := os.ReadFile(filepath.Join(dir, seriesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: no run of this stack created those in %s: name another directory", ErrData, dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrData, err)
	}
	version, err := serverVersion(ctx, bin)
	if err != nil {
		return err
	}
	if now := series(version); now != strings.TrimSpace(string(made)) {
		return fmt.Errorf("%w: MariaDB %[3]s created those in %[2]s, and the server is MariaDB %[4]s", ErrData, dir,
			strings.TrimSpace(string(made)), now)
	}
	return nil
}

var inVersion = regexp.MustCompile(`\bVer (\d+\.\d+)\.`)

// series extracts the release series 10.11 from "mariadbd Ver 10.11.6-MariaDB-…".
func series(version string) string {
	if match := inVersion.FindStringSubmatch(version); match != nil {
		return match[1]
	}
	return version
}

// complaint returns the first error in the log of a server that does not start, without its time.
// Later errors are consequences.
func complaint(lines []string) string {
	for _, line := range lines {
		if _, text, found := strings.Cut(line, "[ERROR] "); found {
			return text
		}
	}
	return ""
}

// blamesData reports whether the error concerns the data and not the arguments.
func blamesData(complaint string) bool {
	for _, other := range []string{"unknown option", "unknown variable", "Can't start server", "ambiguous option",
		"Out of memory"} {
		if strings.Contains(complaint, other) {
			return false
		}
	}
	return complaint != ""
}
