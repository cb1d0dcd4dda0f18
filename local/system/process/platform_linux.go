package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// ChildStopped reports whether the process, a debugger, has stopped its child.
func (p *Process) ChildStopped() bool {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.PID())) // the pattern is valid
	for _, list := range lists {
		children, _ := os.ReadFile(list) // a thread that has ended has no children
		for child := range bytes.FieldsSeq(children) {
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%s/stat", child))
			// The state follows the name, which is in parentheses and may contain blanks. "t" is a
			// stop for a debugger: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
			if end := bytes.LastIndexByte(stat, ')'); end >= 0 && bytes.HasPrefix(stat[end:], []byte(") t")) {
				return true
			}
		}
	}
	return false
}

// PeakMemory returns the peak of the running process's memory in bytes, or 0 if it is unknown.
func (p *Process) PeakMemory() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0
	}
	// VmHWM is the "high water mark": https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
	_, rest, found := bytes.Cut(status, []byte("\nVmHWM:"))
	if !found {
		return 0
	}
	value, _, _ := bytes.Cut(rest, []byte(" kB"))
	kib, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
