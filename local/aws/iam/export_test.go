package iam

// Told is how many refusals are remembered.
func (a *Authority) Told() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.told)
}
