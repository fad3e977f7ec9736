// Quickstart is the least that a service needs: citizens sign in with card or phone and
// sign a document, and the signature is verified. It is one file and imports nothing of
// the examples, so that it can be copied into a module of its own. What a desk lacks is
// a look-alike: the type desk says what a service that goes live has in its place.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/signin/hipki"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	origin := "http://" + l.Addr().String()
	site, d, err := start(origin)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("open   %s\ncard   the PIN is %s\nphone  the number is %s; approve at %s/phone\n", origin, pkitest.TestPIN, idNumber, d.moi.URL())
	server := &http.Server{Handler: site, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
	log.Fatal(server.Serve(l))
}

// start puts the service together, for as long as the process runs.
func start(origin string) (http.Handler, *desk, error) {
	d, err := newDesk()
	if err != nil {
		return nil, nil, err
	}
	scheme, err := d.scheme()
	if err != nil {
		return nil, nil, err
	}
	v, err := newVerifier(scheme)
	if err != nil {
		return nil, nil, err
	}
	client, err := d.client()
	if err != nil {
		return nil, nil, err
	}
	site, err := newSite(origin, v, client, d.component.Origin)
	return site, d, err
}

// newVerifier asks responders first, and then lists. It is made once and kept.
func newVerifier(scheme verify.Scheme) (*verify.Verifier, error) {
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		return nil, err
	}
	lists, err := crl.New(crl.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		return nil, err
	}
	return verify.New(verify.Config{Scheme: scheme, Status: []verify.StatusSource{responders, lists}})
}

// A service is what its handlers need.
type service struct {
	verifier *verify.Verifier
	auth     *signin.Authenticator
	card     *hipki.Handler
}

// newSite has citizens sign in under /signin/, with card or phone, and file under /.
// component is where the card reader component is; a service that goes live leaves it
// out.
func newSite(origin string, v *verify.Verifier, client *fido.Client, component string) (http.Handler, error) {
	// Both keys are kept where a service keeps its secrets: the second names citizens to
	// it, and never changes.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	pairwiseKey := make([]byte, signin.MinPairwiseKey)
	rand.Read(pairwiseKey)
	s := &service{verifier: v}
	s.auth, err = signin.New(signin.Config{
		Verifier: v, Origins: []string{origin}, Service: "quickstart", Key: key, PairwiseKey: pairwiseKey,
	})
	if err != nil {
		return nil, err
	}
	phone, err := fido.New(fido.Config{
		Auth: s.auth, Client: client, Hint: "登入測試服務", Path: "/signin/fido/", ReturnURL: origin + "/signin/",
	})
	if err != nil {
		return nil, err
	}
	s.card, err = hipki.New(hipki.Config{
		Auth: s.auth, Name: signin.Text{ZhTW: "測試服務", En: "Test service"}, Component: component, Beside: phone.Section,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/signin/", s.card)
	mux.Handle("/signin/fido/", http.StripPrefix("/signin/fido", phone.Handler()))
	mux.Handle("GET /{$}", s.auth.Handler(http.HandlerFunc(s.show)))
	mux.Handle("POST /{$}", s.auth.Handler(http.HandlerFunc(s.file)))
	return mux, nil
}

// document is what citizens sign here. That of a real service is the citizen's own, and
// is kept between show and file.
const document = "測試申報書：應納稅額 0 元。Test filing: nothing to pay.\n"

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Form.Language}}"><head><meta charset="utf-8"><title>測試服務 Test service</title>{{.Head}}</head>
<body><pre>{{.Document}}</pre>{{.Form.HTML}}</body></html>`))

// show asks the citizen who is signed in for a signature over the document.
func (s *service) show(w http.ResponseWriter, r *http.Request) {
	nonce := hipki.Secure(w.Header())
	form, err := s.card.DocumentForm(r, "/", []byte(document))
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	head, err := form.Head(nonce)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	page.Execute(w, struct {
		Head     template.HTML
		Form     *hipki.Form
		Document string
	}{head, form, document}) // an error means that the browser has gone
}

// file verifies what the card has signed.
func (s *service) file(w http.ResponseWriter, r *http.Request) {
	signature, err := s.card.FinishDocument(w, r)
	if err != nil {
		p := hipki.Tell(err)
		http.Error(w, p.Message.ZhTW+"\n"+p.Message.En, p.Status)
		return
	}
	res, err := s.verifier.Detached(r.Context(), signature, bytes.NewReader([]byte(document)), nil)
	if e, ok := errors.AsType[*verify.Error](err); ok {
		http.Error(w, fmt.Sprintf("refused: %s, trying again may help: %t", e.Reason, e.Retryable()), http.StatusForbidden)
		return
	}
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	// A filing is that of who is signed in, and of nobody else.
	signer := res.Signers[0]
	if s.auth.Subject(signer.Identity) != signin.SessionFrom(r.Context()).Subject {
		http.Error(w, "refused: signed by somebody else", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "filed by %s, and verified\n", signer.Identity.Name)
}

// idNumber is that of an invented citizen. Its check digit is wrong.
const idNumber = "A100000009"

// A desk is what lies outside a service, played by package pkitest: a national PKI, the
// card of an invented citizen in a reader, and a phone.
type desk struct {
	pki       *pkitest.PKI
	component *pkitest.Component
	moi       *pkitest.Fido
	phone     *pkitest.Phone
}

func newDesk() (*desk, error) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		return nil, err
	}
	citizen := pkitest.Person{Name: "王測試", LastFour: idNumber[6:]}
	card, err := pki.G3.IssueCard(citizen)
	if err != nil {
		return nil, err
	}
	component, err := pkitest.StartComponent(pkitest.ComponentConfig{Cards: []pkitest.ReaderCard{{Card: card, Label: citizen.Name}}})
	if err != nil {
		return nil, err
	}
	certificate, err := pki.G3.IssueMobile(citizen)
	if err != nil {
		return nil, err
	}
	moi := pki.NewFido(pkitest.FidoConfig{})
	return &desk{pki, component, moi, moi.Enroll(idNumber, certificate)}, nil
}

// scheme is moica.Production with the anchors of moica.LoadAnchors when a service goes
// live.
func (d *desk) scheme() (verify.Scheme, error) {
	anchors, err := moica.LoadTestAnchors(d.pki.FS(), d.pki.Pins()...)
	if err != nil {
		return verify.Scheme{}, err
	}
	return moica.Test(anchors, "127.0.0.1"), nil
}

// client is fido.NewProduction, with what the Ministry of the Interior has given the
// service, when it goes live.
func (d *desk) client() (*fido.Client, error) {
	key, err := fido.ParseKey(d.moi.KeyText())
	if err != nil {
		return nil, err
	}
	return fido.NewTest(fido.ClientConfig{ServiceID: d.moi.ServiceID(), Key: key, API: d.moi.URL(), Web: d.moi.URL()})
}
