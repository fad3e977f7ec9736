package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// A service lets in who has signed in with a card. In this example the PKI is
// the look-alike and the site is on this machine; for the real one see
// moica.Production, and an origin such as https://tax.example.gov.tw.
func Example() {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	server := httptest.NewUnstartedServer(nil)
	defer server.Close()

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	pairwiseKey := make([]byte, signin.MinPairwiseKey)
	rand.Read(pairwiseKey)
	verifier, err := verifierOf(pki, time.Now)
	if err != nil {
		log.Fatal(err)
	}
	auth, err := signin.New(signin.Config{
		Verifier:    verifier,
		Origins:     []string{"http://" + server.Listener.Addr().String()},
		Service:     "efiling",
		Key:         key,
		PairwiseKey: pairwiseKey,
	})
	if err != nil {
		log.Fatal(err)
	}
	account := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := signin.SessionFrom(r.Context())
		fmt.Fprintf(w, "signed in with %s", session.Assurance)
	})
	mux := http.NewServeMux()
	mux.Handle("/signin/", http.StripPrefix("/signin", auth.LoginHandler()))
	mux.Handle("/account", auth.Handler(account))
	server.Config.Handler = mux
	server.Start()

	card, err := pki.G3.IssueCard(pkitest.Person{Name: "王測試"})
	if err != nil {
		log.Fatal(err)
	}
	browser := newClient(server.URL)
	show(browser.Get(server.URL + "/account"))
	show(browser.signIn(card, signin.PKCS1))
	show(browser.Get(server.URL + "/account"))
	// Output:
	// 401 Unauthorized
	// 200 OK
	// 200 OK signed in with urn:citizencert:card
}

// A service asks for consent to a text, from citizens who have signed in with a
// card within the hour.
func ExampleAuthenticator_BeginConsent() {
	var auth *signin.Authenticator // as New returns it
	const text = "我同意申請戶籍謄本一份。"

	ask := func(w http.ResponseWriter, r *http.Request) {
		challenge, err := auth.BeginConsent(w, r, signin.SessionFrom(r.Context()), signin.PKCS7, text)
		if err != nil {
			http.Error(w, "", http.StatusServiceUnavailable) // see Error.Problem
			return
		}
		json.NewEncoder(w).Encode(challenge)
	}
	agreed := func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Challenge string
			Answer    *signin.Answer
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&body); err != nil {
			http.Error(w, "", http.StatusBadRequest)
			return
		}
		consent, err := auth.FinishConsent(r, signin.SessionFrom(r.Context()), body.Challenge, body.Answer, text)
		if err != nil {
			http.Error(w, "", http.StatusForbidden)
			return
		}
		log.Print("consent given: ", consent.Line) // to be kept with Text, Signature and Result.Evidence
	}
	step := signin.Requirement{MaxAge: time.Hour, Assurance: []signin.Assurance{signin.AssuranceCard}}
	http.Handle("POST /transcript/consent", auth.Require(step, http.HandlerFunc(ask)))
	http.Handle("POST /transcript", auth.Require(step, http.HandlerFunc(agreed)))
}

// show prints the status, and the body if it is text.
func show(res *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	if res.Header.Get("Content-Type") == "text/plain; charset=utf-8" {
		fmt.Println(res.Status, string(body))
	} else {
		fmt.Println(res.Status)
	}
}

// verifierOf trusts a look-alike PKI and asks its responder for the status of
// certificates.
func verifierOf(pki *pkitest.PKI, now func() time.Time) (*verify.Verifier, error) {
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		return nil, err
	}
	ocsp, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}, Now: now})
	if err != nil {
		return nil, err
	}
	return verify.New(verify.Config{
		Scheme: moica.Test(anchors, "127.0.0.1"),
		Status: []verify.StatusSource{ocsp},
		Clock:  now,
	})
}
