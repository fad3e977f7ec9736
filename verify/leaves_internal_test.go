package verify

import (
	"bytes"
	"strconv"
	"sync"
	"testing"
)

// The memory does not grow beyond its bound, forgets what has not been used, and
// keeps what has.
func TestLeavesBounded(t *testing.T) {
	var l leaves
	put := func(i int) { l.put(&leaf{raw: []byte(strconv.Itoa(i))}) }
	has := func(i int) bool { return l.get([]byte(strconv.Itoa(i))) != nil }
	for i := range rememberedLeaves {
		put(i)
		put(i) // counts once
	}
	if len(l.byHash) != rememberedLeaves || len(l.ring) != rememberedLeaves {
		t.Fatalf("got %d leaves in %d places, want %d", len(l.byHash), len(l.ring), rememberedLeaves)
	}
	if !has(0) || !has(rememberedLeaves-1) || has(rememberedLeaves) {
		t.Error("what fits is not remembered, or more than that")
	}
	put(rememberedLeaves)
	if !has(0) {
		t.Error("a leaf that had been used was forgotten")
	}
	if has(1) || !has(rememberedLeaves) {
		t.Error("the first that had not been used was not replaced")
	}
	for i := range 3 * rememberedLeaves {
		put(rememberedLeaves + i)
		if !has(0) {
			t.Fatalf("a leaf in constant use was forgotten after %d others", i)
		}
	}
	if len(l.byHash) != rememberedLeaves || len(l.ring) != rememberedLeaves {
		t.Errorf("got %d leaves in %d places, want %d", len(l.byHash), len(l.ring), rememberedLeaves)
	}
	for _, kept := range l.ring { // all in use: one of them goes all the same
		kept.used.Store(true)
	}
	if put(-1); !has(-1) {
		t.Error("nothing was replaced when all had been used")
	}
}

func TestLeavesConcurrently(t *testing.T) {
	var l leaves
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 2 * rememberedLeaves {
				raw := []byte(strconv.Itoa(i * (worker + 1)))
				l.put(&leaf{raw: raw})
				if found := l.get(raw); found != nil && !bytes.Equal(found.raw, raw) {
					t.Errorf("got leaf %s, want %s", found.raw, raw)
				}
			}
		})
	}
	group.Wait()
}
