package rds

import (
	"syscall"
	"time"
)

// Sleep is exact to 0.1 ms, for networks that a test simulates. time.Sleep is not, if the program
// is idle: the Go runtime waits for timers with epoll, in whole milliseconds.
func Sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	remaining := syscall.NsecToTimespec(d.Nanoseconds())
	for syscall.Nanosleep(&remaining, &remaining) == syscall.EINTR {
	}
}
