package signin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// askFrom asks for a challenge from an address.
func (w *world) askFrom(address string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/signin/challenge", nil)
	r.Host, r.RemoteAddr = taxHost, address
	rec := httptest.NewRecorder()
	w.site.ServeHTTP(rec, r)
	return rec
}

// L17: one address asks for 10,000 challenges. And what is refused does not tell
// who is known.
func attackManyChallenges(t *testing.T) {
	store := &counting{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Challenges = store })
	store.Now = w.clock.Now
	count := map[int]int{}
	for i := range 10_000 {
		rec := w.askFrom(fmt.Sprintf("203.0.113.7:%d", 1024+i))
		count[rec.Code]++
	}
	if most := signin.DefaultChallengesPerMinute; count[http.StatusOK] != most || store.puts != most || count[http.StatusTooManyRequests] != 10_000-most {
		t.Errorf("got %v, %d stored, want 20 challenges and 429 for the rest", count, store.puts)
	}
	rec := w.askFrom("203.0.113.7:1")
	w.refused(t, rec, signin.CodeTooMany, signin.ReasonRateLimited)
	if got := rec.Header().Get("Retry-After"); got != "60" {
		t.Errorf("got Retry-After %s, want 60", got)
	}
	if rec := w.askFrom("203.0.113.8:1024"); rec.Code != http.StatusOK {
		t.Errorf("another client: got %d", rec.Code)
	}
	w.clock.Set(noon().Add(time.Minute - time.Second))
	if rec := w.askFrom("203.0.113.7:1"); rec.Code != http.StatusTooManyRequests {
		t.Errorf("a second before the minute is over: got %d, want 429", rec.Code)
	}
	w.clock.Set(noon().Add(time.Minute))
	if rec := w.askFrom("203.0.113.7:1"); rec.Code != http.StatusOK {
		t.Errorf("after a minute: got %d, want 200", rec.Code)
	}

	known := w.browser(t)
	known.signIn(w.card)
	bad := func() string {
		c := w.browser(t).begin()
		b := w.browser(t)
		own := b.begin()
		rec := b.finish(own, sign(t, w.card, c))
		w.refused(t, rec, signin.CodeSignature, signin.Reason(verify.ReasonBadSignature))
		return rec.Body.String()
	}
	first := bad()
	w.card = w.issue(t, w.G3.IssueCard)
	if second := bad(); second != first {
		t.Errorf("got %s of an unknown card, %s of a known one", second, first)
	}
}

func TestClientKeys(t *testing.T) {
	for _, tt := range []struct {
		first, second string
		same          bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8::ffff:0:0:1]:1", true},
		{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
		{"[fe80::1%eth0]:1", "[fe80::1%eth1]:1", true},
		{"@", "", true},
	} {
		w := newWorld(t, func(cfg *signin.Config) { cfg.ChallengesPerMinute = 1 })
		w.askFrom(tt.first)
		if got := w.askFrom(tt.second).Code != http.StatusOK; got != tt.same {
			t.Errorf("%s and %s: one client %v, want %v", tt.first, tt.second, got, tt.same)
		}
	}

	// Headers that anybody can send name nobody, unless the service says so.
	for name, change := range map[string]func(*signin.Config){
		"default": func(*signin.Config) {},
		"own key": func(cfg *signin.Config) {
			cfg.ClientKey = func(r *http.Request) string { return r.Header.Get("X-Real-IP") }
		},
		"unlimited": func(cfg *signin.Config) { cfg.InsecureUnlimitedChallenges = true },
	} {
		w := newWorld(t, func(cfg *signin.Config) { cfg.ChallengesPerMinute = 2 }, change)
		b := w.browser(t)
		var last *httptest.ResponseRecorder
		for i := range 3 {
			b.header.Set("X-Real-IP", fmt.Sprint(i))
			b.header.Set("X-Forwarded-For", fmt.Sprint(i))
			last = b.do("POST", "/signin/challenge", nil)
		}
		if name == "default" {
			w.refused(t, last, signin.CodeTooMany, signin.ReasonRateLimited)
		} else {
			b.accepted(last)
		}
	}
}
