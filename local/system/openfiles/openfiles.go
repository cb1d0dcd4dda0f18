// Package openfiles knows how many files this process may have open at a time. Connections and pipes count as files.
package openfiles

import (
	"errors"
	"fmt"
	"syscall"
)

// Limit is how many files this process may have open at a time. When a Go program starts, its runtime raises the soft
// limit to the hard one: https://go.dev/doc/go1.19#os
func Limit() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("reading the limit of open files: %w", err)
	}
	return limit.Cur, nil
}

// Require fails if this process may not have as many files open as it needs.
func Require(needed uint64) error {
	limit, err := Limit()
	if err != nil {
		return err
	}
	return require(needed, limit)
}

// advised is the least limit that is advised: most systems have it, and it is enough for more than what failed first.
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

// Explain adds to the system's error "too many open files" which limit that is.
func Explain(err error) error {
	if !errors.Is(err, syscall.EMFILE) {
		return err
	}
	limit, limitErr := Limit()
	if limitErr != nil {
		return err
	}
	return fmt.Errorf("%w: this process may have %d open; raise the limit with `ulimit -n` and start again", err, limit)
}
