package routers

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

const host = "localhost:8080"

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	os.Exit(m.Run())
}

// A world is a look-alike PKI, a citizen with a card and a phone, and a service.
type world struct {
	clock       *pkitest.Clock
	card, phone *pkitest.Card
	auth        *signin.Authenticator
}

func newWorld(t *testing.T) *world {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := &world{clock: pkitest.NewClock(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))}
	pki, err := pkitest.New(pkitest.Config{Now: w.clock.Now})
	check(err)
	t.Cleanup(func() { pki.Close() })
	w.card, err = pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	check(err)
	w.phone, err = pki.G3.IssueMobile(pkitest.Person{Name: "王測試"})
	check(err)
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	check(err)
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}, Now: w.clock.Now})
	check(err)
	verifier, err := verify.New(verify.Config{
		Scheme: moica.Test(anchors, "127.0.0.1"),
		Status: []verify.StatusSource{responders},
		Clock:  w.clock.Now,
	})
	check(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	w.auth, err = signin.New(signin.Config{
		Verifier:    verifier,
		Origins:     []string{"http://" + host},
		Service:     "efiling",
		Key:         key,
		PairwiseKey: make([]byte, signin.MinPairwiseKey),
		Now:         w.clock.Now,
	})
	check(err)
	return w
}

// A browser keeps cookies and says where its requests come from.
type browser struct {
	t       *testing.T
	site    http.Handler
	from    string // Sec-Fetch-Site
	cookies map[string]*http.Cookie
}

func (b *browser) do(method, path string, body any) *httptest.ResponseRecorder {
	b.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(encoded))
	r.Host = host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", b.from)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	b.site.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return rec
}

func (b *browser) want(method, path string, status int, body string) {
	b.t.Helper()
	rec := b.do(method, path, nil)
	if rec.Code != status || body != "" && rec.Body.String() != body {
		b.t.Errorf("%s %s: got %d %s, want %d %s", method, path, rec.Code, rec.Body, status, body)
	}
	if status < 400 {
		return
	}
	var p signin.Problem // and nothing else after it
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || p.Message.ZhTW == "" {
		b.t.Errorf("%s %s: got %s, want one problem", method, path, rec.Body)
	}
}

func (b *browser) signIn(card *pkitest.Card) {
	b.t.Helper()
	var c signin.Challenge
	rec := b.do("POST", "/signin/challenge", map[string]any{})
	if err := json.Unmarshal(rec.Body.Bytes(), &c); err != nil || rec.Code != http.StatusOK {
		b.t.Fatalf("challenge: got %d %s", rec.Code, rec.Body)
	}
	signature, err := card.SignPKCS1([]byte(c.Request.TBS))
	if err != nil {
		b.t.Fatal(err)
	}
	rec = b.do("POST", "/signin/finish", map[string]any{"challenge": c.ID, "answer": map[string]any{
		"func": "sign", "ret_code": 0, "last_error": 0,
		"signature": base64.StdEncoding.EncodeToString(signature),
		"certb64":   base64.StdEncoding.EncodeToString(card.Cert.Raw),
	}})
	if rec.Code != http.StatusOK {
		b.t.Fatalf("finish: got %d %s", rec.Code, rec.Body)
	}
}

// Each site lets in who it should, and has its handlers run for nobody else.
func TestRouters(t *testing.T) {
	for name, site := range map[string]func(*signin.Authenticator) http.Handler{"chi": Chi, "echo": Echo, "gin": Gin} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := &browser{t, site(w.auth), "same-origin", map[string]*http.Cookie{}}
			b.want("GET", "/account", http.StatusUnauthorized, "")
			b.want("POST", "/account/change", http.StatusUnauthorized, "")

			b.signIn(w.card)
			b.want("GET", "/account", http.StatusOK, "signed in with urn:citizencert:card")
			b.want("POST", "/account/change", http.StatusOK, "signed in with urn:citizencert:card")
			b.from = "cross-site"
			b.want("POST", "/account/change", http.StatusForbidden, "")
			b.from = "same-origin"

			// Ten minutes later the session is renewed, and not recent any more.
			w.clock.Advance(10 * time.Minute)
			before := b.cookies["efiling-session"].Value
			b.want("GET", "/account", http.StatusOK, "signed in with urn:citizencert:card")
			if b.cookies["efiling-session"].Value == before {
				t.Error("the session was not renewed")
			}
			b.want("POST", "/account/change", http.StatusUnauthorized, "")

			if rec := b.do("POST", "/signin/logout", nil); rec.Code != http.StatusNoContent {
				t.Errorf("logging out: got %d %s", rec.Code, rec.Body)
			}
			b.want("GET", "/account", http.StatusUnauthorized, "")

			b.signIn(w.phone)
			b.want("GET", "/account", http.StatusOK, "signed in with urn:citizencert:mobile")
			b.want("POST", "/account/change", http.StatusUnauthorized, "")
		})
	}
}

// The trap: gin runs the handler after a refusal that does not say c.Abort, which
// GinSession does, also if there is more middleware in between.
func TestGinAbort(t *testing.T) {
	w := newWorld(t)
	for name, tt := range map[string]struct {
		session gin.HandlerFunc
		runs    bool
	}{
		"GinSession": {GinSession(w.auth.Handler), false},
		"without c.Abort": {func(c *gin.Context) {
			w.auth.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { c.Next() })).ServeHTTP(c.Writer, c.Request)
		}, true},
	} {
		ran := 0
		run := func(*gin.Context) { ran++ }
		r := gin.New()
		r.Use(tt.session, run)
		r.GET("/account", run)
		b := &browser{t, r, "same-origin", map[string]*http.Cookie{}}
		if rec := b.do("GET", "/account", nil); rec.Code != http.StatusUnauthorized || (ran > 0) != tt.runs {
			t.Errorf("%s: got %d, and %d handlers ran, want them to run %v", name, rec.Code, ran, tt.runs)
		}
	}
}
