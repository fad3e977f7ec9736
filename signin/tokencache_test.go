package signin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// The cache holds a bounded number of tokens, the latest always among them, and
// tells tokens apart by every byte.
func TestTokenCache(t *testing.T) {
	var c tokenCache
	if c.get("") != nil {
		t.Error("an empty cache knows a token")
	}
	for i := range 3 * maxCachedTokens {
		c.add(strconv.Itoa(i), &claims{IssuedAt: int64(i)})
		if n := len(c.young) + len(c.old); n > maxCachedTokens {
			t.Fatalf("got %d tokens, want at most %d", n, maxCachedTokens)
		}
	}
	for i := 3*maxCachedTokens - maxCachedTokens/2; i < 3*maxCachedTokens; i++ {
		if got := c.get(strconv.Itoa(i)); got == nil || got.IssuedAt != int64(i) {
			t.Fatalf("token %d: got %v", i, got)
		}
	}
	if c.get("1") != nil || c.get(strconv.Itoa(3*maxCachedTokens-1)+" ") != nil {
		t.Error("the cache knows a token that it should not")
	}
}

// newChecker returns an Authenticator that checks sessions, and a request of one.
func newChecker(b *testing.B, key crypto.Signer) (*Authenticator, *http.Request) {
	b.Helper()
	keys, err := newKeyring(key, nil)
	if err != nil {
		b.Fatal(err)
	}
	o := origin{url: "https://tax.example.gov.tw", host: "tax.example.gov.tw", secure: true}
	now := time.Unix(1767225600, 0)
	a := &Authenticator{
		environment: verify.Custom,
		origins:     map[string]origin{o.host: o},
		service:     "efiling",
		tokens:      keys,
		sessions:    &MemoryStore{},
		tokenLife:   MaxTokenLife,
		idleLife:    MaxIdleLife,
		sessionLife: MaxSessionLife,
		now:         func() time.Time { return now },
		random:      func(p []byte) { rand.Read(p) },
	}
	s := &Session{
		Subject: a.randomText(), ID: a.randomText(), Certificate: a.randomText(),
		AuthTime: now, Environment: verify.Custom, Assurance: AssuranceCard,
	}
	a.extend(s, now)
	token, err := a.issue(o, s)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = o.host
	r.AddCookie(&http.Cookie{Name: a.sessionCookie(o), Value: token})
	return a, r
}

// BenchmarkCheck checks a session whose token is new, and one whose token was
// verified before, each time beside the raw signature over the same bytes. It
// reports the shortest times of all three, since other work on the machine only
// ever adds to them, and the ratio of the first to the last.
func BenchmarkCheck(b *testing.B) {
	es256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	_, eddsa, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("alg=es256", func(b *testing.B) {
		benchmarkCheck(b, es256, func(signed, signature []byte) bool {
			sum := sha256.Sum256(signed)
			return ecdsa.VerifyASN1(&es256.PublicKey, sum[:], signature)
		}, func(signed []byte) ([]byte, error) {
			sum := sha256.Sum256(signed)
			return ecdsa.SignASN1(rand.Reader, es256, sum[:])
		})
	})
	b.Run("alg=eddsa", func(b *testing.B) {
		benchmarkCheck(b, eddsa, func(signed, signature []byte) bool {
			return ed25519.Verify(eddsa.Public().(ed25519.PublicKey), signed, signature)
		}, func(signed []byte) ([]byte, error) { return ed25519.Sign(eddsa, signed), nil })
	})
}

func benchmarkCheck(b *testing.B, key crypto.Signer, verify func(signed, signature []byte) bool, sign func(signed []byte) ([]byte, error)) {
	a, r := newChecker(b, key)
	token := r.Cookies()[0].Value
	signed := []byte(token[:strings.LastIndex(token, ".")])
	signature, err := sign(signed)
	if err != nil {
		b.Fatal(err)
	}
	check := func() {
		if _, err := a.Check(r); err != nil {
			b.Fatal(err)
		}
	}
	raw, first, again := time.Hour, time.Hour, time.Hour
	fastest := func(best *time.Duration, run func()) {
		start := time.Now()
		run()
		*best = min(*best, time.Since(start))
	}
	for b.Loop() {
		fastest(&raw, func() {
			if !verify(signed, signature) {
				b.Fatal("refused")
			}
		})
		a.verified = tokenCache{}
		fastest(&first, check)
		fastest(&again, check)
	}
	b.ReportMetric(float64(raw), "raw-ns")
	b.ReportMetric(float64(first), "new-ns")
	b.ReportMetric(float64(again), "verified-ns")
	b.ReportMetric(float64(first)/float64(raw), "new/raw")
}
