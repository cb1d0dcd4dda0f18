package lambda

// Instances returns the current number of instances: idle ones, and those that start, run an
// invocation or are being ended.
func (d *Deployed) Instances() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.idle) + d.busy
}
