package fido_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

// What was signed while a status cannot be learned is handed on to be judged later,
// and nothing else of what is not good.
func TestStatementUndecided(t *testing.T) {
	var refusal error
	w := newWorld(t, func(cfg *fido.Config) {
		cfg.OnAnswer = func(context.Context, *fido.Answer) error { return refusal }
	})
	b := w.signedIn(t)
	handed := map[string]*fido.Signed{}
	to := func(path string) func(*http.Request, *signin.Session, *fido.Signed) (string, error) {
		return func(_ *http.Request, _ *signin.Session, signed *fido.Signed) (string, error) {
			handed[path] = signed
			return path, nil
		}
	}
	keeps := fido.Statement{
		Purpose: signin.File,
		Document: func(r *http.Request, _ *signin.Session) ([sha256.Size]byte, string, error) {
			return sha256.Sum256([]byte(r.PathValue("number"))), "", nil
		},
		Done:      to("/done"),
		Undecided: to("/undecided"),
	}
	loses := keeps
	loses.Undecided = nil
	mux := http.NewServeMux()
	mux.Handle("/keeps/{number}/{call}", w.flow.StatementHandler(keeps))
	mux.Handle("/loses/{number}/{call}", w.flow.StatementHandler(loses))
	w.site = mux

	for _, test := range []struct {
		name          string
		page, asks    string // that begins, and that asks for the result
		down, revoked bool
		refusal       error // of the service
		next          string
		code          signin.Code
	}{
		{name: "good", page: "/keeps/1", asks: "/keeps/1", next: "/done"},
		{name: "status unavailable", page: "/keeps/1", asks: "/keeps/1", down: true, next: "/undecided"},
		{name: "status unavailable, for another page", page: "/keeps/1", asks: "/keeps/2", down: true, code: signin.CodeTextChanged},
		{name: "status unavailable, and nobody to keep it", page: "/loses/1", asks: "/loses/1", down: true, code: signin.CodeUnavailable},
		{name: "revoked", page: "/keeps/1", asks: "/keeps/1", revoked: true, code: signin.CodeRevoked},
		{name: "refused by the service, for another status", page: "/keeps/1", asks: "/keeps/1",
			refusal: &verify.Error{Reason: verify.ReasonStatusUnavailable}, code: signin.CodeRefused},
	} {
		t.Run(test.name, func(t *testing.T) {
			clear(handed)
			refusal = test.refusal
			card, err := w.G3.IssueMobile(w.wang.Card.Person) // about which nobody has been asked
			if err != nil {
				t.Fatal(err)
			}
			w.wang.Card = card
			if test.revoked {
				card.Issuer.Revoke(card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
			}
			if test.down {
				responder := card.Issuer.URLs.OCSP
				w.Script(responder, http.NotFoundHandler())
				defer w.Script(responder, nil)
			}
			var a attempt
			rec := b.do("POST", test.page+"/start", map[string]string{"mode": "qr", "idNumber": wangID})
			if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			if err := w.wang.Approve(w.lastTicket(t)); err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(fido.PollInterval)
			rec = b.do("POST", test.asks+"/status", map[string]string{"attempt": a.Attempt})
			var got struct {
				Next string
				Code signin.Code
			}
			json.Unmarshal(rec.Body.Bytes(), &got)
			if got.Next != test.next || got.Code != test.code {
				t.Errorf("got %s, want next %q or code %q", rec.Body, test.next, test.code)
			}
			if test.code != "" && len(handed) > 0 {
				t.Errorf("handed on: %v", handed)
			}
			if signed := handed["/undecided"]; signed != nil {
				w.wantLater(t, signed, test.page[len("/keeps/"):])
			}
		})
	}
}

// wantLater verifies what was undecided when its responder answers again.
func (w *world) wantLater(t *testing.T, signed *fido.Signed, document string) {
	t.Helper()
	if signed.Result != nil {
		t.Error("what is undecided has a result")
	}
	received := w.clock.Now()
	w.Script(w.wang.Card.Issuer.URLs.OCSP, nil)
	w.clock.Advance(time.Minute)
	opts := &verify.StatementOptions{Host: taxHost, Service: "efiling", Options: verify.Options{ReceivedAt: received}}
	res, err := w.verifier(t, verify.Custom).Statement(t.Context(), signed.Line, signed.Signature, signed.Certificate, strings.NewReader(document), opts)
	if err != nil || !isWang(w)(res.Signers[0].Identity) {
		t.Errorf("judged later: %v", err)
	}
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
