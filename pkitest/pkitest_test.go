package pkitest_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io/fs"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
)

// start is when most tests begin.
var start = time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC)

func newPKI(t *testing.T) (*pkitest.PKI, *pkitest.Clock) {
	t.Helper()
	clock := pkitest.NewClock(start)
	pki, err := pkitest.New(pkitest.Config{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pki.Close(); err != nil {
			t.Error(err)
		}
	})
	return pki, clock
}

func newCard(t *testing.T, g *pkitest.Generation, opts ...func(*pkitest.Template)) *pkitest.Card {
	t.Helper()
	card, err := g.IssueCard(pkitest.Person{Name: "王測試", LastFour: "6789"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

func issue(t *testing.T, ca *pkitest.CA, template pkitest.Template) *pkitest.Issued {
	t.Helper()
	issued, err := ca.Issue(template)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func pool(certs ...*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

// verifyPath asks crypto/x509 for the path of a certificate to one root. All
// MOICA generations are at hand, so that only keys can tell them apart.
func verifyPath(pki *pkitest.PKI, cert, root *x509.Certificate, at time.Time) ([][]*x509.Certificate, error) {
	return cert.Verify(x509.VerifyOptions{
		Roots:         pool(root),
		Intermediates: pool(pki.G2.MOICA.Cert, pki.G3.MOICA.Cert),
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
}

func TestPaths(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	for _, tc := range []struct {
		own, other *pkitest.Generation
	}{{pki.G2, pki.G3}, {pki.G3, pki.G2}} {
		card := newCard(t, tc.own)
		for _, cert := range []*x509.Certificate{card.Cert, card.EncryptionCert} {
			chains, err := verifyPath(pki, cert, tc.own.Root.Cert, clock.Now())
			if err != nil {
				t.Fatalf("%s: %v", tc.own.Name, err)
			}
			if len(chains) != 1 || len(chains[0]) != 3 || !chains[0][1].Equal(tc.own.MOICA.Cert) {
				t.Errorf("%s: got %d chains, want one by way of MOICA %s", tc.own.Name, len(chains), tc.own.Name)
			}
			if _, err := verifyPath(pki, cert, tc.other.Root.Cert, clock.Now()); err == nil {
				t.Errorf("certificate of %s verifies below the root of %s", tc.own.Name, tc.other.Name)
			}
		}
	}
}

func TestEqualNamesUnequalKeys(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	g2, g3 := pki.G2.MOICA.Cert, pki.G3.MOICA.Cert
	if !bytes.Equal(g2.RawSubject, g3.RawSubject) {
		t.Errorf("names of the generations differ:\n%x\n%x", g2.RawSubject, g3.RawSubject)
	}
	if bytes.Equal(g2.SubjectKeyId, g3.SubjectKeyId) {
		t.Error("generations share a key identifier")
	}
	for _, tc := range []struct {
		ca   *pkitest.CA
		bits int
	}{{pki.G2.Root, 4096}, {pki.G3.Root, 4096}, {pki.G2.MOICA, 2048}, {pki.G3.MOICA, 4096}} {
		if got := tc.ca.Cert.PublicKey.(*rsa.PublicKey).N.BitLen(); got != tc.bits {
			t.Errorf("%s: got RSA-%d, want RSA-%d", tc.ca.Name, got, tc.bits)
		}
	}
}

func TestPublishedFiles(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	pins := map[string]string{}
	for _, pin := range pki.Pins() {
		pins[pin.SHA256] = pin.Name
	}
	for file, name := range map[string]string{
		"GRCA-G2.pem": "GRCA G2", "GRCA-G3.pem": "GRCA G3", "MOICA-G2.cer": "MOICA G2", "MOICA-G3.cer": "MOICA G3",
	} {
		der, err := fs.ReadFile(pki.FS(), file)
		if err != nil {
			t.Fatal(err)
		}
		if block, _ := pem.Decode(der); block != nil {
			der = block.Bytes
		}
		sum := sha256.Sum256(der)
		if got := pins[hex.EncodeToString(sum[:])]; got != name {
			t.Errorf("%s: got pin of %q, want %q", file, got, name)
		}
	}
}

// No two certificates of a PKI share a key, also when the embedded keys are
// used up.
func TestKeysAreNotShared(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	seen := map[string]bool{}
	for i := range 14 {
		g := []*pkitest.Generation{pki.G2, pki.G3}[i%2]
		card := newCard(t, g)
		for _, key := range []crypto.Signer{card.Key, card.EncryptionKey} {
			id := key.Public().(*rsa.PublicKey).N.String()
			if seen[id] {
				t.Fatalf("card %d: key handed out before", i)
			}
			seen[id] = true
		}
	}
}

func TestTwoPKIsShareNothing(t *testing.T) {
	t.Parallel()
	for range 2 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			pki, clock := newPKI(t)
			card := newCard(t, pki.G3)
			pki.G3.MOICA.Revoke(card.Cert, clock.Now(), pkitest.ReasonKeyCompromise)
			if got := len(fetchCRL(t, pki.G3.MOICA.URLs.CRL).RevokedCertificateEntries); got != 1 {
				t.Errorf("got %d entries, want 1", got)
			}
		})
	}
}

func TestCloseTwice(t *testing.T) {
	t.Parallel()
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := pki.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	first := newCard(t, pki.G3)
	clock.Advance(48 * time.Hour)
	second := newCard(t, pki.G3)
	if got, want := first.Cert.NotBefore, start.Add(-time.Hour); !got.Equal(want) {
		t.Errorf("got notBefore %v, want %v", got, want)
	}
	if got, want := second.Cert.NotBefore, start.Add(47*time.Hour); !got.Equal(want) {
		t.Errorf("got notBefore %v, want %v", got, want)
	}
	if got := fetchCRL(t, pki.G3.MOICA.URLs.CRL).ThisUpdate; !got.Equal(clock.Now()) {
		t.Errorf("got thisUpdate %v, want %v", got, clock.Now())
	}
}
