package fido_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

// Each way to reach the phone, in each form of signature, ends in a session of the
// holder of the phone's certificate.
func TestSignIn(t *testing.T) {
	for _, form := range []fido.SignatureForm{fido.PKCS1, fido.PKCS7, fido.Raw} {
		for _, mode := range []string{"qr", "app", "web", "push"} {
			t.Run(string(form)+" "+mode, func(t *testing.T) {
				w := newWorld(t, func(cfg *fido.Config) { cfg.Form = form })
				w.signIn(t, mode)
			})
		}
	}
	t.Run("PKCS#7 detached", func(t *testing.T) {
		w := newWorld(t, func(cfg *fido.Config) { cfg.Form = fido.PKCS7 })
		w.wang.PKCS7 = &pkitest.CMSOptions{Detached: true}
		w.signIn(t, "qr")
	})
	t.Run("PKCS#7 without a certificate beside it", func(t *testing.T) {
		w := newWorld(t, func(cfg *fido.Config) { cfg.Form = fido.PKCS7 })
		w.fido.Script(pkitest.FidoScript{Call: "getAthOrSignResult", Tamper: func(r map[string]any) { delete(r, "cert") }})
		w.signIn(t, "qr")
	})
}

// signIn runs a whole sign-in of wang, which must succeed.
func (w *world) signIn(t *testing.T, mode string) {
	t.Helper()
	b := w.browser(t)
	a := b.start(mode, wangID)
	b.wantState(a, "pending")
	code := w.lastTicket(t)
	switch mode {
	case "qr":
		if a.QR == nil || a.QR.Path == "" || a.Link != "" {
			t.Error("there is no QR code, or a link beside it")
		}
	case "app", "web":
		code = a.Link
		u, err := url.Parse(a.Link)
		if err != nil || u.Scheme != "mobilemoica" || u.Query().Get("sp_ticket") != w.lastTicket(t) {
			t.Errorf("got link %s", a.Link)
		}
	case "push":
		if waiting := w.wang.Waiting(); len(waiting) != 1 || a.Link != "" || a.QR != nil {
			t.Errorf("got %d messages on the phone", len(waiting))
		}
	}
	if err := w.wang.Approve(code); err != nil {
		t.Fatal(err)
	}
	b.wantState(a, "done")
	id := w.results[0].Signers[0].Identity
	if want := w.auth.Subject(id) + " urn:citizencert:mobile"; b.account() != want {
		t.Errorf("got session %q, want %q", b.account(), want)
	}
	if id.SerialNumber != w.wang.Card.Person.Number || id.Carrier != verify.Mobile {
		t.Errorf("got holder %s, carrier %s", id.SerialNumber, id.Carrier)
	}
	b.refusedAgain(a)
}

// refusedAgain checks that an attempt is used up.
func (b *browser) refusedAgain(a attempt) {
	b.t.Helper()
	if rec := b.status(a); !strings.Contains(rec.Body.String(), string(signin.CodeChallenge)) {
		b.t.Errorf("the attempt can be used again: got %d %s", rec.Code, rec.Body)
	}
}

// Signing in by way of MOI's site: the browser takes a form there, MOI posts the
// result, and the browser that began it gets the session.
func TestRedirect(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	a := b.start("redirect", "")
	if a.Form == nil || a.Form.Action != w.fido.URL()+"/fidoRedirect/web" || a.Form.Fields["id_num"] != "" {
		t.Fatalf("got form %+v", a.Form)
	}
	b.wantState(a, "pending")
	moi := w.browser(t) // whoever posts the callback has none of our cookies
	moi.header.Set("Sec-Fetch-Site", "cross-site")
	rec := moi.do("POST", "/signin/fido/callback", w.webResult(t, a, wangID, true))
	if rec.Code != 303 || rec.Header().Get("Location") != returnURL || len(rec.Result().Cookies()) != 0 {
		t.Fatalf("callback: got %d to %q with cookies %v", rec.Code, rec.Header().Get("Location"), rec.Result().Cookies())
	}
	b.wantState(a, "done")
	if !strings.HasSuffix(b.account(), "urn:citizencert:mobile") {
		t.Errorf("got session %q", b.account())
	}
	b.refusedAgain(a)
}

// webResult is what MOI's site makes of a form, as the callback has it.
func (w *world) webResult(t *testing.T, a attempt, id string, approve bool) url.Values {
	t.Helper()
	form := url.Values{}
	for name, value := range a.Form.Fields {
		form.Set(name, value)
	}
	name, err := w.fido.BeginWeb(form)
	if err != nil {
		t.Fatal(err)
	}
	back := url.Values{}
	for name, value := range w.fido.WebResult(name, id, approve) {
		back.Set(name, value)
	}
	return back
}

// Without a signature there is a session of lower assurance, by name, of another
// subject, that ends with its first token.
func TestWithoutSignature(t *testing.T) {
	w := newWorld(t, func(cfg *fido.Config) { cfg.InsecureWithoutSignature = true })
	b := w.browser(t)
	a := b.start("qr", wangID)
	if err := w.wang.Approve(w.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	b.wantState(a, "done")
	subject, assurance, _ := strings.Cut(b.account(), " ")
	if assurance != string(signin.AssuranceMobileAuth) || subject == "" || w.results[0] != nil {
		t.Errorf("got %q, %q, result %v", subject, assurance, w.results[0])
	}
	if s := pkitest.FidoHash(wangID); strings.Contains(b.account(), s) {
		t.Error("the subject is the digest of the ID number")
	}
	w.clock.Advance(signin.MaxTokenLife - 2*fido.PollInterval)
	if b.account() == "" {
		t.Error("the session has ended before its token")
	}
	w.clock.Advance(2 * fido.PollInterval)
	if b.account() != "" {
		t.Error("the session goes on after its token")
	}

	// Who asked for a signature gets no session without one.
	signed := newWorld(t)
	b = signed.browser(t)
	a = b.start("qr", wangID)
	signed.fido.Script(pkitest.FidoScript{Alter: func(r map[string]any) { delete(r, "signed_response") }})
	if err := signed.wang.Approve(signed.lastTicket(t)); err != nil {
		t.Fatal(err)
	}
	b.refused(b.status(a), "phone-answer")
}

// The service is started anew between the request and the answer, and between two
// questions: the citizen does not notice.
func TestRestart(t *testing.T) {
	for _, mode := range []string{"qr", "redirect"} {
		w := newWorld(t)
		b := w.browser(t)
		id := map[string]string{"qr": wangID}[mode]
		a := b.start(mode, id)
		w.restart(t)
		b.wantState(a, "pending")
		w.restart(t)
		if mode == "qr" {
			if err := w.wang.Approve(w.lastTicket(t)); err != nil {
				t.Fatal(err)
			}
		} else {
			b.do("POST", "/signin/fido/callback", w.webResult(t, a, wangID, true))
			w.restart(t)
		}
		b.wantState(a, "done")
		if b.account() == "" {
			t.Errorf("%s: no session", mode)
		}
	}
}

// However often a page asks, MOI is asked no more than every four seconds, and not
// after the ticket's end.
func TestPollInterval(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	a := b.start("qr", wangID)
	path := w.fido.URL()
	before := w.Requests(path)
	for range 8 { // eight seconds in all
		for range 5 {
			if rec := b.do("POST", "/signin/fido/status", map[string]string{"attempt": a.Attempt}); b.state(rec) != "pending" {
				t.Fatalf("got %d %s", rec.Code, rec.Body)
			}
		}
		w.clock.Advance(fido.PollInterval / 4)
	}
	if got := w.Requests(path) - before; got != 1 {
		t.Errorf("MOI was asked %d times within eight seconds of the start, want once, after four", got)
	}
	w.clock.Set(a.Expiry)
	before = w.Requests(path)
	b.refused(b.status(a), "phone-expired")
	if got := w.Requests(path) - before; got != 0 {
		t.Errorf("MOI was asked %d times after the end", got)
	}
	b.refusedAgain(a)
}

// An attempt that was canceled is over, whatever the phone does.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	b, other := w.browser(t), w.browser(t)
	a := b.start("qr", wangID)
	other.start("qr", linID)
	if rec := other.do("POST", "/signin/fido/cancel", map[string]string{"attempt": a.Attempt}); rec.Code == 204 {
		t.Error("another browser has canceled")
	}
	b.wantState(a, "pending")
	if rec := b.do("POST", "/signin/fido/cancel", map[string]string{"attempt": a.Attempt}); rec.Code != 204 {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	b.refusedAgain(a)
}

// Whoever types a number cannot learn from a push whether its owner has a phone.
func TestPushTellsNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	known, unknown := b.start("push", wangID), b.start("push", "C123456780")
	if !known.Expiry.Equal(unknown.Expiry) || known.Link != unknown.Link {
		t.Errorf("got %+v and %+v", known, unknown)
	}
	for range 5 {
		rec1 := b.status(known)
		rec2 := b.do("POST", "/signin/fido/status", map[string]string{"attempt": unknown.Attempt})
		if rec1.Code != rec2.Code || rec1.Body.String() != rec2.Body.String() {
			t.Fatalf("got %d %s and %d %s", rec1.Code, rec1.Body, rec2.Code, rec2.Body)
		}
	}
	w.clock.Set(known.Expiry)
	b.refused(b.status(known), "phone-expired")
	b.refused(b.status(unknown), "phone-expired")

	// With a code on the screen nobody is disturbed, and the citizen is told.
	rec := b.do("POST", "/signin/fido/start", map[string]string{"mode": "qr", "idNumber": "C123456780"})
	b.refused(rec, "phone-not-enrolled")
}

// One phone is not rung without end, from however many clients.
func TestPersonLimit(t *testing.T) {
	w := newWorld(t)
	for range signin.PersonRequestsPerMinute {
		w.browser(t).start("push", wangID)
	}
	b := w.browser(t)
	rec := b.do("POST", "/signin/fido/start", map[string]string{"mode": "push", "idNumber": wangID})
	b.refused(rec, signin.CodeTooMany)
	if rec.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if _, err := w.flow.DeviceStatus(t.Context(), wangID); err == nil {
		t.Error("the status of the device can still be asked")
	}
	b.start("push", linID)
	b.start("qr", wangID)
	got, err := w.flow.DeviceStatus(t.Context(), linID)
	if want := (fido.DeviceStatus{Bound: true, CanSign: true}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
