package mariadb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"restock/local/system/filelock"
	"restock/local/system/process"
)

// installArgs are the arguments that initialise a data directory. It has no test database, and its
// accounts are replaced at every start (see accounts).
var installArgs = []string{
	"--no-defaults",
	"--auth-root-authentication-method=normal",
	"--skip-test-db",
	"--skip-name-resolve",
	"--innodb-log-file-size=" + logFileSize,
}

// populate initialises the data directory dir unless it is initialised already.
func populate(ctx context.Context, bin binaries, dir string, log *slog.Logger) error {
	initialised, err := isDataDir(dir)
	if err != nil || initialised {
		return err
	}
	from, err := template(ctx, bin)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		// The template only saves time, so an unwritable home directory is no error.
		log.WarnContext(ctx, "database template not usable, initialising a data directory without it", "error", err)
		return initialise(ctx, bin, dir)
	}
	return replaceDir(dir, func(partial string) error {
		if err := os.CopyFS(partial, os.DirFS(from)); err != nil {
			return fmt.Errorf("copying the database template: %w", err)
		}
		return nil
	})
}

// isDataDir distinguishes an initialised data directory from an empty or missing one. For anything
// else it returns an error, so that no other file is overwritten.
func isDataDir(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading MariaDB's data directory: %w", err)
	}
	for _, e := range entries {
		if e.Name() == "mysql" && e.IsDir() { // has the system tables
			return true, nil
		}
	}
	return false, fmt.Errorf("%s is neither empty nor a data directory of MariaDB: name another one", dir)
}

// template returns an initialised data directory to copy. It creates it if it is missing. Several
// processes may call it at once.
func template(ctx context.Context, bin binaries) (string, error) {
	dir, err := templateDir(bin)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	l, err := filelock.Wait(ctx, dir+".lock")
	if err != nil {
		return "", err
	}
	defer l.Release()
	if _, err := os.Stat(dir); err == nil { // another process created it while this one waited
		return dir, nil
	}
	return dir, initialise(ctx, bin, dir)
}

// templateDir names the template. Each user, server and set of arguments has its own. An update
// changes the size or the time of the server's file, so no start has to ask it for its version.
func templateDir(bin binaries) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	server, err := os.Stat(bin.server)
	if err != nil {
		return "", err
	}
	recipe := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %q %q", bin.server, server.Size(), server.ModTime().UnixNano(),
		seriesFile, installArgs))
	return filepath.Join(cache, "restock", "mariadb", fmt.Sprintf("template-%x", recipe[:8])), nil
}

// initialise makes dir an initialised data directory. If it fails, dir is unchanged.
func initialise(ctx context.Context, bin binaries, dir string) error {
	version, err := serverVersion(ctx, bin)
	if err != nil {
		return err
	}
	return replaceDir(dir, func(partial string) error {
		output := process.NewTail(20)
		// The script does not quote the directory everywhere. It starts in the parent directory, so
		// that the relative name has no spaces.
		args := append(append([]string{}, installArgs...), "--datadir=./")
		err := process.Run(ctx, process.Config{
			Path: bin.install,
			Args: append(args, asRoot()...),
			// it is a shell script
			Env:    []string{"PATH=" + strings.Join(searchPath(), string(filepath.ListSeparator))},
			Dir:    partial,
			Stdout: output.Add,
			Stderr: output.Add,
		})
		if err != nil {
			return fmt.Errorf("initialising MariaDB's data directory: %w; the end of %s's output:\n%s",
				err, filepath.Base(bin.install), strings.Join(output.Lines(), "\n"))
		}
		return os.WriteFile(filepath.Join(partial, seriesFile), []byte(series(version)+"\n"), 0o600)
	})
}

// replaceDir replaces an empty or missing directory. It fills a directory with another name first,
// so that dir is never incomplete. The caller must exclude other processes.
func replaceDir(dir string, fill func(partial string) error) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	partial := dir + ".restock-partial"
	if err := os.RemoveAll(partial); err != nil { // left by a killed process
		return err
	}
	if err := os.Mkdir(partial, 0o700); err != nil {
		return err
	}
	if err := fill(partial); err != nil {
		return errors.Join(err, os.RemoveAll(partial))
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, os.RemoveAll(partial))
	}
	return os.Rename(partial, dir)
}

// serverVersion returns the line in which the server reports its version.
func serverVersion(ctx context.Context, bin binaries) (string, error) {
	output := process.NewTail(1)
	err := process.Run(ctx, process.Config{
		Path:   bin.server,
		Args:   []string{"--no-defaults", "--version"},
		Stdout: output.Add,
	})
	if err != nil {
		return "", fmt.Errorf("asking %s for its version: %w", bin.server, err)
	}
	return strings.Join(output.Lines(), ""), nil
}
