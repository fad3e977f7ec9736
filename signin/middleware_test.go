package signin_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// Who has no session gets an answer that fits what was asked for.
func TestHandlerWithoutSession(t *testing.T) {
	for _, tt := range []struct {
		name, login, method, accept string
		want                        int
	}{
		{"default", "", "GET", "text/html", http.StatusSeeOther},
		{"page", "/login", "GET", "text/html,*/*;q=0.8", http.StatusSeeOther},
		{"HEAD", "/login", "HEAD", "text/html", http.StatusSeeOther},
		{"script", "/login", "GET", "application/json", http.StatusUnauthorized},
		{"form", "/login", "POST", "text/html", http.StatusUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(cfg *signin.Config) { cfg.LoginPath = tt.login })
			b := w.browser(t)
			b.header.Set("Accept", tt.accept)
			rec := b.do(tt.method, "/account", nil)
			if rec.Code != tt.want || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("got %d, Cache-Control %q, want %d and no-store", rec.Code, rec.Header().Get("Cache-Control"), tt.want)
			}
			if got := rec.Header().Get("Location"); tt.want == http.StatusSeeOther && got != cmp.Or(tt.login, signin.DefaultLoginPath) {
				t.Errorf("got Location %q, want %q", got, cmp.Or(tt.login, signin.DefaultLoginPath))
			}
		})
	}
}

// A session counts for requests that the citizen makes at this origin.
func TestHandlerCrossOrigin(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if rec := b.do("GET", "/account", nil); rec.Code != http.StatusOK || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("following a link from elsewhere: got %d", rec.Code)
	}
	w.refused(t, b.do("POST", "/account", nil), signin.CodeCrossOrigin, signin.ReasonCrossOrigin)
	w.refused(t, b.do("POST", "/signin/logout", nil), signin.CodeCrossOrigin, signin.ReasonCrossOrigin)
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.accepted(b.do("POST", "/account", nil))
	b.host = "TAX.example.gov.tw"
	b.accepted(b.do("GET", "/account", nil))
	b.host = "tax.example.gov.tw."
	rec := b.do("GET", "/account", nil)
	w.refused(t, rec, signin.CodeHost, signin.ReasonHost)
	if rec.Code != http.StatusMisdirectedRequest {
		t.Errorf("got %d, want 421", rec.Code)
	}
}

func TestSessionFrom(t *testing.T) {
	if s := signin.SessionFrom(context.Background()); s != nil {
		t.Errorf("got %v of a context without a session", s)
	}
	w := newWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = taxHost
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: b.cookies[sessionCookie]})
	s, err := w.auth.Check(r)
	if err != nil {
		t.Fatal(err)
	}
	if s.Environment != verify.Custom || s.Assurance != signin.AssuranceCard || !s.AuthTime.Equal(noon()) ||
		!s.Expiry.Equal(noon().Add(15*time.Minute)) || s.ID != b.account() {
		t.Errorf("got %+v", s)
	}
}

// Cookies are for this host alone and out of reach of scripts; without https
// there is no __Host- prefix, which browsers would refuse.
func TestCookies(t *testing.T) {
	for _, tt := range []struct {
		origin          string
		env             verify.Environment
		attempt, cookie string
	}{
		{taxOrigin, verify.Custom,
			"__Host-efiling-attempt=; Path=/; Max-Age=300; HttpOnly; Secure; SameSite=Lax",
			"__Host-efiling-session=; Path=/; Max-Age=1800; HttpOnly; Secure; SameSite=Lax"},
		{"http://localhost:8080", verify.Test,
			"efiling-attempt=; Path=/; Max-Age=300; HttpOnly; SameSite=Lax",
			"efiling-session=; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax"},
	} {
		w := newWorld(t)
		cfg := w.cfg
		cfg.Origins, cfg.Verifier = []string{tt.origin}, w.verifier(t, tt.env)
		_, site := w.newSite(t, cfg)
		b := w.browser(t)
		b.site = site
		_, b.host, _ = strings.Cut(tt.origin, "://")

		rec := b.do("POST", "/signin/challenge", nil)
		wantCookie(t, rec, tt.attempt)
		var c signin.Challenge
		if err := json.Unmarshal(rec.Body.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		wantCookie(t, b.finish(&c, sign(t, w.card, &c)), tt.cookie)
		wantCookie(t, b.do("POST", "/signin/logout", nil), strings.Replace(tt.cookie, "Max-Age=1800", "Max-Age=0", 1))
	}
}

// wantCookie compares the one cookie that was set, but for its value.
func wantCookie(t *testing.T, rec *httptest.ResponseRecorder, want string) {
	t.Helper()
	cookies := rec.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("got %d %s and cookies %v, want one", rec.Code, rec.Body, cookies)
	}
	cookies[0].Value = ""
	if got := cookies[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Logout that does not reach the store is not taken for one that did.
func TestLogoutFailure(t *testing.T) {
	store := &denying{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Sessions = store })
	b := w.browser(t)
	b.accepted(b.do("POST", "/signin/logout", nil)) // of nobody
	b.signIn(w.card)
	store.err = context.DeadlineExceeded
	w.refused(t, b.do("POST", "/signin/logout", nil), signin.CodeUnavailable, signin.ReasonStore)
	store.err = signin.ErrStoreFull
	w.refused(t, b.do("POST", "/signin/logout", nil), signin.CodeBusy, signin.ReasonStoreFull)
	if b.account() == "" {
		t.Error("the cookie is gone although the session lives on")
	}
	store.err = nil
	b.accepted(b.do("POST", "/signin/logout", nil))
	if b.cookies[sessionCookie] != "" {
		t.Error("the cookie is still there after logging out")
	}
}

// denying is a store whose Deny can fail.
type denying struct {
	signin.MemoryStore
	err error
}

func (d *denying) Deny(ctx context.Context, key string, issuedUntil, until time.Time) error {
	if d.err != nil {
		return d.err
	}
	return d.MemoryStore.Deny(ctx, key, issuedUntil, until)
}

// What is not a request of the page is refused before anything else.
func TestEndpointRequests(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	for name, body := range map[string]any{
		"other type of signature": map[string]string{"signatureType": "RAW"},
		"endless type":            map[string]string{"signatureType": strings.Repeat("x", 60<<10)},
		"array":                   []int{},
		"too large":               map[string]string{"x": strings.Repeat("x", 64<<10)},
	} {
		t.Run(name, func(t *testing.T) {
			rec := b.do("POST", "/signin/challenge", body)
			w.refused(t, rec, signin.CodeRequest, signin.ReasonRequest)
			if rec.Code != http.StatusBadRequest || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("got %d, Cache-Control %q, want 400 and no-store", rec.Code, rec.Header().Get("Cache-Control"))
			}
			if strings.Contains(w.log.String(), strings.Repeat("x", 100)) {
				t.Error("the log repeats what was sent")
			}
		})
	}
	c := b.begin()
	for name, change := range map[string]func(answer){
		"func":             func(a answer) { a["func"] = "decrypt" },
		"no func":          func(a answer) { delete(a, "func") },
		"signature":        func(a answer) { a["signature"] = "%" },
		"no signature":     func(a answer) { a["signature"] = "" },
		"signature number": func(a answer) { a["signature"] = 7 },
	} {
		t.Run(name, func(t *testing.T) {
			a := sign(t, w.card, c)
			change(a)
			w.refused(t, b.finish(c, a), signin.CodeRequest, signin.ReasonRequest)
			c = b.begin()
		})
	}
	w.refused(t, b.finish(c, nil), signin.CodeRequest, signin.ReasonRequest)
	if rec := b.do("GET", "/signin/challenge", nil); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: got %d, want 405", rec.Code)
	}
}

// The key is named by its JWK thumbprint (RFC 7638), as the JOSE library
// computes it.
func TestTokenHeader(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(b.cookies[sessionCookie], ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwk.FromRaw(&w.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := jwk.AssignKeyID(key); err != nil {
		t.Fatal(err)
	}
	if want := `{"alg":"ES256","kid":"` + key.KeyID() + `","typ":"citizencert-session+jwt"}`; string(header) != want {
		t.Errorf("got header %s, want %s", header, want)
	}
}

// links is an account linker in memory.
type links map[string]string

func (l links) Account(_ context.Context, subject string) (string, error) { return l[subject], nil }
