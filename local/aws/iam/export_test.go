package iam

// Told returns the number of remembered refusals.
func (a *Authority) Told() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.told)
}
