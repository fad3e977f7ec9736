package crl_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/verify"
)

// While somebody listens, a list is learned of a certificate about which the Store is
// asked for no more than it holds, as it is where a responder has answered. What
// cannot be had is not asked for at every turn.
func TestFollow(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{})
	held := func() verify.Status {
		q := w.query()
		q.HeldOnly = true
		got, _ := w.ask(store, q)
		return got
	}
	// until asks until something holds.
	until := func(what string, holds func(verify.Status) bool) {
		t.Helper()
		for range 5000 {
			if holds(held()) {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("waited in vain for %s", what)
	}
	if got := held(); got != verify.Unknown || w.fetches() != 0 {
		t.Errorf("got %v after %d fetches, want nothing: nobody listens", got, w.fetches())
	}
	defer store.Changes(func([]crl.Change) {})()

	w.script(status(http.StatusInternalServerError))
	until("both lists to be asked for", func(verify.Status) bool { return w.fetches() >= 2 })
	for range 100 {
		held()
	}
	if n := w.fetches(); n != 2 {
		t.Errorf("asked %d times for the two lists that cannot be had, want twice", n)
	}
	w.script(nil)
	w.clock.Advance(time.Minute)
	until("a list", func(got verify.Status) bool { return got == verify.Good })
	for range 100 {
		held()
	}
	if n := w.fetches(); n != 3 {
		t.Errorf("fetched %d lists, want that of the partition alone", n-2)
	}
}
