package signin_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// keeping is a store that shows who asks for certificates, and can say something
// else than it knows.
type keeping struct {
	signin.MemoryStore
	asked atomic.Int32
	kept  func([]byte, error) ([]byte, error)
}

func (k *keeping) Kept(ctx context.Context, key string) ([]byte, error) {
	k.asked.Add(1)
	der, err := k.MemoryStore.Kept(ctx, key)
	if k.kept != nil {
		return k.kept(der, err)
	}
	return der, err
}

func newKeepingWorld(t *testing.T) (*world, *keeping) {
	store := &keeping{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Sessions = store })
	store.Now = w.clock.Now
	return w, store
}

// session returns what Check says of the browser's cookie.
func (w *world) session(t testing.TB, b *browser) *signin.Session {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = taxHost
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: b.cookies[sessionCookie]})
	s, err := w.auth.Check(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A token is replaced once half its life is over, by one of the same session.
func TestRenewal(t *testing.T) {
	w, _ := newKeepingWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	token, before := b.cookies[sessionCookie], w.session(t, b)

	w.clock.Set(noon().Add(signin.MaxTokenLife/2 - time.Second))
	b.accepted(b.do("GET", "/account", nil))
	if b.cookies[sessionCookie] != token {
		t.Error("renewed in the first half of the token's life")
	}
	w.clock.Advance(time.Second)
	rec := b.do("GET", "/account", nil)
	wantCookie(t, rec, "__Host-efiling-session=; Path=/; Max-Age=1800; HttpOnly; Secure; SameSite=Lax")
	after := w.session(t, b)
	want := *before
	want.IssuedAt, want.Expiry = w.clock.Now(), w.clock.Now().Add(signin.MaxTokenLife)
	if *after != want || rec.Body.String() != before.ID {
		t.Errorf("got session %+v, want %+v", *after, want)
	}
}

// Of 64 requests that come at once all are served, and one renews.
func TestRenewalAtOnce(t *testing.T) {
	w, store := newKeepingWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	w.clock.Advance(signin.MaxTokenLife / 2)
	var renewed atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		tab := *b
		tab.cookies = maps.Clone(b.cookies)
		wg.Go(func() {
			rec := tab.do("GET", "/account", nil)
			tab.accepted(rec)
			renewed.Add(int32(len(rec.Result().Cookies())))
		})
	}
	wg.Wait()
	if got, asked := renewed.Load(), store.asked.Load(); got != 1 || asked != 1 {
		t.Errorf("renewed %d times, asked for the certificate %d times, want once", got, asked)
	}
}

// A session ends when it was not renewed for IdleLife, and no second before.
func TestIdle(t *testing.T) {
	for after, want := range map[time.Duration]bool{signin.MaxIdleLife - time.Second: true, signin.MaxIdleLife: false} {
		w, _ := newKeepingWorld(t)
		b := w.browser(t)
		b.signIn(w.card)
		w.clock.Advance(10 * time.Minute)
		b.accepted(b.do("GET", "/account", nil))
		w.clock.Advance(after)
		if rec := b.do("GET", "/account", nil); want {
			b.accepted(rec)
		} else {
			w.refused(t, rec, signin.CodeSession, signin.ReasonTokenExpired)
		}
	}
}

// A session that is used all the time ends all the same.
func TestSessionLife(t *testing.T) {
	w, store := newKeepingWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	end := noon().Add(signin.MaxSessionLife)
	for w.clock.Now().Before(end.Add(-time.Minute)) {
		b.accepted(b.do("GET", "/account", nil))
		w.clock.Advance(time.Minute)
	}
	if got := w.session(t, b).Expiry; !got.Equal(end) {
		t.Errorf("last token expires at %v, want %v", got, end)
	}
	w.clock.Set(end.Add(-time.Second))
	b.accepted(b.do("GET", "/account", nil))
	w.clock.Advance(time.Second)
	w.refused(t, b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonTokenExpired)
	if got := store.asked.Load(); got < 8*4 || got > 8*8 {
		t.Errorf("renewed %d times in 8 hours, want once every 7.5 to 15 minutes", got)
	}
}

// While the status cannot be learned a session goes on to the end of its token,
// and comes back with the status.
func TestRenewalUnavailable(t *testing.T) {
	w, store := newKeepingWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	token := b.cookies[sessionCookie]
	w.status.set(verify.Good, errors.New("no route"))
	w.clock.Advance(signin.MaxTokenLife / 2)
	for range 20 {
		b.accepted(b.do("GET", "/account", nil))
	}
	if got := store.asked.Load(); got != 1 || b.cookies[sessionCookie] != token {
		t.Errorf("tried %d times, want once and in vain", got)
	}
	if got := w.log.reason(); got != signin.Reason(verify.ReasonStatusUnavailable) {
		t.Errorf("operator is told %q", got)
	}
	w.clock.Set(noon().Add(signin.MaxTokenLife - time.Second))
	b.accepted(b.do("GET", "/account", nil))
	w.clock.Advance(time.Second)
	rec := b.do("GET", "/account", nil)
	w.refused(t, rec, signin.CodeUnavailable, signin.Reason(verify.ReasonStatusUnavailable))
	if rec.Code != http.StatusServiceUnavailable || b.cookies[sessionCookie] != token {
		t.Errorf("got %d, want 503 and the cookie kept", rec.Code)
	}
	w.status.set(verify.Good, nil)
	b.accepted(b.do("GET", "/account", nil))
	w.session(t, b)
}

// L16: a certificate is revoked or suspended during a session.
func attackRevokedDuringSession(t *testing.T) {
	for says, want := range map[verify.Status]struct {
		code   signin.Code
		reason verify.Reason
	}{
		verify.Revoked:   {signin.CodeRevoked, verify.ReasonRevoked},
		verify.Suspended: {signin.CodeSuspended, verify.ReasonSuspended},
	} {
		w, _ := newKeepingWorld(t)
		b, elsewhere, idle, other := w.browser(t), w.browser(t), w.browser(t), w.browser(t)
		for _, b := range []*browser{b, elsewhere, idle} {
			b.signIn(w.card)
		}
		other.signIn(w.issue(t, w.G3.IssueCard))
		stolen := b.cookies[sessionCookie]

		w.status.set(says, nil)
		w.clock.Advance(signin.MaxTokenLife/2 - time.Second)
		b.accepted(b.do("GET", "/account", nil)) // not yet judged anew
		w.clock.Advance(time.Second)
		w.refused(t, b.do("GET", "/account", nil), want.code, signin.Reason(want.reason))
		if b.cookies[sessionCookie] != "" {
			t.Error("the cookie is still there")
		}
		w.status.set(verify.Good, nil)
		if other.account() == "" {
			t.Error("another citizen's session has ended too")
		}
		b.cookies[sessionCookie] = stolen
		for _, b := range []*browser{b, elsewhere} {
			w.refused(t, b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)
		}
		w.clock.Advance(signin.MaxTokenLife)
		w.refused(t, idle.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)
		b.signIn(w.card) // a suspension can end
		if b.account() == "" {
			t.Error("a new session was refused")
		}
	}
}

// What else can be wrong with the certificate at renewal.
func TestRenewalRefusals(t *testing.T) {
	w, store := newKeepingWorld(t)
	expiring := w.issue(t, w.G3.IssueCard, func(tm *pkitest.Template) { tm.NotAfter = noon().Add(10 * time.Minute) })
	b, elsewhere := w.browser(t), w.browser(t)
	b.signIn(expiring)
	w.clock.Advance(time.Minute)
	elsewhere.signIn(expiring)
	w.clock.Set(noon().Add(10 * time.Minute))
	b.accepted(b.do("GET", "/account", nil))
	w.clock.Advance(8 * time.Minute)
	w.refused(t, b.do("GET", "/account", nil), signin.CodeExpired, signin.Reason(verify.ReasonExpired))

	// A store that has lost or mixed up its certificates renews nothing.
	namesake := w.issue(t, w.G3.IssueCard)
	for name, tt := range map[string]struct {
		kept    func([]byte, error) ([]byte, error)
		expired signin.Code
		reason  signin.Reason
	}{
		"as kept":   {func(der []byte, err error) ([]byte, error) { return der, err }, "", ""},
		"lost":      {func([]byte, error) ([]byte, error) { return nil, signin.ErrNotFound }, signin.CodeSession, signin.ReasonTokenExpired},
		"down":      {func([]byte, error) ([]byte, error) { return nil, errors.New("refused") }, signin.CodeUnavailable, signin.ReasonStore},
		"another's": {func([]byte, error) ([]byte, error) { return namesake.Cert.Raw, nil }, signin.CodeUnavailable, signin.ReasonStore},
	} {
		t.Run(name, func(t *testing.T) {
			store.kept = tt.kept
			defer func() { store.kept = nil }()
			b := w.browser(t)
			b.signIn(w.card)
			w.clock.Advance(10 * time.Minute)
			b.accepted(b.do("GET", "/account", nil))
			w.clock.Advance(10 * time.Minute)
			if rec := b.do("GET", "/account", nil); tt.expired == "" {
				b.accepted(rec)
			} else {
				w.refused(t, rec, tt.expired, tt.reason)
			}
		})
	}
}

// A certificate that is refused ends its session even if the store does not take
// the denial, since the next request asks again.
func TestRenewalNotDenied(t *testing.T) {
	store := &denying{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Sessions = store })
	store.Now = w.clock.Now
	b := w.browser(t)
	b.signIn(w.card)
	token := b.cookies[sessionCookie]
	store.err = errors.New("refused")
	w.status.set(verify.Revoked, nil)
	w.clock.Advance(10 * time.Minute)
	for range 3 {
		b.cookies[sessionCookie] = token
		w.refused(t, b.do("GET", "/account", nil), signin.CodeRevoked, signin.Reason(verify.ReasonRevoked))
	}
}

// Logging out ends a session whose token has expired, and one that is being
// renewed at that moment.
func TestLogoutAndRenewal(t *testing.T) {
	w, store := newKeepingWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	token := b.cookies[sessionCookie]
	w.clock.Advance(20 * time.Minute)
	b.accepted(b.do("POST", "/signin/logout", nil))
	b.cookies[sessionCookie] = token
	w.refused(t, b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)

	b.signIn(w.card)
	s := w.session(t, b)
	w.clock.Advance(10 * time.Minute)
	store.kept = func(der []byte, err error) ([]byte, error) {
		return der, errors.Join(err, w.auth.End(t.Context(), s))
	}
	b.accepted(b.do("GET", "/account", nil)) // was let in before
	if b.cookies[sessionCookie] == token {
		t.Error("not renewed: the test races wrongly")
	}
	for _, after := range []time.Duration{0, 10 * time.Minute} {
		w.clock.Advance(after)
		w.refused(t, b.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)
	}
}
