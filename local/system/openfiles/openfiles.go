// Package openfiles knows how many files this process may open at the same time. Connections and
// pipes count as files.
package openfiles

import (
	"errors"
	"fmt"
	"syscall"
)

// softLimit returns how many files this process may open at the same time. The Go runtime raises
// the soft limit to the hard one at the start: https://go.dev/doc/go1.19#os
func softLimit() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("reading the limit of open files: %w", err)
	}
	return limit.Cur, nil
}

// Require fails if this process may not open as many files as it needs.
func Require(needed uint64) error {
	limit, err := softLimit()
	if err != nil {
		return err
	}
	return require(needed, limit)
}

// advised is the lowest limit that Require recommends. Most systems have it, and it leaves a margin
// above the first limit that fails.
const advised = 1024

func require(needed, limit uint64) error {
	if limit >= needed {
		return nil
	}
	better := max(needed, advised)
	return fmt.Errorf("this process may have %d files and connections open (ulimit -n), and needs %d: "+
		"type `ulimit -n %d` in the shell and start again; if the shell refuses, root raises its hard limit "+
		"with `prlimit --pid $$ --nofile=%d` or in /etc/security/limits.conf", limit, needed, better, better)
}

// Explain adds the limit to the system's error "too many open files".
func Explain(err error) error {
	if !errors.Is(err, syscall.EMFILE) {
		return err
	}
	limit, limitErr := softLimit()
	if limitErr != nil {
		return err
	}
	return fmt.Errorf("%w: this process may have %d open; raise the limit with `ulimit -n` and start again", err, limit)
}
