package verify

// Forget empties the memory of a Verifier, so that every leaf is a new one.
func (v *Verifier) Forget() {
	v.leaves.mu.Lock()
	defer v.leaves.mu.Unlock()
	v.leaves.byRaw, v.leaves.ring, v.leaves.hand = nil, nil, 0
}

// Remembers returns how many leaves are remembered.
func (v *Verifier) Remembers() int {
	v.leaves.mu.RLock()
	defer v.leaves.mu.RUnlock()
	return len(v.leaves.byRaw)
}
