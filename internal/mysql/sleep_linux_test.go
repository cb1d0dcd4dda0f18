package mysql_test

import (
	"syscall"
	"time"
)

// sleep sleeps to within 0.1 ms. An idle program's time.Sleep does not: the Go runtime waits for
// timers with epoll, in whole milliseconds.
func sleep(d time.Duration) {
	remaining := syscall.NsecToTimespec(d.Nanoseconds())
	for syscall.Nanosleep(&remaining, &remaining) == syscall.EINTR {
	}
}
