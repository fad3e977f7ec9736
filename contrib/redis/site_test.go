package redis_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/citizencert/citizencert/contrib/redis"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

const siteHost, sessionCookie = "localhost:8080", "efiling-session"

// A site is what one server of the service is told, in this process or another.
type site struct {
	Redis   string // address
	Prefix  string
	Timeout time.Duration
	Anchors string // folder
	Pins    []pkitest.Pin
	Key     []byte // PKCS#8
}

// handler runs the service: sign-in under /signin/, and who is signed in under
// /account.
func (s *site) handler(ctx context.Context, logger *slog.Logger) (http.Handler, error) {
	anchors, err := moica.LoadTestAnchors(os.DirFS(s.Anchors), s.Pins...)
	if err != nil {
		return nil, err
	}
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}})
	if err != nil {
		return nil, err
	}
	verifier, err := verify.New(verify.Config{Scheme: moica.Test(anchors, "127.0.0.1"), Status: []verify.StatusSource{responders}})
	if err != nil {
		return nil, err
	}
	store, err := redis.New(ctx, redis.Config{
		Client:      goredis.NewClient(&goredis.Options{Addr: s.Redis, ContextTimeoutEnabled: true}),
		Environment: verifier.Environment(),
		Prefix:      s.Prefix,
		Timeout:     s.Timeout,
		Logger:      logger,
	})
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(s.Key)
	if err != nil {
		return nil, err
	}
	auth, err := signin.New(signin.Config{
		Verifier:    verifier,
		Origins:     []string{"http://" + siteHost},
		Service:     "efiling",
		Key:         key.(*ecdsa.PrivateKey),
		PairwiseKey: make([]byte, signin.MinPairwiseKey),
		Challenges:  store,
		Sessions:    store,
		Logger:      logger,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", http.StripPrefix("/signin", auth.LoginHandler()))
	mux.Handle("/account", auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, signin.SessionFrom(r.Context()).ID)
	})))
	return mux, nil
}

// A world is a look-alike PKI, a citizen with a card, and a site.
type world struct {
	*pkitest.PKI
	card *pkitest.Card
	site site
	log  *records
	http.Handler
}

func newWorld(t testing.TB, address, prefix string) *world {
	t.Helper()
	pki := testbed.New(t, nil)
	w := &world{PKI: pki, log: &records{}, site: site{Redis: address, Prefix: prefix, Timeout: 500 * time.Millisecond, Anchors: t.TempDir(), Pins: pki.Pins()}}
	w.card = w.issue(t)
	if err := os.CopyFS(w.site.Anchors, pki.FS()); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.site.Key, err = x509.MarshalPKCS8PrivateKey(testbed.Key(t)); err != nil {
		t.Fatal(err)
	}
	w.Handler, err = w.site.handler(t.Context(), slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) issue(t testing.TB) *pkitest.Card {
	t.Helper()
	card, err := w.G3.IssueCard(pkitest.Person{Name: "王測試", LastFour: "6789"})
	if err != nil {
		t.Fatal(err)
	}
	return card
}

// records are the last thing that the operator was told.
type records struct {
	mu   sync.Mutex
	last []byte
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = bytes.Clone(p)
	return len(p), nil
}

func (r *records) reason() signin.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	var record struct{ Reason signin.Reason }
	json.Unmarshal(r.last, &record)
	return record.Reason
}

// A browser keeps cookies, and talks to any server of the site.
type browser struct {
	t       testing.TB
	cookies testbed.Cookies
}

func (b *browser) do(site http.Handler, method, path string, body any) *httptest.ResponseRecorder {
	b.t.Helper()
	r := testbed.Request(b.t, method, path, body)
	r.Host = siteHost
	return b.cookies.Do(site, r)
}

// answer asks for a challenge and returns what the page sends once the card has
// signed it.
func (b *browser) answer(site http.Handler, card *pkitest.Card) any {
	b.t.Helper()
	rec := b.do(site, "POST", "/signin/challenge", map[string]any{})
	var c signin.Challenge
	if err := json.Unmarshal(rec.Body.Bytes(), &c); err != nil || rec.Code != http.StatusOK {
		b.t.Fatalf("challenge: got %d %s", rec.Code, rec.Body)
	}
	signature, err := card.SignPKCS1([]byte(c.Request.TBS))
	if err != nil {
		b.t.Fatal(err)
	}
	return map[string]any{"challenge": c.ID, "answer": map[string]any{
		"func": "sign", "ret_code": 0, "last_error": 0,
		"signature": base64.StdEncoding.EncodeToString(signature),
		"certb64":   base64.StdEncoding.EncodeToString(card.Cert.Raw),
	}}
}

func (b *browser) signIn(site http.Handler, card *pkitest.Card) {
	b.t.Helper()
	accepted(b.t, b.do(site, "POST", "/signin/finish", b.answer(site, card)))
}

func accepted(t testing.TB, rec *httptest.ResponseRecorder) {
	t.Helper()
	if rec.Code/100 != 2 {
		t.Errorf("got %d %s, want success", rec.Code, rec.Body)
	}
}

// refused checks what citizen and operator are told, and that no session began.
func (w *world) refused(t testing.TB, rec *httptest.ResponseRecorder, status int, code signin.Code, reason signin.Reason) {
	t.Helper()
	var p signin.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Code != status || p.Code != code {
		t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, status, code)
	}
	if got := w.log.reason(); got != reason {
		t.Errorf("operator is told %q, want %q: %s", got, reason, w.log.last)
	}
	for _, c := range rec.Result().Cookies() {
		if strings.HasSuffix(c.Name, "-session") {
			t.Errorf("got cookie %v along with a refusal", c)
		}
	}
}
