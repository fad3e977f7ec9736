package signin_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/signin"
)

// A forger has a session token taken apart, and the service's key where it needs
// to show that a refusal is not about the signature.
type forger struct {
	*world
	t               *testing.T
	b               *browser
	header, payload string // decoded
	token           string
}

func newForger(t *testing.T) *forger {
	w := newWorld(t)
	b := w.browser(t)
	b.signIn(w.card)
	f := &forger{world: w, t: t, b: b, token: b.cookies[sessionCookie]}
	parts := strings.Split(f.token, ".")
	f.header, f.payload = string(unb64(t, parts[0])), string(unb64(t, parts[1]))
	f.accepted(f.forge(f.header, f.payload)) // so forging itself works
	return f
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unb64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// forge signs with the service's key, whatever header and payload say.
func (f *forger) forge(header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, sum[:])
	if err != nil {
		f.t.Fatal(err)
	}
	return input + "." + b64(rs(r, s))
}

func rs(r, s *big.Int) []byte {
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

func (f *forger) refused(token string, reason signin.Reason) {
	f.t.Helper()
	f.b.cookies[sessionCookie] = token
	f.world.refused(f.t, f.b.do("GET", "/account", nil), signin.CodeSession, reason)
}

func (f *forger) accepted(token string) {
	f.t.Helper()
	f.b.cookies[sessionCookie] = token
	if f.b.account() == "" {
		f.t.Errorf("token was refused: %s", f.log.reason())
	}
}

// unrenewed checks that a token has expired for whoever does not renew it.
func (f *forger) unrenewed(token string) {
	f.t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = taxHost
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: token})
	_, err := f.auth.Check(r)
	if e, ok := errors.AsType[*signin.Error](err); !ok || e.Reason != signin.ReasonTokenExpired {
		f.t.Errorf("got %v, want %s", err, signin.ReasonTokenExpired)
	}
}

// replace returns text with old replaced, which must be there once.
func replace(t *testing.T, text, old, new string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q is not in %s once", old, text)
	}
	return strings.Replace(text, old, new, 1)
}
