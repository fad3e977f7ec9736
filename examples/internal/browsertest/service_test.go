package browsertest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/signin/hipki"
	"github.com/citizencert/citizencert/verify"
)

var browser browsertest.Browser

func TestMain(m *testing.M) { browser.Main(m) }

// pin has everything that form data would change if the page did not escape it.
const pin = `a%2B&+";`

// A service is what an importer mounts in thirty lines, a desk with a card, and a
// phone.
type service struct {
	*lookalike.World
	origin    string
	component *pkitest.Component
	requests  *browsertest.Recorder
}

func newService(t *testing.T, change func(*hipki.Config), changePhone ...func(*fido.Config)) *service {
	t.Helper()
	world, err := lookalike.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.Close() })
	card := world.Cards[lookalike.CitizenCard].Card
	component, err := pkitest.StartComponent(pkitest.ComponentConfig{Cards: []pkitest.ReaderCard{{Card: card, PIN: pin}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { component.Close() })

	server := httptest.NewUnstartedServer(nil)
	s := &service{World: world, origin: "http://" + server.Listener.Addr().String(), component: component}
	auth := newAuthenticator(t, world, s.origin)
	phone := s.newPhone(t, auth, changePhone)
	cfg := hipki.Config{
		Auth:      auth,
		Path:      "/signin/",
		Next:      "/account/",
		Name:      signin.Text{ZhTW: "測試服務", En: "Test service"},
		Component: component.Origin,
		Beside:    phone.Section,
		Logger:    slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	handler, err := hipki.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", handler)
	mux.Handle("/signin/fido/", http.StripPrefix("/signin/fido", phone.Handler()))
	mux.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) { shortOfTime(w, r, handler) })
	mux.Handle("/account/", auth.Handler(http.HandlerFunc(account)))
	s.requests = &browsertest.Recorder{Handler: mux}
	server.Config.Handler = s.requests
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// newPhone has the operator of the phones know the service, its callback too.
func (s *service) newPhone(t *testing.T, auth *signin.Authenticator, changes []func(*fido.Config)) *fido.Flow {
	t.Helper()
	owner := s.Phones[lookalike.CitizenPhone]
	s.Fido = s.PKI.NewFido(pkitest.FidoConfig{Callback: s.origin + "/signin/fido/callback"})
	s.Phones = []*pkitest.Phone{s.Fido.Enroll(owner.IDNumber, owner.Card)}
	client, err := s.FidoClient()
	if err != nil {
		t.Fatal(err)
	}
	cfg := fido.Config{
		Auth:      auth,
		Client:    client,
		Hint:      "登入測試服務",
		Path:      "/signin/fido/",
		Next:      "/account/",
		ReturnURL: s.origin + "/signin/?lang=en",
		Modes:     []fido.Mode{fido.ModeQR, fido.ModeWeb, fido.ModePush, fido.ModeRedirect},
		Logger:    slog.New(slog.DiscardHandler),
	}
	for _, change := range changes {
		change(&cfg)
	}
	flow, err := fido.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return flow
}

func newAuthenticator(t *testing.T, world *lookalike.World, origin string) *signin.Authenticator {
	t.Helper()
	scheme, err := world.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { responders.Close() })
	v, err := verify.New(verify.Config{Scheme: scheme, Status: []verify.StatusSource{responders}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := signin.New(signin.Config{
		Verifier:                    v,
		Origins:                     []string{origin},
		Service:                     "test",
		Key:                         key,
		PairwiseKey:                 make([]byte, signin.MinPairwiseKey),
		LoginPath:                   "/signin/",
		Logger:                      slog.New(slog.DiscardHandler),
		InsecureUnlimitedChallenges: true, // a test opens more pages than a citizen
	})
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

func account(w http.ResponseWriter, r *http.Request) {
	hipki.Secure(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>account</title><main>signed in with %s`+
		`<form method="post" action="/signin/signout"><button>out</button></form></main></html>`,
		signin.SessionFrom(r.Context()).Assurance)
}

// shortOfTime is a page of a service's own, which leaves the citizen a second.
func shortOfTime(w http.ResponseWriter, r *http.Request, handler *hipki.Handler) {
	nonce := hipki.Secure(w.Header())
	form, err := handler.SignInForm(w, r, "/signin/")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	form.Life = time.Second
	head, headErr := form.Head(nonce)
	body, bodyErr := form.HTML()
	if err := errors.Join(headErr, bodyErr); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><html lang="en"><title>short</title>%s<main><h1>short</h1>%s</main></html>`, head, body)
}
