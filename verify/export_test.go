package verify

// Forget empties the memory of a Verifier, so that every leaf is a new one.
func (v *Verifier) Forget() {
	v.leaves.mu.Lock()
	defer v.leaves.mu.Unlock()
	clear(v.leaves.byRaw)
	v.leaves.ring, v.leaves.hand = v.leaves.ring[:0], 0
}

// Remembers returns how many leaves are remembered.
func (v *Verifier) Remembers() int {
	v.leaves.mu.RLock()
	defer v.leaves.mu.RUnlock()
	return len(v.leaves.byRaw)
}
