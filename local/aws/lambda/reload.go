package lambda

// Reload makes the invocations that come after it run on instances that were started after it: the function's executable is another one
// now. As on AWS after an update of a function's code, what runs ends on the instance that it runs on, which then ends, and idle ones end
// at once.
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
			return // the host ends them all
		}
	}
}

// current is the generation of the executable.
func (d *Deployed) current() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.generation
}
