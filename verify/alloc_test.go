//go:build !race

package verify_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// What a verdict takes is bounded, and does not grow with the content: for a leaf
// that has not been seen before, for one that has signed a few times, of which
// crypto/rsa has 9 allocations of 1.4 kB, and for one that signs often. 1.8 kB are
// the Result. A message from a reader takes buffers besides.
func TestAllocations(t *testing.T) {
	for _, size := range []int{10 << 10, 1 << 20} {
		s := newSigned(t, size)
		detached := s.sign(t, s.card, string(s.content), &pkitest.CMSOptions{Detached: true})
		live := s.newVerifier(t, nil) // its ocspclient holds the answer
		verifyDetached := func(content []byte) (*verify.Result, error) {
			return s.offline.Detached(t.Context(), detached, bytes.NewReader(content), nil)
		}
		for _, test := range []struct {
			name  string
			op    func()
			count int
			bytes float64
		}{
			{"cold", func() { s.offline.Forget(); s.verify(t) }, 140, 16 << 10},
			{"warm, seldom", func() { s.offline.ForgetKeys(); s.verify(t) }, 16, 3.5 * 1024},
			{"warm", func() { s.verify(t) }, 8, 2.25 * 1024},
			{"from a responder's answer that is held", func() {
				if _, err := live.SignedData(t.Context(), s.message, nil); err != nil {
					t.Fatal(err)
				}
			}, 12, 3 << 10},
			{"detached", func() {
				if _, err := verifyDetached(s.content); err != nil {
					t.Fatal(err)
				}
			}, 16, 4 << 10},
			{"refused for its content", func() {
				if _, err := verifyDetached(s.content[1:]); err == nil {
					t.Fatal("got no error")
				}
			}, 20, 4 << 10},
		} {
			for range 2 * verify.FrequentSignatures {
				test.op()
			}
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

// Hostile input takes memory as its size has it, however it is made. That it takes
// time likewise is for BenchmarkHostile to tell.
func TestHostileAllocations(t *testing.T) {
	w := newWorld(t)
	const size = 256 << 10
	for _, input := range append(dertest.Hostile(size), w.hostileMessages(t, size)...) {
		_, bytes := benchkit.Allocations(func() {
			if _, err := w.verifier.SignedData(t.Context(), input.Data, nil); err == nil {
				t.Fatal("got no error")
			}
		})
		if most := 4*len(input.Data) + 1<<20; bytes > float64(most) {
			t.Errorf("%s, %d bytes: took %.0f bytes, want at most %d", input.Name, len(input.Data), bytes, most)
		}
	}
}
