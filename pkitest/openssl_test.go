package pkitest_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/pkitest"
)

// openssl runs the OpenSSL command line in a directory and returns what it
// prints.
func openssl(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), outside.Program(t, "openssl"), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func writeFile(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func pemOf(certs ...*x509.Certificate) []byte {
	var buf bytes.Buffer
	for _, c := range certs {
		pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return buf.Bytes()
}

// withOpenSSL sets up a PKI at the present time, because that is when OpenSSL
// judges, and a directory with a card of G3 in cert.pem, its path in root.pem
// and moica.pem, and the document.
func withOpenSSL(t *testing.T) (*pkitest.PKI, *pkitest.Card, string) {
	t.Helper()
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pki.Close() })
	card := newCard(t, pki.G3)
	dir := t.TempDir()
	writeFile(t, dir, "root.pem", pemOf(pki.G3.Root.Cert))
	writeFile(t, dir, "moica.pem", pemOf(pki.G3.MOICA.Cert))
	writeFile(t, dir, "path.pem", pemOf(pki.G3.Root.Cert, pki.G3.MOICA.Cert))
	writeFile(t, dir, "cert.pem", pemOf(card.Cert))
	writeFile(t, dir, "document", document)
	return pki, card, dir
}

func TestOpenSSLReadsCertificates(t *testing.T) {
	t.Parallel()
	_, _, dir := withOpenSSL(t)
	out, err := openssl(t, dir, "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "moica.pem", "cert.pem")
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	out, err = openssl(t, dir, "x509", "-in", "cert.pem", "-noout", "-text", "-nameopt", "RFC2253,-esc_msb,utf8")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{
		"OU=(測試用) 內政部憑證管理中心,O=行政院,C=TW", "CN=王測試,C=TW", "Policy: 2.16.886.101.0.3.0",
		"X509v3 Subject Directory Attributes", "Key Usage: critical\n                Digital Signature\n", "MOICA-G3-10-8.crl",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestOpenSSLVerifiesCMS(t *testing.T) {
	t.Parallel()
	pki, card, dir := withOpenSSL(t)
	other := newCard(t, pki.G3)
	for name, opts := range map[string]*pkitest.CMSOptions{
		"as-the-component": nil,
		"detached":         {Detached: true},
		"nonce":            {Nonce: "bm9uY2U", CardNumber: true},
		"chunks":           {Chunks: 3},
		"key-identifier":   {ByKeyID: true},
		"named-hash":       {SignatureHash: crypto.SHA256},
		"sha1":             {Hash: crypto.SHA1},
		"pss":              {PSS: &pkitest.PSS{}},
		"pss-salt":         {PSS: &pkitest.PSS{Hash: crypto.SHA256, SaltLength: 20}},
		"pss-mgf":          {PSS: &pkitest.PSS{MGFHash: crypto.SHA1}},
		"no-attributes":    {NoSignedAttributes: true},
		"two-signers": {
			Certificates: []*x509.Certificate{other.Cert, card.Cert},
			CoSigners:    []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: other.Cert, Key: other.Key}, Options: &pkitest.CMSOptions{ByKeyID: true}}},
		},
		"unsorted": {
			EditAttributes: func(a []pkitest.Attribute) []pkitest.Attribute { return append(a[1:], a[0]) },
			AttributeOrder: pkitest.AttributesAsGiven,
		},
	} {
		t.Run(name, func(t *testing.T) {
			writeFile(t, dir, "signed.der", sign(t, card, document, opts))
			args := []string{"cms", "-verify", "-inform", "DER", "-in", "signed.der", "-CAfile", "path.pem", "-purpose", "any", "-binary", "-out", "content"}
			if opts != nil && opts.Detached {
				args = append(args, "-content", "document")
			}
			if out, err := openssl(t, dir, args...); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got, err := os.ReadFile(filepath.Join(dir, "content"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, document) {
				t.Errorf("got content %q, want %q", got, document)
			}
		})
	}
}

func TestOpenSSLRefusesCMS(t *testing.T) {
	t.Parallel()
	_, card, dir := withOpenSSL(t)
	for name, opts := range map[string]*pkitest.CMSOptions{
		"broken-signature": {BreakSignature: true},
		"declared-salt":    {PSS: &pkitest.PSS{}, DeclaredPSS: &pkitest.PSS{SaltLength: 20}},
		"declared-hash":    {PSS: &pkitest.PSS{}, DeclaredPSS: &pkitest.PSS{MGFHash: crypto.SHA1}},
		"other-content":    {Content: []byte("other")},
		"no-signers":       {NoSigners: true},
		"nobody":           {RawSignerID: []byte{0x80, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			writeFile(t, dir, "signed.der", sign(t, card, document, opts))
			if out, err := openssl(t, dir, "cms", "-verify", "-inform", "DER", "-in", "signed.der", "-noverify", "-binary"); err == nil {
				t.Errorf("verifies: %s", out)
			}
		})
	}
}

func TestOpenSSLReadsCRL(t *testing.T) {
	t.Parallel()
	pki, card, dir := withOpenSSL(t)
	moica := pki.G3.MOICA
	moica.Revoke(card.Cert, card.Cert.NotBefore, pkitest.ReasonAffiliationChanged)
	for _, o := range []pkitest.CRLOptions{{}, {Partition: true}, {Filler: 2000}} {
		der, err := moica.CRL(o)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, dir, "list.crl", der)
		out, err := openssl(t, dir, "crl", "-inform", "DER", "-in", "list.crl", "-CAfile", "moica.pem", "-noout", "-text")
		if err != nil || !strings.Contains(out, "verify OK") || !strings.Contains(out, "Affiliation Changed") {
			t.Errorf("%v: %.2000s", err, out)
		}
	}
}

func TestOpenSSLAsksOCSP(t *testing.T) {
	t.Parallel()
	pki, card, dir := withOpenSSL(t)
	moica := pki.G3.MOICA
	ask := func(want string) {
		t.Helper()
		out, err := openssl(t, dir, "ocsp", "-issuer", "moica.pem", "-cert", "cert.pem", "-url", moica.URLs.OCSP, "-CAfile", "path.pem")
		if err != nil || !strings.Contains(out, "Response verify OK") || !strings.Contains(out, "cert.pem: "+want) {
			t.Errorf("got %v, want %s: %s", err, want, out)
		}
		if strings.Contains(out, "no nonce in response") {
			t.Errorf("nonce is not echoed: %s", out)
		}
	}
	ask("good")
	moica.Suspend(card.Cert, card.Cert.NotBefore)
	ask("revoked")
	pki.Script(moica.URLs.OCSP, moica.OCSPHandler(pkitest.OCSPOptions{SignByCA: true, ResponderByName: true}))
	ask("revoked")
}
