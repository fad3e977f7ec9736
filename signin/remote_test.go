package signin_test

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// request is one of a browser, with its cookies.
func (b *browser) request() *http.Request {
	r := httptest.NewRequest("POST", "/", nil)
	r.Host = b.host
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// beginRemote begins and keeps an attempt in a browser.
func (w *world) beginRemote(t *testing.T, b *browser, req signin.RemoteRequest) *signin.RemoteAttempt {
	t.Helper()
	rec := httptest.NewRecorder()
	at, err := w.auth.BeginRemote(rec, b.request(), req)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rec.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
	at.State = []byte("state")
	if err := w.auth.KeepRemote(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	return at
}

func wantReason(t *testing.T, err error, want signin.Reason) {
	t.Helper()
	var got signin.Reason
	if e, ok := errors.AsType[*signin.Error](err); ok {
		got = e.Reason
	}
	if got != want || (err == nil) != (want == "") {
		t.Errorf("got %v, want reason %q", err, want)
	}
}

// An attempt is taken once, by its browser, until its line expires, and can be put
// back.
func TestRemoteAttempt(t *testing.T) {
	w := newWorld(t)
	b, other := w.browser(t), w.browser(t)
	at := w.beginRemote(t, b, signin.RemoteRequest{})
	other.begin()
	for _, thief := range []*browser{other, w.browser(t)} {
		_, err := w.auth.TakeRemote(thief.request(), at.ID)
		wantReason(t, err, signin.ReasonChallengeUnknown)
	}
	got, err := w.auth.TakeRemote(b.request(), at.ID)
	if err != nil || string(got.State) != "state" || got.Line != at.Line || got.Purpose != signin.SignIn || !got.Expiry.Equal(at.Expiry) {
		t.Fatalf("got %+v, %v", got, err)
	}
	_, err = w.auth.TakeRemote(b.request(), at.ID)
	wantReason(t, err, signin.ReasonChallengeUnknown)
	if err := w.auth.KeepRemote(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	w.clock.Set(at.Expiry)
	_, err = w.auth.TakeRemote(b.request(), at.ID)
	wantReason(t, err, signin.ReasonChallengeExpired)
}

// What was issued to a card is not redeemed by a phone, nor the reverse.
func TestRemoteIsNotCard(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	at := w.beginRemote(t, b, signin.RemoteRequest{})
	c := &signin.Challenge{ID: at.ID}
	w.refused(t, b.finish(c, signText(t, w.card, signin.PKCS1, at.Line)), signin.CodeChallenge, signin.ReasonChallengeUnknown)
	_, err := w.auth.TakeRemote(b.request(), b.begin().ID)
	wantReason(t, err, signin.ReasonChallengeUnknown)
}

// The carrier is the one that was asked for, and its name cannot be left out.
func TestRemoteCarrier(t *testing.T) {
	w := newWorld(t)
	phone := w.issue(t, w.G3.IssueMobile)
	for _, tt := range []struct {
		carrier, signs verify.Carrier
		want           signin.Reason
	}{
		{verify.Mobile, verify.Mobile, ""},
		{verify.Mobile, verify.Card, signin.Reason(verify.ReasonProfile)},
		{verify.Card, verify.Mobile, signin.Reason(verify.ReasonProfile)},
		{"", verify.Mobile, signin.Reason(verify.ReasonProfile)},
	} {
		b := w.browser(t)
		at := w.beginRemote(t, b, signin.RemoteRequest{})
		card := map[verify.Carrier]func() ([]byte, []byte){
			verify.Card: func() ([]byte, []byte) {
				s, _ := w.card.SignPKCS1([]byte(at.Line))
				return s, w.card.Cert.Raw
			},
			verify.Mobile: func() ([]byte, []byte) {
				s, _ := phone.SignPKCS1([]byte(at.Line))
				return s, phone.Cert.Raw
			},
		}
		signature, certificate := card[tt.signs]()
		rec := httptest.NewRecorder()
		s, err := w.auth.FinishRemote(rec, b.request(), at, signin.RemoteAnswer{Carrier: tt.carrier, Signature: signature, Certificate: certificate})
		wantReason(t, err, tt.want)
		if (s == nil) != (err != nil) || (len(rec.Result().Cookies()) == 0) != (err != nil) {
			t.Errorf("carrier %q signed by %q: got %v, cookies %v", tt.carrier, tt.signs, s, rec.Result().Cookies())
		}
	}
}

// A statement needs a session; nothing unsigned passes for one.
func TestRemoteStatement(t *testing.T) {
	w := newWorld(t)
	b := w.browser(t)
	_, err := w.auth.BeginRemote(httptest.NewRecorder(), b.request(), signin.RemoteRequest{Purpose: signin.File, Digest: sha256.Sum256(nil)})
	wantReason(t, err, signin.ReasonInternal)
	b.signIn(w.card)
	s, err := w.auth.Check(b.request())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.auth.BeginRemote(httptest.NewRecorder(), b.request(), signin.RemoteRequest{Purpose: signin.File, Session: s})
	wantReason(t, err, signin.ReasonInternal) // without a digest
	at := w.beginRemote(t, b, signin.RemoteRequest{Purpose: signin.File, Session: s, Digest: sha256.Sum256(nil)})
	_, err = w.auth.InsecureFinishUnsigned(httptest.NewRecorder(), b.request(), at, "person")
	wantReason(t, err, signin.Reason(verify.ReasonPurpose))
	_, err = w.auth.FinishRemote(httptest.NewRecorder(), b.request(), at, signin.RemoteAnswer{})
	wantReason(t, err, signin.Reason(verify.ReasonPurpose))
	_, err = w.auth.FinishRemoteStatement(b.request(), &signin.Session{ID: "another"}, at, signin.RemoteAnswer{})
	wantReason(t, err, signin.ReasonChallengeUnknown)
}
