package lambda

import (
	"maps"
	"slices"
)

// Instances returns the current number of instances: idle ones, and those that start, run an
// invocation or are being ended.
func (d *Deployed) Instances() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.idle) + d.busy
}

// Running returns how many instances of all functions start, run an invocation or are being ended.
func (h *Host) Running() (n int) {
	h.mu.Lock()
	functions := slices.Collect(maps.Values(h.functions))
	h.mu.Unlock()
	for _, d := range functions {
		d.mu.Lock()
		n += d.busy
		d.mu.Unlock()
	}
	return n
}
