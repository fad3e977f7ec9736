package verify_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
)

// BenchmarkHostile verifies what has brought other verifiers down, in two sizes:
// time and memory for each byte are not to grow with it. The bounds to compare
// with are 50 ns for a byte and 1 ms, and 4 bytes for a byte and 1 MB.
func BenchmarkHostile(b *testing.B) {
	w := newWorld(b)
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64k", 64 << 10}, {"4M", 4 << 20}} {
		inputs := append(dertest.Hostile(size.bytes), w.hostileMessages(b, size.bytes)...)
		for _, input := range inputs {
			b.Run("input="+input.Name+"/size="+size.name, func(b *testing.B) {
				b.ReportAllocs()
				least := time.Duration(math.MaxInt64) // what a neighbour's load does not add to
				for b.Loop() {
					start := time.Now()
					if _, err := w.verifier.SignedData(b.Context(), input.Data, nil); err == nil {
						b.Fatal("got no error")
					}
					least = min(least, time.Since(start))
				}
				b.ReportMetric(float64(least.Nanoseconds())/1e3, "least-µs")
				b.ReportMetric(float64(least.Nanoseconds())/float64(len(input.Data)), "ns/byte")
			})
		}
	}
}

// hostileMessages are SignedData of about size bytes that are well formed, and
// cost much if what is in them is taken at its word.
func (w *world) hostileMessages(b testing.TB, size int) []dertest.Input {
	sign := func(opts pkitest.CMSOptions) []byte { return w.sign(b, w.card, filing, &opts) }
	one := len(sign(pkitest.CMSOptions{Repeat: 1})) - len(sign(pkitest.CMSOptions{}))
	certificates := make([]*x509.Certificate, size/len(w.card.Cert.Raw))
	for i := range certificates {
		certificates[i] = w.card.EncryptionCert
	}
	return []dertest.Input{
		{Name: "SignerInfo copied", Data: sign(pkitest.CMSOptions{Repeat: size / one})},
		{Name: "signature over other content", Data: sign(pkitest.CMSOptions{Content: make([]byte, size)})},
		{Name: "certificates", Data: sign(pkitest.CMSOptions{Certificates: certificates})},
		{Name: "decoy issuers", Data: w.decoys(b, size)},
	}
}

// decoys is a message with a leaf that nobody has issued and 60 certificates by
// the name of its issuer, with the largest modulus that makes them the size and
// an exponent of 31 bits: whoever tries them raises numbers of that size to that
// power.
func (w *world) decoys(b testing.TB, size int) []byte {
	const count = 60
	ca := w.G3.MOICA.Cert
	bits := size / count * 8
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits)))
	if err != nil {
		b.Fatal(err)
	}
	n.SetBit(n.SetBit(n, bits-1, 1), 0, 1)
	var embedded []*x509.Certificate
	for range count {
		decoy := issueUnder(b, w.G3.MOICA, pkitest.Template{
			RawSubject: ca.RawSubject, SubjectKeyID: ca.SubjectKeyId, PublicKey: &rsa.PublicKey{N: n, E: 1<<31 - 1},
			BasicConstraints: &pkitest.BasicConstraints{CA: true}, KeyUsage: x509.KeyUsageCertSign, BreakSignature: true,
		})
		embedded = append(embedded, &x509.Certificate{Raw: decoy.DER})
	}
	leaf := issueUnder(b, w.G3.MOICA, pkitest.Template{BreakSignature: true})
	card := &pkitest.Card{Cert: leaf.Cert, Key: leaf.Key}
	return w.sign(b, card, filing, &pkitest.CMSOptions{Certificates: append(embedded, leaf.Cert)})
}
