package lambda

// Occupied returns how many processes have an event or are receiving one.
func (h *Host) Occupied() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, inst := range h.instances {
		if inst.requestID() != "" {
			n++
		}
	}
	return n
}
