package fido_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

const (
	taxHost       = "tax.example.gov.tw"
	returnURL     = "https://tax.example.gov.tw/login"
	sessionCookie = "__Host-efiling-session"

	// Two invented people. The check digits are wrong.
	wangID, linID = "A123456780", "B223456780"
)

// A world is a look-alike PKI with a look-alike TW FidO, two citizens with phones,
// and a service that signs citizens in under /signin/fido.
type world struct {
	*pkitest.PKI
	clock     *pkitest.Clock
	fido      *pkitest.Fido
	wang, lin *pkitest.Phone
	log       *records
	store     *signin.MemoryStore
	sources   []verify.StatusSource
	auth      *signin.Authenticator
	authCfg   signin.Config
	flowCfg   fido.Config
	flow      *fido.Flow
	client    *fido.Client
	site      http.Handler
	results   []*verify.Result // given to OnSignIn
}

func newWorld(t testing.TB, changes ...func(*fido.Config)) *world {
	t.Helper()
	clock := pkitest.NewClock(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
	w := &world{PKI: testbed.New(t, clock.Now), clock: clock, log: &records{}, store: &signin.MemoryStore{Now: clock.Now}}
	w.fido = w.NewFido(pkitest.FidoConfig{Callback: "https://tax.example.gov.tw/signin/fido/callback"})
	w.wang = w.enroll(t, wangID, "王測試")
	w.lin = w.enroll(t, linID, "林測試")
	ocsp, err := ocspclient.New(ocspclient.Config{
		AllowedHosts: []string{"127.0.0.1"}, Now: clock.Now,
		HoldFailures: -1, // a responder that answers again is asked at once
	})
	if err != nil {
		t.Fatal(err)
	}
	w.sources = []verify.StatusSource{ocsp}
	logger := slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.authCfg = signin.Config{
		Verifier:    w.verifier(t, verify.Custom),
		Origins:     []string{"https://" + taxHost},
		Service:     "efiling",
		Key:         testbed.Key(t),
		PairwiseKey: bytes.Repeat([]byte{7}, signin.MinPairwiseKey),
		Challenges:  w.store,
		Sessions:    w.store,
		Logger:      logger,
		Now:         clock.Now,
		OnSignIn: func(_ context.Context, res *verify.Result, _ *signin.Session) error {
			w.results = append(w.results, res)
			return nil
		},
	}
	w.client = w.newClient(t, nil)
	w.flowCfg = fido.Config{Client: w.client, Hint: "登入綜合所得稅申報", ReturnURL: returnURL, Modes: allModes, Logger: logger, Now: clock.Now}
	for _, change := range changes {
		change(&w.flowCfg)
	}
	w.restart(t)
	return w
}

// restart runs the service anew: nothing is left of it but the store.
func (w *world) restart(t testing.TB) {
	t.Helper()
	var err error
	if w.auth, err = signin.New(w.authCfg); err != nil {
		t.Fatal(err)
	}
	w.flowCfg.Auth = w.auth
	if w.flow, err = fido.New(w.flowCfg); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/fido/", http.StripPrefix("/signin/fido", w.flow.Handler()))
	mux.Handle("/account", w.auth.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s := signin.SessionFrom(r.Context())
		io.WriteString(rw, s.Subject+" "+string(s.Assurance))
	})))
	w.site = mux
}

func (w *world) enroll(t testing.TB, id, name string) *pkitest.Phone {
	t.Helper()
	card, err := w.G3.IssueMobile(pkitest.Person{Name: name, LastFour: id[6:]})
	if err != nil {
		t.Fatal(err)
	}
	return w.fido.Enroll(id, card)
}

func (w *world) newClient(t testing.TB, httpClient *http.Client) *fido.Client {
	t.Helper()
	key, err := fido.ParseKey(w.fido.KeyText())
	if err != nil {
		t.Fatal(err)
	}
	client, err := fido.NewTest(fido.ClientConfig{
		ServiceID:  w.fido.ServiceID(),
		Key:        key,
		API:        w.fido.URL(),
		Web:        w.fido.URL(),
		HTTPClient: httpClient,
		Now:        w.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (w *world) verifier(t testing.TB, env verify.Environment) *verify.Verifier {
	t.Helper()
	scheme := testbed.Scheme(t, w.PKI)
	scheme.Environment = env
	v, err := verify.New(verify.Config{Scheme: scheme, Status: w.sources, Clock: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// records is what the operator sees.
type records struct{ testbed.Log }
