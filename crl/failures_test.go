package crl_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/verify"
)

// A failingServer fails in the way that is set, and counts the questions.
type failingServer struct {
	world *world
	code  int // 0: it never answers
	asked int
}

func (s *failingServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	if s.code == http.StatusOK {
		return (&memoryServer{world: s.world, codes: map[int]int{}}).RoundTrip(r)
	}
	if s.code == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: s.code, Body: http.NoBody, Request: r}, nil
}

// A list that was not to be had is not asked for again for a moment, and no list of a
// server that does not answer at all.
func TestHoldFailures(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		w.TB = t
		time.Sleep(time.Until(noon))
		server := &failingServer{world: w}
		open := func(hold time.Duration) *crl.Store {
			store, err := crl.New(crl.Config{AllowedHosts: []string{"127.0.0.1"}, Now: w.clock.Now,
				HTTPClient: &http.Client{Transport: server}, HoldFailures: hold})
			if err != nil {
				t.Fatal(err)
			}
			return store
		}
		store := open(0)
		ask := func(name string, code, wantAsked int, wantWait time.Duration, want verify.Status) {
			t.Helper()
			server.code = code
			before, start := server.asked, time.Now()
			got, err := w.ask(store, w.query())
			if took := time.Since(start); got != want || took != wantWait || server.asked-before != wantAsked {
				t.Errorf("%s: got %v (%v) in %v with %d questions, want %v in %v with %d", name, got, err, took, server.asked-before, want, wantWait, wantAsked)
			}
			w.clock.Set(time.Now())
		}
		// A certificate has two lists, on one host.
		ask("silent", 0, 1, crl.DefaultAttemptTimeout, verify.Unknown)
		ask("at once", 0, 0, 0, verify.Unknown)
		time.Sleep(crl.DefaultHoldFailures - time.Millisecond)
		ask("until the last moment", 0, 0, 0, verify.Unknown)
		time.Sleep(time.Millisecond)
		ask("no list here", http.StatusNotFound, 2, 0, verify.Unknown)
		ask("nor a moment later", http.StatusOK, 0, 0, verify.Unknown)
		time.Sleep(crl.DefaultHoldFailures)
		ask("up again", http.StatusOK, 1, 0, verify.Good)

		store.Close()
		store = open(-1)
		ask("not held", http.StatusNotFound, 2, 0, verify.Unknown)
		ask("asked again", http.StatusNotFound, 2, 0, verify.Unknown)
		store.Close()
	})
}
