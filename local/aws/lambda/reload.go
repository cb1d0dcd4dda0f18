package lambda

// Reload makes later invocations run on new instances, because the executable has changed. As on
// AWS after an update of a function's code, a running invocation finishes on its instance, which
// then ends. Idle instances end at once.
func (d *Deployed) Reload() {
	d.mu.Lock()
	d.generation++
	idle := d.idle
	d.idle = nil
	for _, inst := range idle {
		inst.reap.Stop()
	}
	d.mu.Unlock()
	for _, inst := range idle {
		if d.host.begin(inst.proc.Kill) != nil {
			return // Close ends all of them
		}
	}
}

// current returns the generation of the executable.
func (d *Deployed) current() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.generation
}
