package fido_test

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin/fido"
)

// Of many questions at once, over and over, one gets the session.
func attackRace(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		b, a := w.approved(t, pkitest.FidoScript{})
		var done atomic.Int32
		for round := 0; round < 10 && done.Load() == 0; round++ {
			w.clock.Advance(fido.PollInterval)
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					same := &browser{t: t, w: w, cookies: maps.Clone(b.cookies), header: http.Header{}}
					if rec := same.do("POST", "/signin/fido/status", map[string]string{"attempt": a.Attempt}); same.state(rec) == "done" {
						done.Add(1)
					}
				})
			}
			wg.Wait()
		}
		if got := done.Load(); got != 1 {
			t.Errorf("got %d sessions, want 1", got)
		}
		b.refusedAgain(a)
	}
	if got := len(w.results); got != 3 {
		t.Errorf("OnSignIn was called %d times, want 3", got)
	}
}
