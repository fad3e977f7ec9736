package signin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

const consentText = "我同意申請戶籍謄本一份。\nI ask for one household transcript.\n"

// A household is a service that asks citizens who are signed in for consent to
// its text.
type household struct {
	*world
	text  string // as it stands when the answer arrives
	given *signin.SignedConsent
}

func newHousehold(t *testing.T, changes ...func(*signin.Config)) *household {
	t.Helper()
	h := &household{world: newWorld(t, changes...), text: consentText}
	refuse := func(rw http.ResponseWriter, err error) {
		e := err.(*signin.Error)
		h.cfg.Logger.Info("refused", "reason", e.Reason, "cause", e.Err)
		p := e.Problem()
		rw.WriteHeader(p.Status)
		json.NewEncoder(rw).Encode(p)
	}
	mux := http.NewServeMux()
	mux.Handle("/", h.site)
	mux.Handle("POST /consent", h.auth.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		kind := signin.SignatureType(r.URL.Query().Get("type"))
		c, err := h.auth.BeginConsent(rw, r, signin.SessionFrom(r.Context()), kind, consentText)
		if err != nil {
			refuse(rw, err)
			return
		}
		json.NewEncoder(rw).Encode(c)
	})))
	mux.Handle("POST /consented", h.auth.Handler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var body struct {
			Challenge string
			Answer    *signin.Answer
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		var err error
		if h.given, err = h.auth.FinishConsent(r, signin.SessionFrom(r.Context()), body.Challenge, body.Answer, h.text); err != nil {
			refuse(rw, err)
		}
	})))
	h.site = mux
	return h
}

func (b *browser) beginConsent(kind signin.SignatureType) *signin.Challenge {
	b.t.Helper()
	rec := b.do("POST", "/consent?type="+string(kind), nil)
	if rec.Code != http.StatusOK {
		b.t.Fatalf("consent: got %d %s", rec.Code, rec.Body)
	}
	var c signin.Challenge
	if err := json.Unmarshal(rec.Body.Bytes(), &c); err != nil {
		b.t.Fatal(err)
	}
	return &c
}

func (b *browser) consent(c *signin.Challenge, a answer) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do("POST", "/consented", map[string]any{"challenge": c.ID, "answer": a})
}

// What is returned proves on its own what the citizen agreed to, and the session
// is as it was.
func TestConsent(t *testing.T) {
	h := newHousehold(t)
	for _, kind := range bothKinds {
		b := h.browser(t)
		b.signIn(h.card)
		before := h.session(t, b)
		h.clock.Advance(time.Second)
		c := b.beginConsent(kind)
		sum := sha256.Sum256([]byte(consentText))
		want := fmt.Sprintf("citizencert:1/consent/%s/efiling/%d/%s/%x", taxHost, c.Expiry.Unix(), c.ID, sum)
		if c.Request.TBS != want {
			t.Errorf("got line %s, want %s", c.Request.TBS, want)
		}
		a := sign(t, h.card, c)
		b.accepted(b.consent(c, a))
		given := h.given
		if given.Text != consentText || given.Line != want || given.Type != kind || base64.StdEncoding.EncodeToString(given.Signature) != a["signature"] {
			t.Errorf("got consent %+v", given)
		}
		if given.Session.ID != before.ID || len(given.Result.Signers) != 1 || given.Result.Signers[0].Identity.SerialNumber != h.card.Person.Number {
			t.Errorf("got consent of %v in session %v", given.Result, given.Session)
		}
		if after := h.session(t, b); *after != *before {
			t.Errorf("got session %+v, want %+v", after, before)
		}
		h.cfg.Logger.Info("consent", "consent", given)
		testbed.Nameless(t, h.card, h.log.String())
		h.refused(t, b.consent(c, a), signin.CodeChallenge, signin.ReasonChallengeUnknown)
	}
}

// L09, consent: a signature for one text or purpose is presented for another.
func attackConsent(t *testing.T) {
	h := newHousehold(t)
	b := h.browser(t)
	h.refused(t, b.do("POST", "/consent?type=PKCS1", nil), signin.CodeSession, signin.ReasonNoSession)
	b.signIn(h.card)
	for _, kind := range bothKinds {
		// Sign-in for consent, and the reverse: the challenge tells them apart, and
		// so does what was signed.
		c := b.beginWith(kind)
		h.refused(t, b.consent(c, sign(t, h.card, c)), signin.CodeSignature, signin.Reason(verify.ReasonPurpose))
		c = b.beginConsent(kind)
		h.refused(t, b.finish(c, sign(t, h.card, c)), signin.CodeSignature, signin.Reason(verify.ReasonPurpose))
		c = b.beginConsent(kind)
		text := strings.Replace(c.Request.TBS, "/consent/", "/signin/", 1)
		h.refused(t, b.consent(c, signText(t, h.card, kind, text[:len(text)-65])), signin.CodeSignature, otherText(kind))
		c = b.beginConsent(kind)
		text = strings.Replace(c.Request.TBS, "/consent/", "/file/", 1)
		h.refused(t, b.consent(c, signText(t, h.card, kind, text)), signin.CodeSignature, otherText(kind))
		c = b.beginConsent(kind)
		text = c.Request.TBS[:len(c.Request.TBS)-64] + digest
		h.refused(t, b.consent(c, signText(t, h.card, kind, text)), signin.CodeSignature, otherText(kind))

		// The text is another when the answer arrives.
		for _, other := range []string{consentText + " ", consentText[:len(consentText)-1], "我同意放棄繼承。"} {
			c = b.beginConsent(kind)
			h.text = other
			h.refused(t, b.consent(c, sign(t, h.card, c)), signin.CodeTextChanged, signin.ReasonConsentText)
			h.text = consentText
		}
	}
}

// Consent is of who is signed in, in the session that asked for it.
func TestConsentHolder(t *testing.T) {
	linked := links{}
	h := newHousehold(t, func(cfg *signin.Config) {
		cfg.ChallengesPerMinute = 100
		cfg.Accounts = linked
	})
	phone, other := h.issue(t, h.G3.IssueMobile), h.issue(t, h.G3.IssueCard)
	subject := func(card *pkitest.Card) string {
		b := h.browser(t)
		b.signIn(card)
		return h.session(t, b).Subject
	}
	card := subject(h.card)
	b := h.browser(t)
	b.signIn(h.card)
	consent := func(card *pkitest.Card) *httptest.ResponseRecorder {
		c := b.beginConsent(signin.PKCS1)
		return b.consent(c, sign(t, card, c))
	}
	b.accepted(consent(h.card))
	h.refused(t, consent(other), signin.CodeOtherHolder, signin.ReasonOtherHolder) // neither has an account
	h.refused(t, consent(phone), signin.CodeOtherHolder, signin.ReasonOtherHolder)
	linked[card], linked[subject(phone)], linked[subject(other)] = "account-1", "account-1", "account-2"
	b.accepted(consent(phone))
	h.refused(t, consent(other), signin.CodeOtherHolder, signin.ReasonOtherHolder)

	// A session that began after the challenge, in the same browser.
	c := b.beginConsent(signin.PKCS1)
	b.signIn(h.card)
	h.refused(t, b.consent(c, sign(t, h.card, c)), signin.CodeChallenge, signin.ReasonChallengeUnknown)
	c = b.beginConsent(signin.PKCS1)
	h.status.set(verify.Suspended, nil)
	h.refused(t, b.consent(c, sign(t, h.card, c)), signin.CodeSuspended, signin.Reason(verify.ReasonSuspended))
}

// A text that nobody can have been shown is a mistake of the service.
func TestConsentTexts(t *testing.T) {
	h := newHousehold(t)
	b := h.browser(t)
	b.signIn(h.card)
	s := h.session(t, b)
	for name, tt := range map[string]struct {
		session *signin.Session
		text    string
		ok      bool
	}{
		"text":       {s, "我同意。", true},
		"longest":    {s, strings.Repeat("x", signin.MaxConsentText), true},
		"too long":   {s, strings.Repeat("x", signin.MaxConsentText+1), false},
		"empty":      {s, "", false},
		"not UTF-8":  {s, "\xa7\xda", false},
		"no session": {nil, "我同意。", false},
	} {
		r := httptest.NewRequest("POST", "/consent", nil)
		r.Host = taxHost
		_, err := h.auth.BeginConsent(httptest.NewRecorder(), r, tt.session, signin.PKCS7, tt.text)
		if (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want accepted %v", name, err, tt.ok)
		}
		_, err = h.auth.FinishConsent(r, tt.session, challenge, &signin.Answer{Func: "sign"}, tt.text)
		want := signin.ReasonInternal
		if tt.ok {
			want = signin.ReasonChallengeUnknown
		}
		if e, ok := err.(*signin.Error); !ok || e.Reason != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}
