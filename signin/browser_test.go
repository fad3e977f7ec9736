package signin_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

// A browser keeps cookies for one host and says where its requests come from.
type browser struct {
	t       testing.TB
	site    http.Handler
	host    string
	cookies testbed.Cookies
	header  http.Header // beside or in place of what browsers send
}

func (w *world) browser(t testing.TB) *browser {
	return &browser{t: t, site: w.site, host: taxHost, cookies: map[string]string{}, header: http.Header{}}
}

func (b *browser) do(method, path string, body any) *httptest.ResponseRecorder {
	b.t.Helper()
	r := testbed.Request(b.t, method, path, body)
	r.Host = b.host
	maps.Copy(r.Header, b.header)
	return b.cookies.Do(b.site, r)
}

func (b *browser) begin() *signin.Challenge { return b.beginWith(signin.PKCS1) }

func (b *browser) beginWith(kind signin.SignatureType) *signin.Challenge {
	b.t.Helper()
	rec := b.do("POST", "/signin/challenge", map[string]any{"signatureType": kind})
	if rec.Code != http.StatusOK {
		b.t.Fatalf("challenge: got %d %s", rec.Code, rec.Body)
	}
	var c signin.Challenge
	if err := json.Unmarshal(rec.Body.Bytes(), &c); err != nil {
		b.t.Fatal(err)
	}
	return &c
}

// An answer is what the component returns; tests change members.
type answer map[string]any

func sign(t testing.TB, card *pkitest.Card, c *signin.Challenge) answer {
	t.Helper()
	return signText(t, card, c.Request.SignatureType, c.Request.TBS)
}

func signText(t testing.TB, card *pkitest.Card, kind signin.SignatureType, text string) answer {
	t.Helper()
	var signature []byte
	var err error
	if kind == signin.PKCS7 {
		signature, err = card.SignPKCS7([]byte(text), nil)
	} else {
		signature, err = card.SignPKCS1([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return answer{
		"func": "sign", "ret_code": 0, "last_error": 0, "version": "1.3.4.103327",
		"signature": base64.StdEncoding.EncodeToString(signature),
		"certb64":   base64.StdEncoding.EncodeToString(card.Cert.Raw),
		"cardSN":    card.CardNumber,
	}
}

func (b *browser) finish(c *signin.Challenge, a answer) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do("POST", "/signin/finish", map[string]any{"challenge": c.ID, "answer": a})
}

// signIn runs a whole ceremony, which must succeed.
func (b *browser) signIn(card *pkitest.Card) {
	b.t.Helper()
	c := b.begin()
	b.accepted(b.finish(c, sign(b.t, card, c)))
}

func (b *browser) accepted(rec *httptest.ResponseRecorder) {
	b.t.Helper()
	if rec.Code/100 != 2 {
		b.t.Errorf("got %d %s, want success", rec.Code, rec.Body)
	}
}

func problemOf(t testing.TB, rec *httptest.ResponseRecorder) (p signin.Problem) {
	t.Helper()
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Code < 400 {
		t.Fatalf("got %d %s, want a problem", rec.Code, rec.Body)
	}
	return p
}

// refused checks what the citizen and what the operator are told.
func (w *world) refused(t testing.TB, rec *httptest.ResponseRecorder, code signin.Code, reason signin.Reason) {
	t.Helper()
	p := problemOf(t, rec)
	if p.Code != code || p.Message.ZhTW == "" || p.Message.En == "" {
		t.Errorf("got %+v, want code %s with its sentences", p, code)
	}
	if got := w.log.reason(); got != reason {
		t.Errorf("operator is told %s, want %s", got, reason)
	}
	for _, c := range rec.Result().Cookies() {
		if strings.HasSuffix(c.Name, "-session") && c.MaxAge >= 0 {
			t.Error("a session cookie was set along with a refusal")
		}
	}
}

// account returns the ID of the browser's session, or "" if it has none.
func (b *browser) account() string {
	b.t.Helper()
	rec := b.do("GET", "/account", nil)
	if rec.Code != http.StatusOK {
		return ""
	}
	return rec.Body.String()
}

const sessionCookie, attemptCookie = "__Host-efiling-session", "__Host-efiling-attempt"
