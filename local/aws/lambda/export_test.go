package lambda

// Occupied returns how many processes have an event or are receiving one.
func (h *Host) Occupied() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, inst := range h.instances {
		inst.mu.Lock()
		if inst.current != nil {
			n++
		}
		inst.mu.Unlock()
	}
	return n
}
