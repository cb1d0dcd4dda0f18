package mariadb

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNotInstalled means that MariaDB's server is not installed. Its text says how to install it.
var ErrNotInstalled = errors.New("MariaDB's server is not installed: " +
	"on Debian and Ubuntu run `apt-get install mariadb-server-core mariadb-client-core`, " +
	"on macOS `brew install mariadb`; elsewhere install MariaDB 10.11 or later and have mariadbd and " +
	"mariadb-install-db in the PATH")

// binaries are the required programs.
type binaries struct {
	server  string // mariadbd
	install string // mariadb-install-db
}

// searchPath returns the directories of PATH and the directories in which packages install servers.
func searchPath() []string {
	return append(filepath.SplitList(os.Getenv("PATH")),
		"/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin",
		"/usr/libexec", "/usr/local/mariadb/bin", "/usr/local/mysql/scripts",
		"/opt/homebrew/bin", "/opt/homebrew/opt/mariadb/bin", "/usr/local/opt/mariadb/bin")
}

func locate(dirs []string) (binaries, error) {
	find := func(name string) (string, error) {
		for _, dir := range dirs {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(path) {
				return path, nil
			}
		}
		return "", fmt.Errorf("%s was not found. %w", name, ErrNotInstalled)
	}
	server, err := find("mariadbd")
	if err != nil {
		return binaries{}, err
	}
	install, err := find("mariadb-install-db")
	return binaries{server: server, install: install}, err
}
