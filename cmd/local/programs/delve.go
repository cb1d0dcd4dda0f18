package programs

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"restock/local/system/loopback"
)

// Delve returns the command of the debugger Delve for run.Config.Debugger. Delve runs a function
// and serves editors at an address on loopback, which must be free:
// https://github.com/go-delve/delve/blob/master/Documentation/usage/dlv_exec.md
func Delve(program, address string) ([]string, error) {
	found, err := exec.LookPath(program)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err != nil {
		return nil, fmt.Errorf("-debug needs the debugger Delve, which make debug installs: %w", err)
	}
	l, err := loopback.Listen(address) // fails now, and not in the log of the function
	if err != nil {
		return nil, fmt.Errorf("-delve-address %s: %w", address, err)
	}
	address = l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, fmt.Errorf("-delve-address %s: %w", address, err)
	}
	return []string{
		found, "exec", "--headless", "--continue", "--accept-multiclient", "--api-version=2", listenFlag + address,
	}, nil
}

const listenFlag = "--listen="

// DelveAddress returns the address at which a command of Delve serves editors.
func DelveAddress(command []string) string {
	return strings.TrimPrefix(command[len(command)-1], listenFlag)
}
