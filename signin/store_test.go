package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// What comes back from a store is not trusted to be what was put there.
func TestTamperedStore(t *testing.T) {
	good := fmt.Sprintf(`{"purpose":"signin","host":%q,"expiry":%d,"type":"PKCS1"}`, taxHost, noon().Add(signin.ChallengeLife).Unix())
	for _, tt := range []struct {
		old, new string
		code     signin.Code
		reason   signin.Reason
	}{
		{"", "", "", ""},
		{`"signin"`, `"consent"`, signin.CodeSignature, signin.Reason(verify.ReasonPurpose)},
		{taxHost, "www.example.gov.tw", signin.CodeChallenge, signin.ReasonChallengeUnknown},
		{"PKCS1", "RAW", signin.CodeUnavailable, signin.ReasonStore},
		{"{", "[", signin.CodeUnavailable, signin.ReasonStore},
		{`"expiry":`, `"expiry":9`, signin.CodeSignature, signin.Reason(verify.ReasonBadSignature)}, // not the line that was signed
	} {
		store := &tampering{value: strings.Replace(good, tt.old, tt.new, 1)}
		w := newWorld(t, func(cfg *signin.Config) { cfg.Challenges = store })
		store.Now = w.clock.Now
		b := w.browser(t)
		c := b.begin()
		rec := b.finish(c, sign(t, w.card, c))
		if tt.code == "" {
			b.accepted(rec)
		} else {
			w.refused(t, rec, tt.code, tt.reason)
		}
	}
}

// tampering returns the same value for every challenge that it holds.
type tampering struct {
	signin.MemoryStore
	value string
}

func (s *tampering) Take(ctx context.Context, key string) ([]byte, error) {
	_, err := s.MemoryStore.Take(ctx, key)
	return []byte(s.value), err
}

// A full store stops new challenges and keeps the old ones.
func TestBusy(t *testing.T) {
	w := newWorld(t, func(cfg *signin.Config) { cfg.Challenges = &fullAfter{left: 1} })
	b := w.browser(t)
	c := b.begin()
	rec := b.do("POST", "/signin/challenge", nil)
	w.refused(t, rec, signin.CodeBusy, signin.ReasonStoreFull)
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
		t.Errorf("got %d, want 503 with Retry-After", rec.Code)
	}
	b.accepted(b.finish(c, sign(t, w.card, c)))
}

// counting counts what is put.
type counting struct {
	signin.MemoryStore
	puts int
}

func (s *counting) Put(ctx context.Context, key string, value []byte, expiry time.Time) error {
	s.puts++
	return s.MemoryStore.Put(ctx, key, value, expiry)
}

type fullAfter struct {
	signin.MemoryStore
	left int
}

func (s *fullAfter) Put(ctx context.Context, key string, value []byte, expiry time.Time) error {
	if s.left--; s.left < 0 {
		return signin.ErrStoreFull
	}
	return s.MemoryStore.Put(ctx, key, value, expiry)
}

// failing is a store and a linker that cannot be reached.
type failing struct{ err error }

func (f failing) Put(context.Context, string, []byte, time.Time) error       { return f.err }
func (f failing) Take(context.Context, string) ([]byte, error)               { return nil, f.err }
func (f failing) Deny(context.Context, string, time.Time, time.Time) error   { return f.err }
func (f failing) Denied(context.Context, time.Time, ...string) (bool, error) { return false, f.err }
func (f failing) Keep(context.Context, string, []byte, time.Time) error      { return f.err }
func (f failing) Kept(context.Context, string) ([]byte, error)               { return nil, f.err }
func (f failing) Account(context.Context, string) (string, error)            { return "", f.err }

// A store that fails never lets anyone in.
func TestStoreFailure(t *testing.T) {
	down := failing{errors.New("store: connection refused")}
	w := newWorld(t)
	b := w.browser(t)
	b.signIn(w.card)

	for name, change := range map[string]func(*signin.Config){
		"sessions": func(cfg *signin.Config) { cfg.Sessions = down },
		"accounts": func(cfg *signin.Config) { cfg.Accounts = down },
	} {
		cfg := w.cfg
		change(&cfg)
		_, b.site = w.newSite(t, cfg)
		rec := b.do("GET", "/account", nil)
		if rec.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: got %d, want 503", name, rec.Code)
		}
	}
	cfg := w.cfg
	cfg.Challenges = down
	_, b.site = w.newSite(t, cfg)
	w.refused(t, b.do("POST", "/signin/challenge", nil), signin.CodeUnavailable, signin.ReasonStore)
}
