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
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/verify"
)

// newBench returns an Authenticator that issues challenges and sessions, and
// judges no certificates.
func newBench(b *testing.B, key crypto.Signer) (*Authenticator, origin) {
	b.Helper()
	keys, err := newKeyring(key, nil)
	if err != nil {
		b.Fatal(err)
	}
	o := origin{url: "https://tax.example.gov.tw", host: "tax.example.gov.tw", secure: true}
	now := time.Unix(1767225600, 0)
	return &Authenticator{
		environment: verify.Custom,
		origins:     map[string]origin{o.host: o},
		service:     "efiling",
		tokens:      keys,
		challenges:  &MemoryStore{Now: func() time.Time { return now }},
		sessions:    &MemoryStore{},
		tokenLife:   MaxTokenLife,
		idleLife:    MaxIdleLife,
		sessionLife: MaxSessionLife,
		limiter:     &limiter{perMinute: 1 << 30},
		clientKey:   remoteAddress,
		now:         func() time.Time { return now },
		random:      func(p []byte) { rand.Read(p) },
	}, o
}

func newES256(b *testing.B) *ecdsa.PrivateKey {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	return key
}

// unwritten is where a response goes that nobody reads.
type unwritten http.Header

func (u unwritten) Header() http.Header         { return http.Header(u) }
func (u unwritten) Write(p []byte) (int, error) { return len(p), nil }
func (u unwritten) WriteHeader(int)             {}

// BenchmarkChallenge issues a challenge and redeems it, in the memory store with
// the limit on clients, for a browser that has its cookie already.
func BenchmarkChallenge(b *testing.B) {
	a, o := newBench(b, newES256(b))
	r := httptest.NewRequest("POST", "/signin/challenge", nil)
	r.Host = o.host
	r.AddCookie(&http.Cookie{Name: a.attemptCookie(o), Value: a.randomText()})
	b.ReportAllocs()
	for b.Loop() {
		c, err := a.Begin(unwritten{}, r, PKCS7)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := a.redeem(r, o, c.ID, SignIn); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck checks a session whose token is new, and one whose token was
// verified before, beside the bare signature over the same bytes and beside the
// JOSE library, which checks the signature and no claim.
func BenchmarkCheck(b *testing.B) {
	es256 := newES256(b)
	_, eddsa, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("alg=es256", func(b *testing.B) {
		benchmarkCheck(b, es256, func(signed []byte) ([]byte, func() bool) {
			sum := sha256.Sum256(signed)
			signature, err := ecdsa.SignASN1(rand.Reader, es256, sum[:])
			if err != nil {
				b.Fatal(err)
			}
			return signature, func() bool {
				sum := sha256.Sum256(signed)
				return ecdsa.VerifyASN1(&es256.PublicKey, sum[:], signature)
			}
		})
	})
	b.Run("alg=eddsa", func(b *testing.B) {
		benchmarkCheck(b, eddsa, func(signed []byte) ([]byte, func() bool) {
			signature := ed25519.Sign(eddsa, signed)
			return signature, func() bool { return ed25519.Verify(eddsa.Public().(ed25519.PublicKey), signed, signature) }
		})
	})
}

// benchmarkCheck is given a function that signs bytes and returns how to verify
// that.
func benchmarkCheck(b *testing.B, key crypto.Signer, sign func(signed []byte) ([]byte, func() bool)) {
	a, o := newBench(b, key)
	s := &Session{
		Subject: a.randomText(), ID: a.randomText(), Certificate: a.randomText(),
		AuthTime: a.now(), Environment: verify.Custom, Assurance: AssuranceCard,
	}
	a.extend(s, a.now())
	token, err := a.issue(o, s)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Host = o.host
	r.AddCookie(&http.Cookie{Name: a.sessionCookie(o), Value: token})
	check := func() {
		if _, err := a.Check(r); err != nil {
			b.Fatal(err)
		}
	}
	_, raw := sign([]byte(token[:strings.LastIndex(token, ".")]))
	used := a.tokens.(*keyring).keys[0]
	c := benchkit.Compare(b,
		benchkit.Case{Name: "raw", Op: func() {
			if !raw() {
				b.Fatal("refused")
			}
		}},
		benchkit.Case{Name: "jwx", Op: func() {
			if _, err := jws.Verify([]byte(token), jws.WithKey(used.algorithm, used.public)); err != nil {
				b.Fatal(err)
			}
		}},
		benchkit.Case{Name: "new", Op: func() {
			clear(a.verified.young)
			check()
		}},
		benchkit.Case{Name: "verified", Op: check},
	)
	c.Ratio("new", "raw")
	c.Ratio("new", "jwx")
	c.Ratio("jwx", "raw")
}
