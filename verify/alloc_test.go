//go:build !race

package verify_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/internal/benchkit"
)

// What a verdict takes is bounded, and does not grow with the content: for a leaf
// that has not been seen before, and for one that has. Of that, crypto/rsa has 9
// allocations of 1.4 kB, and 1.8 kB are the Result. A message from a reader takes
// buffers besides.
func TestAllocations(t *testing.T) {
	for _, size := range []int{10 << 10, 1 << 20} {
		s := newSigned(t, size)
		for _, test := range []struct {
			name  string
			op    func()
			count int
			bytes float64
		}{
			{"cold", func() { s.offline.Forget(); s.verify(t) }, 152, 19 << 10},
			{"warm", func() { s.verify(t) }, 28, 6.5 * 1024},
		} {
			count, bytes := benchkit.Allocations(test.op)
			if int(count) > test.count || bytes > test.bytes {
				t.Errorf("%s, content of %d bytes: got %v allocations, %v bytes, want at most %v, %v",
					test.name, size, count, bytes, test.count, test.bytes)
			}
		}
	}
	s := newSigned(t, 1<<10)
	_, taken := benchkit.Allocations(func() {
		if _, err := s.offline.CopyUnverified(t.Context(), nil, bytes.NewReader(s.message), nil); err != nil {
			t.Fatal(err)
		}
	})
	if most := 40 << 10; taken > float64(most) {
		t.Errorf("a small message from a reader: got %v bytes, want at most %d", taken, most)
	}
}
