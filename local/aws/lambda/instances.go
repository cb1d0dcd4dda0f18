package lambda

// Instances is how many instances the function has at this moment: those that wait for an event, and those that start, run an invocation or are
// being ended.
func (d *Deployed) Instances() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.idle) + d.busy
}
