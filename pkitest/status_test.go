package pkitest_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/pkitest"
)

func fetch(t *testing.T, method, address string, body []byte) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, got
}

func fetchCRL(t *testing.T, address string) *x509.RevocationList {
	t.Helper()
	_, der := fetch(t, http.MethodGet, address, nil)
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func askOCSP(t *testing.T, cert *x509.Certificate, issuer *pkitest.CA) *ocsp.Response {
	t.Helper()
	request, err := ocsp.CreateRequest(cert, issuer.Cert, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, der := fetch(t, http.MethodPost, issuer.URLs.OCSP, request)
	response, err := ocsp.ParseResponseForCert(der, cert, issuer.Cert)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// Both ways of asking agree, at every step of a certificate's life.
func TestLifeOfACertificate(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	for _, g := range []*pkitest.Generation{pki.G2, pki.G3} {
		card := newCard(t, g)
		check := func(step string, status, reason int) {
			t.Helper()
			got := askOCSP(t, card.Cert, g.MOICA)
			if got.Status != status || got.RevocationReason != reason {
				t.Errorf("%s %s: OCSP got status %d reason %d, want %d, %d", g.Name, step, got.Status, got.RevocationReason, status, reason)
			}
			for _, address := range []string{g.MOICA.URLs.CRL, g.MOICA.URLs.Partition} {
				list := fetchCRL(t, address)
				if err := list.CheckSignatureFrom(g.MOICA.Cert); err != nil {
					t.Errorf("%s %s: %v", g.Name, step, err)
				}
				listed := len(list.RevokedCertificateEntries) == 1
				if listed != (status == ocsp.Revoked) || listed && list.RevokedCertificateEntries[0].ReasonCode != reason {
					t.Errorf("%s %s: got CRL entries %v, want reason %d", g.Name, step, list.RevokedCertificateEntries, reason)
				}
			}
		}
		check("issued", ocsp.Good, 0)
		g.MOICA.Suspend(card.Cert, clock.Now().Add(time.Hour))
		check("to be suspended", ocsp.Good, 0)
		clock.Advance(time.Hour)
		check("suspended", ocsp.Revoked, pkitest.ReasonCertificateHold)
		g.MOICA.Resume(card.Cert)
		check("resumed", ocsp.Good, 0)
		g.MOICA.Revoke(card.Cert, clock.Now(), pkitest.ReasonKeyCompromise)
		g.MOICA.Resume(card.Cert)
		check("revoked", ocsp.Revoked, pkitest.ReasonKeyCompromise)
	}
}

func TestRootsAnswerForMOICA(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	for _, g := range []*pkitest.Generation{pki.G2, pki.G3} {
		if got := askOCSP(t, g.MOICA.Cert, g.Root).Status; got != ocsp.Good {
			t.Errorf("%s: got status %d, want good", g.Name, got)
		}
		g.Root.Revoke(g.MOICA.Cert, clock.Now(), pkitest.ReasonCACompromise)
		list := fetchCRL(t, g.MOICA.Cert.CRLDistributionPoints[0])
		if err := list.CheckSignatureFrom(g.Root.Cert); err != nil {
			t.Error(err)
		}
		if got := len(list.RevokedCertificateEntries); got != 1 {
			t.Errorf("%s: got %d entries, want 1", g.Name, got)
		}
	}
}

func TestOCSPResponder(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	card := newCard(t, pki.G3)
	got := askOCSP(t, card.Cert, pki.G3.MOICA)
	responder := got.Certificate
	if responder == nil {
		t.Fatal("no delegated responder's certificate")
	}
	if err := responder.CheckSignatureFrom(pki.G3.MOICA.Cert); err != nil {
		t.Error(err)
	}
	if len(responder.ExtKeyUsage) != 1 || responder.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning {
		t.Errorf("got extended key usage %v, want OCSP signing", responder.ExtKeyUsage)
	}
	if !got.ThisUpdate.Equal(clock.Now()) || !got.NextUpdate.Equal(clock.Now().Add(12*time.Hour)) {
		t.Errorf("got %v to %v, want 12 hours from %v", got.ThisUpdate, got.NextUpdate, clock.Now())
	}

	// The responder's life is short; years later there is another.
	clock.Advance(2 * 365 * 24 * time.Hour)
	later := askOCSP(t, card.Cert, pki.G3.MOICA)
	if at := clock.Now(); at.Before(later.Certificate.NotBefore) || at.After(later.Certificate.NotAfter) {
		t.Errorf("got responder valid %v to %v at %v", later.Certificate.NotBefore, later.Certificate.NotAfter, at)
	}
}

func TestOCSPByGet(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	moica := pki.G2.MOICA
	// Enough requests that their base64 has slashes in it, two in a row too.
	for range 16 {
		cert := issue(t, moica, pkitest.Template{KeyAlgorithm: x509.Ed25519}).Cert
		request, err := ocsp.CreateRequest(cert, moica.Cert, &ocsp.RequestOptions{Hash: crypto.SHA256})
		if err != nil {
			t.Fatal(err)
		}
		text := base64.StdEncoding.EncodeToString(request)
		for _, address := range []string{url.PathEscape(text), text} {
			_, der := fetch(t, http.MethodGet, moica.URLs.OCSP+"/"+address, nil)
			if response, err := ocsp.ParseResponseForCert(der, cert, moica.Cert); err != nil || response.Status != ocsp.Good {
				t.Errorf("got %v, %v, want good", response, err)
			}
		}
	}
	if got := pki.Requests(moica.URLs.OCSP); got != 32 {
		t.Errorf("got %d requests counted, want 32", got)
	}
}

func TestOCSPForAnotherIssuer(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G2)
	request, err := ocsp.CreateRequest(card.Cert, pki.G2.MOICA.Cert, nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pki.G3.MOICA.OCSP(nil, pkitest.OCSPOptions{Request: request})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(der, ocsp.UnauthorizedErrorResponse) {
		t.Errorf("got %x, want unauthorized", der)
	}
}

// A number of a CRL never stands for two contents, and grows.
func TestCRLEditions(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	moica := pki.G3.MOICA
	get := func() (number int64, der []byte) {
		t.Helper()
		list := fetchCRL(t, moica.URLs.CRL)
		return list.Number.Int64(), list.Raw
	}
	first, firstDER := get()
	if want := int64(2026030209); first != want { // 01:30 in London is 09:30 in Taipei
		t.Errorf("got number %d, want %d", first, want)
	}
	clock.Advance(time.Minute)
	if n, der := get(); n != first || !bytes.Equal(der, firstDER) {
		t.Errorf("got another list within the hour, number %d", n)
	}
	moica.Revoke(newCard(t, pki.G3).Cert, clock.Now(), pkitest.ReasonSuperseded)
	second, _ := get()
	if second <= first {
		t.Errorf("got number %d after a change, want more than %d", second, first)
	}
	clock.Advance(time.Hour)
	if third, _ := get(); third <= second {
		t.Errorf("got number %d an hour later, want more than %d", third, second)
	}
}

func TestCRLNotModified(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	address := pki.G3.MOICA.URLs.Partition
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("If-None-Match", res.Header.Get("ETag"))
	res, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotModified {
		t.Errorf("got %s, want 304", res.Status)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	address := pki.G3.MOICA.URLs.CRL
	pki.Script(address, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
	}))
	if status, _ := fetch(t, http.MethodGet, address, nil); status != http.StatusServiceUnavailable {
		t.Errorf("got %d, want 503", status)
	}
	pki.Script(address, nil)
	fetchCRL(t, address)
	if got := pki.Requests(address); got != 2 {
		t.Errorf("got %d requests, want 2", got)
	}
	if status, _ := fetch(t, http.MethodGet, pki.URL()+"/nothing", nil); status != http.StatusNotFound {
		t.Errorf("got %d, want 404", status)
	}
}
