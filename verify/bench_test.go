package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/digitorus/pkcs7"

	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/internal/rsaverify"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// heldStatus answers from memory, as a source does that holds a list.
type heldStatus map[*x509.Certificate][]verify.StatusReport

func (h heldStatus) Status(_ context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	for cert, reports := range h {
		if cert.Equal(q.Cert) {
			return reports, nil
		}
	}
	return nil, errors.New("not held")
}

// hold makes a source of what a verdict rested on.
func hold(res *verify.Result) heldStatus {
	held := make(heldStatus)
	for _, fact := range res.Signers[0].Revocation {
		held[fact.Cert] = []verify.StatusReport{fact.Report}
	}
	return held
}

// A signed is a filing of a citizen and what it takes to verify its parts by
// hand: an RSA-2048 leaf under an RSA-4096 CA.
type signed struct {
	*world
	message, content []byte
	leaf, ca         *x509.Certificate
	digest           [sha256.Size]byte // of the signed part of leaf
	leafSignature    []byte            // of leaf over content
	offline          *verify.Verifier
}

// newSigned signs size bytes, attached, with the leaf and its CA in the message.
func newSigned(b testing.TB, size int) *signed {
	b.Helper()
	w := newWorld(b)
	s := &signed{world: w, content: bytes.Repeat([]byte("taxes 測試 "), size/13+1)[:size], leaf: w.card.Cert, ca: w.G3.MOICA.Cert}
	s.message = w.sign(b, w.card, string(s.content), &pkitest.CMSOptions{Certificates: []*x509.Certificate{s.leaf, s.ca}})
	s.digest = sha256.Sum256(s.leaf.RawTBSCertificate)
	var err error
	if s.leafSignature, err = w.card.SignPKCS1(s.content); err != nil {
		b.Fatal(err)
	}
	res, err := w.verifier.SignedData(b.Context(), s.message, nil)
	if err != nil {
		b.Fatal(err)
	}
	s.offline = w.newVerifier(b, func(cfg *verify.Config) { cfg.Status = []verify.StatusSource{hold(res)} })
	return s
}

func (s *signed) verify(b testing.TB) {
	if _, err := s.offline.SignedData(b.Context(), s.message, nil); err != nil {
		b.Fatal(err)
	}
}

// primitives are what no verification can do without: the hash of the content,
// the signature over it and, for a leaf not seen before, that of its CA.
func (s *signed) primitives(b *testing.B, cold bool) {
	sum := sha256.Sum256(s.content)
	err := rsa.VerifyPKCS1v15(s.leaf.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], s.leafSignature)
	if err == nil && cold {
		err = rsa.VerifyPKCS1v15(s.ca.PublicKey.(*rsa.PublicKey), crypto.SHA256, s.digest[:], s.leaf.Signature)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// least is what a leaf not seen before takes with what is used here: the same, but
// with the key of the CA prepared, and the certificate parsed.
func (s *signed) least(b *testing.B, ca *rsaverify.Key) {
	s.primitives(b, false)
	err := ca.VerifyPKCS1v15(crypto.SHA256, s.digest[:], s.leaf.Signature)
	if err == nil {
		_, err = x509.ParseCertificate(s.leaf.Raw)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// digitorus is what the peer of that name does for the same question.
func (s *signed) digitorus(b *testing.B, roots *x509.CertPool) {
	p7, err := pkcs7.Parse(s.message)
	if err == nil {
		err = p7.VerifyWithChain(roots)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkVerify compares a filing of a citizen who has not been seen before
// (cold), of one who signs often (warm), and of one who has signed a few times
// (warm-seldom), with the cryptographic primitives of it and with a peer. The status
// is answered from memory.
func BenchmarkVerify(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"10k", 10 << 10}, {"1M", 1 << 20}} {
		b.Run("content="+size.name, func(b *testing.B) {
			s := newSigned(b, size.bytes)
			roots := x509.NewCertPool()
			roots.AddCert(s.G3.Root.Cert)
			ca := rsaverify.NewKey(s.ca.PublicKey.(*rsa.PublicKey))
			c := benchkit.CompareWork(b,
				benchkit.Case{Name: "cold", Op: func() { s.offline.Forget(); s.verify(b) }},
				benchkit.Case{Name: "warm", Op: func() { s.verify(b) }},
				benchkit.Case{Name: "warm-seldom", Op: func() { s.offline.ForgetKeys(); s.verify(b) }},
				benchkit.Case{Name: "digitorus", Op: func() { s.digitorus(b, roots) }},
				benchkit.Case{Name: "cold-least", Op: func() { s.least(b, ca) }},
				benchkit.Case{Name: "cold-primitives", Op: func() { s.primitives(b, true) }},
				benchkit.Case{Name: "warm-primitives", Op: func() { s.primitives(b, false) }},
			)
			c.Ratio("cold", "digitorus")
			c.Ratio("cold", "cold-primitives")
			c.Ratio("warm", "digitorus")
			c.Ratio("warm", "warm-primitives")
			c.Ratio("warm-seldom", "digitorus")
			c.Ratio("warm-seldom", "warm-primitives")
			c.Ratio("warm-primitives", "digitorus") // the least that warm can be
			c.Ratio("cold-least", "cold-primitives")
		})
	}
}

// BenchmarkRSA compares crypto/rsa with what is used above 2048 bits, for a key seen
// once, and for one that is prepared: that of a CA, which is when a Verifier is made,
// and, also of 2048 bits, that of a leaf which signs often.
func BenchmarkRSA(b *testing.B) {
	for _, bits := range []int{2048, 3072, 4096} {
		b.Run(fmt.Sprintf("bits=%d", bits), func(b *testing.B) {
			key, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				b.Fatal(err)
			}
			digest := sha256.Sum256([]byte(filing))
			signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
			if err != nil {
				b.Fatal(err)
			}
			public := &key.PublicKey
			prepared := rsaverify.NewFrequentKey(public)
			check := func(err error) {
				if err != nil {
					b.Fatal(err)
				}
			}
			c := benchkit.CompareWork(b,
				benchkit.Case{Name: "standard", Op: func() { check(rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)) }},
				benchkit.Case{Name: "once", Op: func() { check(rsaverify.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)) }},
				benchkit.Case{Name: "prepared", Op: func() { check(prepared.VerifyPKCS1v15(crypto.SHA256, digest[:], signature)) }},
				benchkit.Case{Name: "preparing", Op: func() { rsaverify.NewFrequentKey(public) }},
			)
			c.Ratio("once", "standard")
			c.Ratio("prepared", "standard")
			c.Ratio("preparing", "prepared")
			c.Ratio("preparing", "standard")
		})
	}
}
