package mariadb

import (
	"os"
	"path/filepath"
)

const (
	// tmpPattern names the temporary directories of servers.
	tmpPattern = "restock-mariadb-*"
	// aliveLock, in a temporary directory, is locked for as long as the process lives that made it.
	aliveLock = "alive.lock"
)

// makeTmp makes a server's temporary directory, and holds its lock.
func (s *Server) makeTmp() (err error) {
	if s.tmp, err = os.MkdirTemp("", tmpPattern); err != nil {
		return err
	}
	path := filepath.Join(s.tmp, aliveLock)
	if s.alive, err = tryLock(path + ".new"); err != nil {
		return err
	}
	return os.Rename(path+".new", path) // nobody sees the lock before it is held
}

// removeAbandoned removes the temporary directories of processes that were killed: each holds tens of megabytes. What
// cannot be removed is left: it belongs to somebody else.
func removeAbandoned() {
	locks, _ := filepath.Glob(filepath.Join(os.TempDir(), tmpPattern, aliveLock)) // the pattern is well-formed
	for _, path := range locks {
		l, err := tryLockFile(path, 0) // it is not made here: its directory may be going away
		if err != nil {
			continue // its process lives, or another removes it
		}
		_ = os.RemoveAll(filepath.Dir(path))
		_ = l.release()
	}
}
