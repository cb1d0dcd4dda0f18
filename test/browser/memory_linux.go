package browser

import "syscall"

// hasSharedMemory reports whether Chromium may keep its shared memory in /dev/shm. In many
// containers that has 64 MB, and a page that finds it full crashes.
func hasSharedMemory() bool {
	const enough = 1 << 30 // bytes
	var memory syscall.Statfs_t
	err := syscall.Statfs("/dev/shm", &memory)
	return err == nil && memory.Bavail*uint64(memory.Bsize) >= enough
}
