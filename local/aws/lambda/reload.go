package lambda

import "os"

// Reload makes later invocations run on new instances, because the executable has changed. As on
// AWS after an update of a function's code, a running invocation finishes on its instance, which
// then ends. Idle instances end at once.
func (d *Deployed) Reload() {
	d.mu.Lock()
	d.generation++
	idle, folders := d.idle, d.folders
	d.idle, d.folders = nil, nil
	for _, inst := range idle {
		inst.reap.Stop()
	}
	d.mu.Unlock()
	for _, folder := range folders {
		if err := os.RemoveAll(folder); err != nil {
			d.log.Warn("the folder of an ended instance could not be removed", "error", err)
		}
	}
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
