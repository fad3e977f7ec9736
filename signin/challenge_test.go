package signin_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/citizencert/citizencert/signin"
)

// A million challenges that are issued and abandoned leave memory where it was,
// those of clients that were counted included.
func TestAbandonedChallenges(t *testing.T) {
	w := newWorld(t, func(cfg *signin.Config) {
		client := 0
		cfg.ClientKey = func(*http.Request) string {
			client++
			return string([]byte{byte(client), byte(client >> 8), byte(client >> 16)}) // each asks once
		}
	})
	r := httptest.NewRequest("POST", "/signin/challenge", nil)
	r.Host = taxHost
	issue := func() {
		for range signin.MaxChallenges {
			if _, err := w.auth.Begin(nowhere{}, r, signin.PKCS1); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.Advance(signin.ChallengeLife)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	issue()
	before := heap()
	rounds := 10
	if underRace {
		rounds = 2 // there is no other goroutine, and a million would take a minute
	}
	for range rounds - 1 {
		issue()
	}
	if after := heap(); after > before+before/10 {
		t.Errorf("memory grew from %d to %d bytes", before, after)
	}
	if _, err := w.auth.Begin(nowhere{}, r, signin.PKCS1); err != nil {
		t.Error(err)
	}
}

// nowhere is where a response goes that nobody reads.
type nowhere http.Header

func (n nowhere) Header() http.Header         { return http.Header(n) }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}
