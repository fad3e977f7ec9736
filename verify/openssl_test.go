package verify_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
)

// What the OpenSSL command line signs with a card's key verifies here, and what
// the card signs verifies there.
func TestOpenSSL(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pemFile := func(name, kind string, der ...[]byte) string {
		var text []byte
		for _, d := range der {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: d})...)
		}
		return file(name, text)
	}
	key, err := x509.MarshalPKCS8PrivateKey(w.card.Key)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := pemFile("card.key", "PRIVATE KEY", key)
	certFile := pemFile("card.pem", "CERTIFICATE", w.card.Cert.Raw)
	chain := pemFile("moica.pem", "CERTIFICATE", w.G3.MOICA.Cert.Raw)
	cas := pemFile("cas.pem", "CERTIFICATE", w.G3.Root.Cert.Raw, w.G3.MOICA.Cert.Raw)
	// Longer than a buffer of OpenSSL, so that -stream writes several pieces.
	content := bytes.Repeat([]byte(filing), 1000)
	contentFile := file("filing", content)

	for _, tt := range []struct {
		name     string
		args     []string
		attached bool
	}{
		{"attached", []string{"-nodetach"}, true},
		{"detached", nil, false},
		{"streamed", []string{"-nodetach", "-stream"}, true},
		{"by key identifier", []string{"-nodetach", "-keyid"}, true},
		{"RSA-PSS", []string{"-keyopt", "rsa_padding_mode:pss"}, false},
		{"SHA-512, with the CA", []string{"-md", "sha512", "-certfile", chain}, false},
	} {
		t.Run("signs "+tt.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			openssl(t, append([]string{"cms", "-sign", "-binary", "-in", contentFile, "-signer", certFile, "-inkey", keyFile,
				"-outform", "DER", "-out", out}, tt.args...)...)
			der, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if tt.attached {
				res, err := w.verifier.SignedData(t.Context(), der, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(res.Content, content) {
					t.Errorf("got %d octets of content, want the %d that were signed", len(res.Content), len(content))
				}
				return
			}
			if _, err := w.verifier.Detached(t.Context(), der, bytes.NewReader(content), nil); err != nil {
				t.Error(err)
			}
		})
	}
	for _, tt := range []struct {
		name string
		opts pkitest.CMSOptions
	}{
		{"attached", pkitest.CMSOptions{Nonce: "abc", CardNumber: true}},
		{"detached", pkitest.CMSOptions{Detached: true}},
	} {
		t.Run("verifies "+tt.name, func(t *testing.T) {
			signed := file("card.p7s", w.sign(t, w.card, string(content), &tt.opts))
			openssl(t, "cms", "-verify", "-binary", "-inform", "DER", "-in", signed, "-content", contentFile,
				"-CAfile", cas, "-purpose", "any", "-attime", "1795320000", "-out", filepath.Join(dir, "verified"))
		})
	}
}
