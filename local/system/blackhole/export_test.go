package blackhole

// Held returns the number of open connections.
func (h *Hole) Held() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.connections)
}
