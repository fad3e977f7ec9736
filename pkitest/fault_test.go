package pkitest_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/pkitest"
)

// exchange asks the responder of a CA about a certificate as a careless client does,
// and hangs up when its patience is at an end.
func exchange(t *testing.T, ca *pkitest.CA, cert *x509.Certificate, patience time.Duration) (int, []byte, error) {
	t.Helper()
	question, err := ocsp.CreateRequest(cert, ca.Cert, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ca.URLs.OCSP, bytes.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, body, err
}

// Each fault is what it says, of a citizen who has been revoked.
func TestFaults(t *testing.T) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pki.Close()
	ca := pki.G3.MOICA
	card, err := pki.G3.IssueCard(pkitest.Person{})
	if err != nil {
		t.Fatal(err)
	}
	ca.Revoke(card.Cert, time.Now().Add(-time.Minute), pkitest.ReasonKeyCompromise)

	for _, f := range append(pkitest.Faults(), "") {
		if err := ca.InjectOCSP(f); err != nil {
			t.Fatal(err)
		}
		if err := ca.InjectCRL(f); err != nil {
			t.Fatal(err)
		}
		patience := time.Minute
		if f == pkitest.FaultSlow {
			patience = time.Second
		}
		status, body, err := exchange(t, ca, card.Cert, patience)
		switch f {
		case pkitest.FaultSlow, pkitest.FaultCut, pkitest.FaultTruncated:
			if err == nil {
				t.Errorf("%s: got HTTP status %d and %d bytes, want an error", f, status, len(body))
			}
			continue
		case pkitest.FaultRedirect:
			if status != http.StatusTemporaryRedirect {
				t.Errorf("%s: got HTTP status %d", f, status)
			}
			continue
		case pkitest.FaultError, pkitest.FaultFlapping:
			if status != http.StatusInternalServerError {
				t.Errorf("%s: got HTTP status %d", f, status)
			}
			if status, _, err = exchange(t, ca, card.Cert, patience); (status == http.StatusOK) != (f == pkitest.FaultFlapping) || err != nil {
				t.Errorf("%s, again: got HTTP status %d, %v", f, status, err)
			}
			continue
		case pkitest.FaultOversize:
			if err != nil || len(body) != 1<<20 {
				t.Errorf("%s: got %d bytes, %v, want as many as were read", f, len(body), err)
			}
			continue
		}
		resp, err := ocsp.ParseResponse(body, nil)
		refused := f == pkitest.FaultGarbage || f == pkitest.FaultTryLater
		switch {
		case refused != (err != nil):
			t.Errorf("%s: got error %v, want one: %v", f, err, refused)
		case refused:
		case f == "" && resp.Status != ocsp.Revoked:
			t.Errorf("no fault: got status %d, want revoked", resp.Status)
		case f != "" && resp.Status != ocsp.Good:
			t.Errorf("%s: got status %d, want good", f, resp.Status)
		}
	}
	if err := ca.InjectOCSP("unheard of"); err == nil {
		t.Error("unknown fault: got no error")
	}
	if err := ca.InjectCRL("unheard of"); err == nil {
		t.Error("unknown fault: got no error")
	}
}
