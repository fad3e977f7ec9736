package hipki_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
	"github.com/citizencert/citizencert/verify"
)

// A world is a service with the handler mounted at /signin/, and a card.
type world struct {
	*testing.T
	card    *pkitest.Card
	other   *pkitest.Card
	auth    *signin.Authenticator
	handler *hipki.Handler
	origin  string
	client  *http.Client
}

func newWorld(t *testing.T, change func(*hipki.Config)) *world {
	t.Helper()
	pki := testbed.New(t, nil)
	w := &world{T: t}
	var err error
	if w.card, err = pki.G3.IssueCard(pkitest.Person{}); err != nil {
		t.Fatal(err)
	}
	if w.other, err = pki.G3.IssueCard(pkitest.Person{}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	w.origin = "http://" + server.Listener.Addr().String()
	w.auth = newAuthenticator(t, pki, w.origin)
	cfg := hipki.Config{
		Auth: w.auth, Next: "/account/",
		Name: signin.Text{ZhTW: "測試服務", En: "Test service"}, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	if w.handler, err = hipki.New(cfg); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", w.handler)
	mux.Handle("/account/", w.auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "signed in")
	})))
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.client = &http.Client{Jar: jar}
	return w
}

func newAuthenticator(t *testing.T, pki *pkitest.PKI, origin string) *signin.Authenticator {
	t.Helper()
	v, err := verify.New(verify.Config{Scheme: testbed.Scheme(t, pki), Status: testbed.Sources(t, nil)})
	if err != nil {
		t.Fatal(err)
	}
	auth, err := signin.New(signin.Config{
		Verifier: v, Origins: []string{origin}, Service: "test", Key: testbed.Key(t),
		PairwiseKey: make([]byte, signin.MinPairwiseKey), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// do sends a request and returns the answer with its body.
func (w *world) do(method, path string, form url.Values, header ...string) (*http.Response, string) {
	w.Helper()
	return w.send(w.request(method, path, form, header...))
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t, nil)
	for name, change := range map[string]func(*hipki.Config){
		"no authenticator":         func(c *hipki.Config) { c.Auth = nil },
		"path without slash":       func(c *hipki.Config) { c.Path = "/signin" },
		"path with pattern":        func(c *hipki.Config) { c.Path = "/{x}/" },
		"next elsewhere":           func(c *hipki.Config) { c.Next = "//elsewhere.example" },
		"next with backslash":      func(c *hipki.Config) { c.Next = `/\elsewhere.example` },
		"unknown type":             func(c *hipki.Config) { c.Type = "RAW" },
		"card number with PKCS1":   func(c *hipki.Config) { c.CardNumber = true },
		"component elsewhere":      func(c *hipki.Config) { c.Component = "http://elsewhere.example" },
		"component over https":     func(c *hipki.Config) { c.Component = "https://localhost:61161" },
		"component with a path":    func(c *hipki.Config) { c.Component = "http://localhost:61161/popupForm" },
		"component with user info": func(c *hipki.Config) { c.Component = "http://localhost@elsewhere.example" },
		"component look-alike":     func(c *hipki.Config) { c.Component = "http://localhost.elsewhere.example" },
		"version in words":         func(c *hipki.Config) { c.MinVersion = "1.x" },
		"negative timeout":         func(c *hipki.Config) { c.OpenTimeout = -1 },
	} {
		cfg := hipki.Config{Auth: w.auth, Path: "/signin/"}
		if _, err := hipki.New(cfg); err != nil {
			t.Fatalf("the neighbour that passes: %v", err)
		}
		change(&cfg)
		if _, err := hipki.New(cfg); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
