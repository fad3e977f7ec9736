//go:build !race

package verify_test

import "testing"

// What a verdict takes does not grow with the content, and is bounded: for a leaf
// that has not been seen before, and for one that has. crypto/rsa has 9 of it.
func TestAllocations(t *testing.T) {
	for _, size := range []int{10 << 10, 1 << 20} {
		s := newSigned(t, size)
		for _, test := range []struct {
			name string
			op   func()
			most float64
		}{
			{"cold", func() { s.offline.Forget(); s.verify(t) }, 140},
			{"warm", func() { s.verify(t) }, 16},
		} {
			if got := testing.AllocsPerRun(100, test.op); got > test.most {
				t.Errorf("%s, content of %d bytes: got %v allocations, want at most %v", test.name, size, got, test.most)
			}
		}
	}
}
