package signin_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// What a handler requires of a session, each beside the neighbour that passes.
func TestRequire(t *testing.T) {
	for name, tt := range map[string]struct {
		require signin.Requirement
		phone   bool
		after   time.Duration
		code    signin.Code
		reason  signin.Reason
	}{
		"young":         {signin.Requirement{MaxAge: 5 * time.Minute}, false, 5 * time.Minute, "", ""},
		"old":           {signin.Requirement{MaxAge: 5 * time.Minute}, false, 5*time.Minute + time.Second, signin.CodeSignInAgain, signin.ReasonSessionAge},
		"renewed":       {signin.Requirement{MaxAge: 5 * time.Minute}, false, 10 * time.Minute, signin.CodeSignInAgain, signin.ReasonSessionAge},
		"card":          {signin.Requirement{Assurance: []signin.Assurance{signin.AssuranceCard}}, false, 0, "", ""},
		"phone":         {signin.Requirement{Assurance: []signin.Assurance{signin.AssuranceCard}}, true, 0, signin.CodeAssurance, signin.ReasonSessionAssurance},
		"either":        {signin.Requirement{Assurance: []signin.Assurance{signin.AssuranceCard, signin.AssuranceMobile}}, true, 0, "", ""},
		"old and phone": {signin.Requirement{MaxAge: time.Second, Assurance: []signin.Assurance{signin.AssuranceCard}}, true, 2 * time.Second, signin.CodeSignInAgain, signin.ReasonSessionAge},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(cfg *signin.Config) { cfg.LoginPath = "/login" })
			mux := http.NewServeMux()
			mux.Handle("/signin/", w.site)
			mux.Handle("/transcript", w.auth.Require(tt.require, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if signin.SessionFrom(r.Context()) == nil {
					t.Error("no session in the context")
				}
			})))
			b := w.browser(t)
			b.site = mux
			w.refused(t, b.do("GET", "/transcript", nil), signin.CodeSession, signin.ReasonNoSession)
			card := w.card
			if tt.phone {
				card = w.issue(t, w.G3.IssueMobile)
			}
			b.signIn(card)
			w.clock.Advance(tt.after)
			rec := b.do("GET", "/transcript", nil)
			if tt.code == "" {
				b.accepted(rec)
				return
			}
			if p := problemOf(t, rec); p.Code != tt.code || rec.Code != http.StatusUnauthorized || w.log.reason() != tt.reason {
				t.Errorf("got %d %s, operator is told %s, want 401 %s and %s", rec.Code, p.Code, w.log.reason(), tt.code, tt.reason)
			}
			b.header.Set("Accept", "text/html")
			if rec := b.do("GET", "/transcript", nil); rec.Code != http.StatusSeeOther {
				t.Errorf("page: got %d, want 303", rec.Code)
			}
		})
	}
}

// A requirement that says nothing, or cannot be met, is a mistake.
func TestRequireMistakes(t *testing.T) {
	w := newWorld(t)
	for name, q := range map[string]signin.Requirement{
		"empty":         {},
		"negative":      {MaxAge: -1},
		"unknown class": {MaxAge: time.Minute, Assurance: []signin.Assurance{"urn:citizencert:implant"}},
		"no class":      {Assurance: []signin.Assurance{""}},
	} {
		t.Run(name, func(t *testing.T) {
			err := w.auth.Meets(&signin.Session{AuthTime: noon(), Assurance: signin.AssuranceCard}, q)
			if e, ok := errors.AsType[*signin.Error](err); !ok || e.Reason != signin.ReasonInternal {
				t.Errorf("got %v, want an internal error", err)
			}
			defer func() {
				if recover() == nil {
					t.Error("Require did not panic")
				}
			}()
			w.auth.Require(q, http.NotFoundHandler())
		})
	}
}
