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
	s.alive, err = tryLock(filepath.Join(s.tmp, aliveLock))
	return err
}

// removeAbandoned removes the temporary directories of processes that were killed: each holds tens of megabytes. What
// cannot be removed is left: it belongs to somebody else.
func removeAbandoned() {
	locks, _ := filepath.Glob(filepath.Join(os.TempDir(), tmpPattern, aliveLock)) // the pattern is well-formed
	for _, path := range locks {
		l, err := tryLock(path)
		if err != nil {
			continue // its process lives
		}
		_ = os.RemoveAll(filepath.Dir(path))
		_ = l.release()
	}
}
