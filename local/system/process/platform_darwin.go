package process

import "syscall"

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// ChildStopped is true: macOS does not tell whether a debugger has stopped a process.
func (p *Process) ChildStopped() bool { return true }

// PeakMemory returns the peak of the running process's memory in bytes, or 0 if it is unknown. On
// macOS, only cgo could read it.
func (p *Process) PeakMemory() int64 { return 0 }
