package signin_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

// A client is a browser over the wire, with a cookie jar.
type client struct {
	*http.Client
	url string
}

func newClient(url string) *client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // never happens without options
	}
	return &client{&http.Client{Jar: jar}, url}
}

func (c *client) post(path string, body any) (*http.Response, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest("POST", c.url+path, bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", c.url)
	return c.Do(r)
}

// signIn does what page and component do together.
func (c *client) signIn(card *pkitest.Card, kind signin.SignatureType) (*http.Response, error) {
	res, err := c.post("/signin/challenge", map[string]any{"signatureType": kind})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var challenge signin.Challenge
	if err := json.NewDecoder(res.Body).Decode(&challenge); err != nil {
		return nil, fmt.Errorf("%s: %w", res.Status, err)
	}
	tbs := []byte(challenge.Request.TBS)
	sign := func() ([]byte, error) { return card.SignPKCS1(tbs) }
	if kind == signin.PKCS7 {
		sign = func() ([]byte, error) { return card.SignPKCS7(tbs, nil) }
	}
	signature, err := sign()
	if err != nil {
		return nil, err
	}
	return c.post("/signin/finish", map[string]any{
		"challenge": challenge.ID,
		"answer": map[string]any{
			"func": "sign", "ret_code": 0, "last_error": 0,
			"signature": base64.StdEncoding.EncodeToString(signature),
			"certb64":   base64.StdEncoding.EncodeToString(card.Cert.Raw),
		},
	})
}

// The whole way over HTTP, with a responder that is asked for the status.
func TestOverHTTP(t *testing.T) {
	clock := pkitest.NewClock(noon())
	pki := testbed.New(t, clock.Now)
	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := verifierOf(pki, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	defer server.Close()
	auth, err := signin.New(signin.Config{
		Verifier:    verifier,
		Origins:     []string{"http://" + server.Listener.Addr().String()},
		Service:     "efiling",
		Key:         testbed.Key(t),
		PairwiseKey: make([]byte, signin.MinPairwiseKey),
		Now:         clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", http.StripPrefix("/signin", auth.LoginHandler()))
	mux.Handle("/account", auth.Handler(http.NotFoundHandler()))
	server.Config.Handler = mux
	server.Start()

	browser := newClient(server.URL)
	want := func(what string, res *http.Response, err error, status int) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("%s: got %s, want %d", what, res.Status, status)
		}
	}
	for _, kind := range bothKinds {
		res, err := browser.signIn(card, kind)
		want("signing in", res, err, http.StatusOK)
		res, err = browser.Get(server.URL + "/account")
		want("account", res, err, http.StatusNotFound) // the handler behind the check
		res, err = browser.post("/signin/logout", nil)
		want("logging out", res, err, http.StatusNoContent)
		res, err = browser.Get(server.URL + "/account")
		want("account after logging out", res, err, http.StatusUnauthorized)
	}

	pki.G3.MOICA.Revoke(card.Cert, clock.Now(), 1)
	clock.Advance(time.Hour) // past what was learned before
	res, err := browser.signIn(card, signin.PKCS1)
	want("signing in with a revoked card", res, err, http.StatusForbidden)
}
