package crl_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// noScopeFetched has both points of a certificate serve lists without scope, and
// lists of unknown origin come with a query.
func noScopeFetched(w *world) {
	w.serve(pkitest.CRLOptions{})
	w.wantAsked("fetched", w.store(crl.Config{}), verify.Good, "")

	offline := w.store(crl.Config{Offline: true})
	q := w.query()
	q.Supplied = []verify.Evidence{{Kind: verify.CRLEvidence, DER: w.list(pkitest.CRLOptions{})}}
	if got, err := w.ask(offline, q); got != verify.Unknown {
		w.Errorf("supplied: got %v (%v), want unknown", got, err)
	}
	q.Supplied[0].DER = w.list(pkitest.CRLOptions{Partition: true})
	if got, err := w.ask(offline, q); got != verify.Good {
		w.Errorf("supplied with scope: got %v (%v), want good", got, err)
	}
}

// numbered is a list with a number, issued so long before noon.
func numbered(number int64, age time.Duration) pkitest.CRLOptions {
	return pkitest.CRLOptions{Number: big.NewInt(number), ThisUpdate: noon.Add(-age), NextUpdate: noon.Add(24 * time.Hour)}
}

// A clock that goes back makes no list count that it has not come to yet.
func TestClockGoesBack(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{})
	w.serve(numbered(10, 0))
	w.wantAsked("at noon", store, verify.Good, "")
	w.clock.Set(noon.Add(-verify.DefaultSkew))
	w.wantAsked("within the skew", store, verify.Good, "")
	w.clock.Advance(-time.Second)
	w.wantAsked("before that", store, verify.Unknown, verify.ReasonStatusStale)
	w.clock.Set(noon.Add(time.Second))
	w.wantAsked("at noon again", store, verify.Good, "")
}

// rollbackAfterMakingRoom has a server go back when the list before has had to make
// room for another one.
func rollbackAfterMakingRoom(w *world) {
	for number, back := range map[int64]bool{9: true, 10: true, 11: false} {
		store := w.store(crl.Config{MaxHeldBytes: 1})
		w.serve(numbered(10, time.Minute))
		w.wantAsked("first", store, verify.Good, "")
		if err := store.Add(w.list(pkitest.CRLOptions{}), "http://example.com/another"); err != nil {
			w.Fatal(err)
		}
		w.serve(numbered(number, 0))
		_, err := store.Status(w.Context(), w.query())
		if errors.Is(err, crl.ErrRollback) != back {
			w.Errorf("number %d: got error %v, want rollback %v", number, err, back)
		}
	}
}

func rollback(w *world) {
	for _, c := range []struct {
		name   string
		second pkitest.CRLOptions
		back   bool
	}{
		{"lower number", numbered(9, 0), true},
		{"older", numbered(11, time.Minute+time.Second), true},
		{"same number, other contents", numbered(10, 0), true},
		{"the same", numbered(10, time.Minute), false},
		{"next number, same time", numbered(11, time.Minute), false},
		{"next", numbered(11, 0), false},
	} {
		store := w.store(crl.Config{})
		w.serve(numbered(10, time.Minute))
		w.wantAsked(c.name+", first", store, verify.Good, "")
		w.serve(c.second)
		q := w.query()
		q.Fresh.CRL = time.Nanosecond // fetch again
		_, err := store.Status(w.Context(), q)
		if back := errors.Is(err, crl.ErrRollback); back != c.back {
			w.Errorf("%s: got error %v, want rollback %v", c.name, err, c.back)
		}
		w.script(status(http.StatusNotFound))
		w.wantAsked(c.name+", afterwards", store, verify.Good, "")
	}
	w.serve(pkitest.CRLOptions{ThisUpdate: noon.Add(verify.DefaultSkew + time.Second)})
	w.wantAsked("thisUpdate in the future", w.store(crl.Config{}), verify.Unknown, verify.ReasonStatusStale)
	w.serve(pkitest.CRLOptions{ThisUpdate: noon.Add(verify.DefaultSkew)})
	w.wantAsked("thisUpdate within skew", w.store(crl.Config{}), verify.Good, "")
}

// damaged has an update fail in every way: the old list stays until its end.
func damaged(w *world) {
	store := w.store(crl.Config{MaxBytes: 1 << 16, Timeout: 500 * time.Millisecond})
	w.wantAsked("whole", store, verify.Good, "")
	end := w.clock.Now().Add(24 * time.Hour)

	whole := w.list(pkitest.CRLOptions{Partition: true, Number: big.NewInt(2030010100)})
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	faults := map[string]http.Handler{
		"truncated":   body(whole[:len(whole)-1]),
		"empty":       body(nil),
		"HTML":        body([]byte("<html>Not found</html>")),
		"flipped bit": body(flipped),
		"too large":   body(make([]byte, 1<<16+1)),
		"HTTP 404":    status(http.StatusNotFound),
		"HTTP 500":    status(http.StatusInternalServerError),
		"redirect":    http.RedirectHandler(w.URL()+"/elsewhere", http.StatusFound),
		"hung up":     http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"cut short": http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			rw.Write(whole[:100])
		}),
		"slow drip": http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				rw.Write([]byte{0x30})
				rw.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}),
		"another generation's": w.G2.MOICA.CRLHandler(pkitest.CRLOptions{}),
		"another partition's": w.ca.CRLHandler(pkitest.CRLOptions{
			IssuingDistributionPoint: &pkitest.IssuingDistributionPoint{URL: w.ca.URLs.Partition + "0"}}),
	}
	for name, fault := range faults {
		w.script(fault)
		w.clock.Set(noon.Add(time.Minute))
		q := w.query()
		q.Fresh.CRL = time.Second // fetch again
		before := w.fetches()
		if _, err := store.Status(w.Context(), q); err == nil || w.fetches() == before {
			w.Errorf("%s: got no error, or nothing was fetched", name)
		}
		w.clock.Set(end.Add(-time.Second))
		w.wantAsked(name+", a second before nextUpdate", store, verify.Good, "")
		w.clock.Set(end)
		w.wantAsked(name+", at nextUpdate", store, verify.Unknown, verify.ReasonStatusStale)
	}
}

func sizes(w *world) {
	big := w.list(pkitest.CRLOptions{Filler: 1000, Partition: true})
	w.script(body(big))
	w.wantAsked("limit", w.store(crl.Config{MaxBytes: len(big)}), verify.Good, "")
	w.wantAsked("limit + 1", w.store(crl.Config{MaxBytes: len(big) - 1}), verify.Unknown, verify.ReasonLimit)
}

// replayed serves one list for ever, and 304 to whoever asks again.
func replayed(w *world) {
	for name, again := range map[string]http.Handler{
		"same body": nil,
		"304":       status(http.StatusNotModified),
	} {
		w.clock.Set(noon)
		store := w.store(crl.Config{})
		first := body(w.list(pkitest.CRLOptions{Partition: true}))
		if again == nil {
			again = first
		}
		w.script(sequence(first, again))
		w.wantAsked(name, store, verify.Good, "")
		w.clock.Advance(24*time.Hour - time.Second)
		w.wantAsked(name+", a second before nextUpdate", store, verify.Good, "")
		w.clock.Advance(time.Second)
		w.wantAsked(name+", at nextUpdate", store, verify.Unknown, verify.ReasonStatusStale)
	}

	w.clock.Set(noon)
	w.ca.Revoke(w.cert, noon, pkitest.ReasonKeyCompromise)
	w.script(body(w.list(pkitest.CRLOptions{Partition: true})))
	store := w.store(crl.Config{})
	w.wantAsked("revoked", store, verify.Revoked, "")
	w.clock.Advance(-24 * time.Hour)
	q := w.query()
	if got, err := w.ask(store, q); got == verify.Good {
		w.Errorf("clock stepped back: got %v (%v), want anything but good", got, err)
	}
}
