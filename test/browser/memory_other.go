//go:build !linux

package browser

// hasSharedMemory is about Linux. Elsewhere Chromium does not use /dev/shm.
func hasSharedMemory() bool { return false }
