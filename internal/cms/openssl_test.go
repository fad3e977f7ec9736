package cms_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/outside"
)

// What the OpenSSL command line signs is read, in DER and in the BER of its
// streaming mode, in which content comes in pieces.
func TestOpenSSL(t *testing.T) {
	openssl := outside.Program(t, "openssl")
	dir := t.TempDir()
	content := bytes.Repeat([]byte("0123456789abcdef"), 2000)
	key, err := x509.MarshalPKCS8PrivateKey(alice().key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "content", content)
	write(t, dir, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: alice().certificate.Raw}))
	write(t, dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	for _, test := range []struct {
		name     string
		args     []string
		detached bool
		pieces   bool
	}{
		{"attached", []string{"-nodetach"}, false, false},
		{"detached", nil, true, false},
		{"attached, streamed", []string{"-nodetach", "-stream"}, false, true},
		{"by key identifier", []string{"-nodetach", "-keyid"}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := filepath.Join(dir, "out.der")
			args := append([]string{"cms", "-sign", "-binary", "-md", "sha256", "-outform", "DER",
				"-in", "content", "-signer", "cert.pem", "-inkey", "key.pem", "-out", out}, test.args...)
			cmd := exec.CommandContext(t.Context(), openssl, args...)
			cmd.Dir = dir
			if output, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got, err := cms.Parse(data, cms.Limits{})
			checkResult(t, data, got, err)
			if err != nil {
				t.Fatal(err)
			}
			if contentInPieces(t, data) != test.pieces {
				t.Errorf("content in pieces: got %v, want %v", !test.pieces, test.pieces)
			}
			if got.Detached != test.detached || !test.detached && !bytes.Equal(got.Content.Bytes(), content) {
				t.Errorf("got detached %v and %d bytes of content", got.Detached, got.Content.Len())
			}
			if len(got.Certificates) != 1 || len(got.SignerInfos) != 1 {
				t.Fatalf("got %d certificates and %d signers", len(got.Certificates), len(got.SignerInfos))
			}
			digest := sha256.Sum256(got.SignerInfos[0].SignedAttrsAsSet(nil))
			if !ecdsa.VerifyASN1(&alice().key.PublicKey, digest[:], got.SignerInfos[0].Signature) {
				t.Error("the signature does not cover the signed attributes")
			}
		})
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}
