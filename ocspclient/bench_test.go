package ocspclient

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"hash/maphash"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A benchWorld is a citizen under an RSA-4096 CA, with an answer of an RSA-2048
// responder of the CA's.
type benchWorld struct {
	pki          *pkitest.PKI
	cert, issuer *x509.Certificate
	der          []byte
}

func newBenchWorld(b *testing.B) *benchWorld {
	b.Helper()
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { pki.Close() })
	issued, err := pki.G3.MOICA.Issue(pkitest.Template{})
	if err != nil {
		b.Fatal(err)
	}
	der, err := pki.G3.MOICA.OCSP(issued.Cert, pkitest.OCSPOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return &benchWorld{pki, issued.Cert, pki.G3.MOICA.Cert, der}
}

// BenchmarkJudge compares the judgement of an answer, whose responder was verified
// before (known) or not (first), with one RSA-2048 verification and with a peer that
// does less.
func BenchmarkJudge(b *testing.B) {
	w := newBenchWorld(b)
	var known Responders
	now := time.Now()
	judge := func(known *Responders) {
		if _, err := Judge(w.der, w.cert, w.issuer, JudgeOptions{Now: now, Responders: known}); err != nil {
			b.Fatal(err)
		}
	}
	resp, err := parseResponse(w.der)
	if err != nil {
		b.Fatal(err)
	}
	responder, err := x509.ParseCertificate(resp.certs[0])
	if err != nil {
		b.Fatal(err)
	}
	key := responder.PublicKey.(*rsa.PublicKey)
	if ca := w.issuer.PublicKey.(*rsa.PublicKey); key.N.BitLen() != 2048 || ca.N.BitLen() != 4096 {
		b.Fatalf("keys have %d and %d bits, want 2048 and 4096", key.N.BitLen(), ca.N.BitLen())
	}
	digest := sha256.Sum256(resp.TBS)
	c := benchkit.Compare(b,
		benchkit.Case{Name: "known", Op: func() { judge(&known) }},
		benchkit.Case{Name: "first", Op: func() { judge(nil) }},
		benchkit.Case{Name: "x-crypto", Op: func() {
			if _, err := ocsp.ParseResponseForCert(w.der, w.cert, w.issuer); err != nil {
				b.Fatal(err)
			}
		}},
		benchkit.Case{Name: "rsa2048", Op: func() {
			if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], resp.Signature); err != nil {
				b.Fatal(err)
			}
		}},
	)
	c.Ratio("known", "rsa2048")
	c.Ratio("known", "x-crypto")
	c.Ratio("first", "x-crypto")
}

const citizens = 100_000

// serialOf spreads numbers.
func serialOf(i uint64) uint64 { return (i + 1) * 0x9e3779b97f4a7c15 }

// BenchmarkHeld has eight goroutines ask for the status of 100,000 citizens whose
// answers are held, some of them more often than others.
func BenchmarkHeld(b *testing.B) {
	w := newBenchWorld(b)
	client, err := New(Config{AllowedHosts: []string{"127.0.0.1"}, MaxEntries: 200_000})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close() })
	answer, err := Judge(w.der, w.cert, w.issuer, JudgeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range uint64(citizens) {
		cert := &x509.Certificate{SerialNumber: new(big.Int).SetUint64(serialOf(i))}
		if _, err := client.memory.put(client.keyOf(cert, w.issuer), answer); err != nil {
			b.Fatal(err)
		}
	}
	now := time.Now()
	shards := newShards(client, w.issuer, citizens)
	c := benchkit.Compare(b,
		benchkit.Case{Name: "lookup", Op: func() {
			together(w.cert, func(cert *x509.Certificate) bool { return client.memory.get(client.keyOf(cert, w.issuer)) != nil })
		}},
		benchkit.Case{Name: "status", Op: func() {
			together(w.cert, func(cert *x509.Certificate) bool {
				q := verify.StatusQuery{Cert: cert, Issuer: w.issuer, At: now, Now: now, Fresh: verify.Freshness{OCSP: time.Hour}}
				reports, err := client.Status(context.Background(), q)
				return err == nil && len(reports) == 1
			})
		}},
		benchkit.Case{Name: "sharded-map", Op: func() {
			together(w.cert, func(cert *x509.Certificate) bool { return shards.get(client.keyOf(cert, w.issuer)) != nil })
		}},
		benchkit.Case{Name: "nothing", Op: func() { together(w.cert, func(*x509.Certificate) bool { return true }) }},
	)
	c.Ratio("lookup", "sharded-map")
	c.Ratio("status", "sharded-map")
}

// together has eight goroutines ask a thousand times each: a µs of the figures is 0.125 ns.
func together(like *x509.Certificate, ask func(*x509.Certificate) bool) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			zipf := rand.NewZipf(rand.New(rand.NewPCG(1, rand.Uint64())), 1.01, 1, citizens-1)
			// Who asks has just parsed the certificate.
			cert := &x509.Certificate{SerialNumber: new(big.Int), NotAfter: like.NotAfter}
			for range 1000 {
				cert.SerialNumber.SetUint64(serialOf(zipf.Uint64()))
				if !ask(cert) {
					panic("not held")
				}
			}
		})
	}
	wg.Wait()
}

// shards are the simplest thing that serves several goroutines: 256 maps, each
// under a lock of its own, without bound or expiry.
type shards struct {
	seed maphash.Seed
	maps [256]struct {
		sync.RWMutex
		held map[cacheKey]*held
	}
}

func newShards(client *Client, issuer *x509.Certificate, n uint64) *shards {
	s := &shards{seed: maphash.MakeSeed()}
	for i := range n {
		key := client.keyOf(&x509.Certificate{SerialNumber: new(big.Int).SetUint64(serialOf(i))}, issuer)
		shard := &s.maps[maphash.Comparable(s.seed, key)%256]
		if shard.held == nil {
			shard.held = map[cacheKey]*held{}
		}
		shard.held[key] = client.memory.get(key)
	}
	return s
}

func (s *shards) get(key cacheKey) *held {
	shard := &s.maps[maphash.Comparable(s.seed, key)%256]
	shard.RLock()
	defer shard.RUnlock()
	return shard.held[key]
}
