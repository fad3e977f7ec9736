package crl

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/citizencert/citizencert/verify"
)

// reference is an index as a map.
type reference map[string]entry

func (m reference) add(number serial, e entry) {
	name := fmt.Sprintf("%v %x", number.negative, number.octets)
	if held, ok := m[name]; ok {
		e = held.merge(e)
	}
	m[name] = e
}

// randomSerial has few different values of every length and sign, so that they
// come again, and many of 16 octets.
func randomSerial(r *rand.Rand) serial {
	n := 16
	if r.IntN(4) == 0 {
		n = 1 + r.IntN(maxSerial)
	}
	octets := make([]byte, n)
	octets[0] = byte(1 + r.IntN(3))
	octets[n-1] = byte(r.IntN(256))
	octets[n/2] = byte(r.IntN(64)) | 1
	if r.IntN(20) == 0 {
		octets[0] = octets[0]&0x1f | 0x80
		return serial{octets, true}
	}
	return serial{octets: octets}
}

func randomEntry(r *rand.Rand) entry {
	at := r.Int64N(1 << 31)
	switch r.IntN(50) {
	case 0:
		at = epoch - r.Int64N(1<<40)
	case 1:
		at += 1 << 33
	}
	e := entry{revokedAt: at, invalidFrom: at, reason: []int8{0, 1, 4, reasonHold, reasonRemoveFromCRL}[r.IntN(5)]}
	if r.IntN(20) == 0 {
		e.invalidFrom, e.hasInvalid = r.Int64N(1<<31), true
	}
	return e
}

// agree compares what two entries mean: of two with the same status and beginning,
// either may be told of.
func agree(a, b entry) bool {
	return a.status() == b.status() && (a.status() == verify.Unknown || a.effective() == b.effective())
}

// An index says what a map says, whatever is in it.
func TestIndex(t *testing.T) {
	for _, n := range []int{0, 1, 2, 100, 5000, 100_000} {
		for _, hint := range []int64{0, int64(n) * 40, 1 << 40} {
			r := rand.New(rand.NewPCG(uint64(n), uint64(hint)))
			x, want := newIndex(hint), reference{}
			for range n {
				number, e := randomSerial(r), randomEntry(r)
				x.add(number, e)
				want.add(number, e)
			}
			x.finish()
			checkIndex(t, x, want)
			for range 1000 {
				number := randomSerial(r)
				_, listed, err := x.lookup(number)
				if _, ok := want[fmt.Sprintf("%v %x", number.negative, number.octets)]; ok != listed || err != nil {
					t.Fatalf("%d entries: got %v, %v for %x, want %v", n, listed, err, number.octets, ok)
				}
			}
		}
	}
}

func checkIndex(t *testing.T, x *index, want reference) {
	t.Helper()
	if x.count != len(want) {
		t.Errorf("got %d serial numbers, want %d", x.count, len(want))
	}
	seen := map[string]bool{}
	err := x.each(func(number serial, each entry) error {
		name := fmt.Sprintf("%v %x", number.negative, number.octets)
		if seen[name] {
			t.Errorf("serial number %s: told of twice", name)
		}
		seen[name] = true
		got, listed, err := x.lookup(number)
		if e, ok := want[name]; !ok || !listed || err != nil || !agree(got, e) || got != each {
			t.Fatalf("serial number %s: got %+v, %v, %v, want %+v, %v", name, got, listed, err, e, ok)
		}
		return nil
	})
	if err != nil || len(seen) != len(want) {
		t.Errorf("went over %d serial numbers, %v, want %d", len(seen), err, len(want))
	}
}

// One serial number a million times takes no more time than a million of them, and
// the worst of what was said of it is left.
func TestIndexFlood(t *testing.T) {
	x := newIndex(0)
	number := serial{octets: []byte{1, 2, 3}}
	for i := range int64(1_000_000) {
		x.add(number, entry{revokedAt: i, invalidFrom: i, reason: reasonHold})
	}
	x.add(number, entry{revokedAt: 5, invalidFrom: 5})
	x.finish()
	got, listed, err := x.lookup(number)
	if want := (entry{revokedAt: 5, hasInvalid: true}); got != want || !listed || err != nil || x.count != 1 {
		t.Errorf("got %+v, %v, %v of %d, want %+v", got, listed, err, x.count, want)
	}
}

func TestLookupAllocations(t *testing.T) {
	x := newIndex(0)
	number := serial{octets: slices.Repeat([]byte{7}, 16)}
	x.add(number, entry{})
	x.finish()
	if n := testing.AllocsPerRun(100, func() { x.lookup(number) }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
}
