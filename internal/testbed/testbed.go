// Package testbed sets up what the tests of most packages begin with: a look-alike
// PKI, and what a relying party is told of it.
package testbed

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

// Host is where a look-alike publishes.
const Host = "127.0.0.1"

// New returns a look-alike whose clock is now, or time.Now if nil. It ends with t.
func New(t testing.TB, now func() time.Time) *pkitest.PKI {
	t.Helper()
	pki, err := pkitest.New(pkitest.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pki.Close() })
	return pki
}

// Scheme returns the scheme that trusts a look-alike, in the test environment.
func Scheme(t testing.TB, pki *pkitest.PKI) verify.Scheme {
	t.Helper()
	anchors, err := moica.LoadTestAnchors(pki.FS(), pki.Pins()...)
	if err != nil {
		t.Fatal(err)
	}
	return moica.Test(anchors, Host)
}

// Sources returns an OCSP client and a store of lists that may ask a look-alike. They
// end with t.
func Sources(t testing.TB, now func() time.Time) []verify.StatusSource {
	t.Helper()
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{Host}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { responders.Close() })
	lists, err := crl.New(crl.Config{AllowedHosts: []string{Host}, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lists.Close() })
	return []verify.StatusSource{responders, lists}
}

// Key returns a new key of P-256, such as one that signs session tokens.
func Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A Log is what an operator has been told. Its methods may be called concurrently.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Nameless checks that a text, such as a log, does not tell who holds a card. The last
// four digits of the ID count only by themselves: digests and times of day have any
// four digits in them now and then. Refusals name a certificate by its serial number,
// and may.
func Nameless(t testing.TB, card *pkitest.Card, text string) {
	t.Helper()
	for _, secret := range []string{card.Person.Name, card.Person.Number, card.CardNumber} {
		if secret != "" && strings.Contains(text, secret) { // a phone has no card number
			t.Errorf("%q is in %s", secret, text)
		}
	}
	if regexp.MustCompile(`\b` + regexp.QuoteMeta(card.Person.LastFour) + `\b`).MatchString(text) {
		t.Errorf("%q, the last four, is in %s", card.Person.LastFour, text)
	}
}
