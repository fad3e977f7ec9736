package fido_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// A citizen signs in by scanning a QR code. In this example PKI, phone and MOI are
// look-alikes and the site is on this machine; for the real ones see NewProduction
// and moica.Production.
func Example() {
	clock := pkitest.NewClock(time.Now())
	pki, err := pkitest.New(pkitest.Config{Now: clock.Now})
	if err != nil {
		log.Fatal(err)
	}
	defer pki.Close()
	moi := pki.NewFido(pkitest.FidoConfig{})
	certificate, err := pki.G3.IssueMobile(pkitest.Person{Name: "王測試", LastFour: "6780"})
	if err != nil {
		log.Fatal(err)
	}
	phone := moi.Enroll("A123456780", certificate)

	server := httptest.NewUnstartedServer(nil)
	defer server.Close()
	flow, err := newFlow(pki, moi, clock.Now, "http://"+server.Listener.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/fido/", http.StripPrefix("/signin/fido", flow.Handler()))
	server.Config.Handler = mux
	server.Start()

	// What fido.js does: begin, show the code, ask until the citizen is done.
	jar, err := cookiejar.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	page := page{server.URL + "/signin/fido", &http.Client{Jar: jar}}
	attempt := page.post("/start", map[string]string{"mode": "qr", "idNumber": "A123456780"})
	question := map[string]string{"attempt": attempt["attempt"].(string)}
	fmt.Println(page.post("/status", question)["state"])
	if err := phone.Approve(moi.Tickets()[0]); err != nil { // scans the code
		log.Fatal(err)
	}
	clock.Advance(fido.PollInterval)
	done := page.post("/status", question)
	fmt.Println(done["state"], done["assurance"])
	// Output:
	// pending
	// done urn:citizencert:mobile
}

// newFlow puts together what a service needs.
func newFlow(pki *pkitest.PKI, moi *pkitest.Fido, now func() time.Time, origin string) (*fido.Flow, error) {
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		return nil, err
	}
	responder, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"127.0.0.1"}, Now: now})
	if err != nil {
		return nil, err
	}
	verifier, err := verify.New(verify.Config{Scheme: moica.Test(anchors), Status: []verify.StatusSource{responder}, Clock: now})
	if err != nil {
		return nil, err
	}
	sessionKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	pairwiseKey := make([]byte, signin.MinPairwiseKey)
	rand.Read(pairwiseKey)
	auth, err := signin.New(signin.Config{
		Verifier:    verifier,
		Origins:     []string{origin},
		Service:     "efiling",
		Key:         sessionKey,
		PairwiseKey: pairwiseKey,
		Now:         now,
	})
	if err != nil {
		return nil, err
	}
	key, err := fido.ParseKey(moi.KeyText())
	if err != nil {
		return nil, err
	}
	client, err := fido.NewTest(fido.ClientConfig{ServiceID: moi.ServiceID(), Key: key, API: moi.URL(), Web: moi.URL(), Now: now})
	if err != nil {
		return nil, err
	}
	return fido.New(fido.Config{Auth: auth, Client: client, Hint: "登入綜合所得稅申報", Now: now})
}

// A page posts JSON as a browser does.
type page struct {
	base   string
	client *http.Client
}

func (p page) post(path string, body any) map[string]any {
	encoded, err := json.Marshal(body)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := p.client.Post(p.base+path, "application/json", bytes.NewReader(encoded))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		log.Fatal(err)
	}
	return answer
}
