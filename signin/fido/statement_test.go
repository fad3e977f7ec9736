package fido_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

// request is one of the browser, with its cookies.
func (b *browser) request(w http.ResponseWriter, handle func(http.ResponseWriter, *http.Request)) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Host = taxHost
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	handle(w, r)
}

// signedIn returns a browser in which wang is signed in.
func (w *world) signedIn(t *testing.T) *browser {
	t.Helper()
	b := w.browser(t)
	a := b.start("qr", wangID)
	if err := w.wang.Approve(w.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	b.wantState(a, "done")
	return b
}

// statement has whoever scans the code sign a statement in wang's session.
func (w *world) statement(t *testing.T, b *browser, id string, phone *pkitest.Phone, remote signin.RemoteRequest) (signed *fido.Signed, err error) {
	t.Helper()
	var a *fido.Attempt
	b.request(httptest.NewRecorder(), func(rw http.ResponseWriter, r *http.Request) {
		if remote.Session, err = w.auth.Check(r); err != nil {
			t.Fatal(err)
		}
		if a, err = w.flow.Start(rw, r, fido.Start{Mode: fido.ModeQR, IDNumber: id, Remote: remote}); err != nil {
			t.Fatal(err)
		}
	})
	ask := func() {
		w.clock.Advance(fido.PollInterval)
		b.request(httptest.NewRecorder(), func(_ http.ResponseWriter, r *http.Request) {
			s, _ := w.auth.Check(r)
			signed, err = w.flow.StatementStatus(r, s, a.ID)
		})
	}
	if ask(); signed != nil || err != nil {
		t.Fatalf("got %v, %v, want neither", signed, err)
	}
	if err := phone.Approve(w.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	ask()
	return signed, err
}

// The phone signs consent and documents as well; a document can be verified from
// what was kept.
func TestStatement(t *testing.T) {
	document := []byte("測試申報書")
	for _, form := range []fido.SignatureForm{fido.PKCS1, fido.PKCS7} {
		w := newWorld(t, func(cfg *fido.Config) { cfg.Form = form; cfg.InsecureWithoutSignature = false })
		b := w.signedIn(t)
		for _, purpose := range []signin.Purpose{signin.Consent, signin.File} {
			got, err := w.statement(t, b, wangID, w.wang, signin.RemoteRequest{Purpose: purpose, Digest: sha256.Sum256(document)})
			if err != nil {
				t.Fatal(err)
			}
			l, err := signin.ParseLine(got.Line)
			if err != nil || l.Purpose != purpose || l.Digest != sha256.Sum256(document) {
				t.Errorf("got line %s, %v", got.Line, err)
			}
			if purpose == signin.Consent {
				continue
			}
			cert := got.Certificate
			if form == fido.PKCS7 {
				cert = nil // it is inside
			}
			opts := &verify.StatementOptions{Host: taxHost, Service: "efiling"}
			res, err := w.verifier(t, verify.Custom).Statement(t.Context(), got.Line, got.Signature, cert, bytes.NewReader(document), opts)
			if err != nil || !isWang(w)(res.Signers[0].Identity) {
				t.Errorf("%s: the filing is refused: %v", form, err)
			}
		}
	}
}

func wantReason(t *testing.T, err error, want signin.Reason) {
	t.Helper()
	if e, ok := errors.AsType[*signin.Error](err); !ok || e.Reason != want {
		t.Errorf("got %v, want reason %s", err, want)
	}
}

// A statement is that of the person who is signed in.
func TestStatementOfAnother(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn(t)
	remote := signin.RemoteRequest{Purpose: signin.Consent, Digest: sha256.Sum256([]byte("同意"))}
	_, err := w.statement(t, b, linID, w.lin, remote)
	wantReason(t, err, signin.ReasonOtherHolder)

	// Consent cannot end in a session, nor signing in in consent.
	a := b.start("qr", wangID)
	if err := w.wang.Approve(w.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(fido.PollInterval)
	b.request(httptest.NewRecorder(), func(_ http.ResponseWriter, r *http.Request) {
		s, _ := w.auth.Check(r)
		_, err := w.flow.StatementStatus(r, s, a.Attempt)
		wantReason(t, err, signin.Reason(verify.ReasonPurpose))
	})
}

// A service that keeps evidence is given each answer, and may refuse it.
func TestOnAnswer(t *testing.T) {
	var confirmed []string
	var refusal error
	w := newWorld(t, func(cfg *fido.Config) {
		cfg.OnAnswer = func(_ context.Context, a *fido.Answer) error {
			confirmed = append(confirmed, a.HashedID)
			return refusal
		}
	})
	w.signedIn(t)
	if len(confirmed) != 1 || confirmed[0] != pkitest.FidoHash(wangID) {
		t.Errorf("got %v", confirmed)
	}
	refusal = errors.New("not a customer")
	b, a := w.approved(t, pkitest.FidoScript{})
	b.refused(b.status(a), signin.CodeRefused)
}
