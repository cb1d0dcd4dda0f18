package blackhole

// Held is how many connections are kept open.
func (h *Hole) Held() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.connections)
}
