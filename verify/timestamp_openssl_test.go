package verify_test

import (
	"crypto"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A token that OpenSSL made.
func TestTimestampByOpenSSL(t *testing.T) {
	w := newStampedWorld(t)
	w.clock.Set(time.Now()) // OpenSSL's
	tsa, err := w.NewTSA()
	if err != nil {
		t.Fatal(err)
	}
	w.tsa = tsa
	w.verifier = w.newVerifier(t, w.believe)
	card := w.issue(t, w.G3)
	der, signature := w.signatureOf(t, card)
	dir := t.TempDir()
	name := func(file string) string { return filepath.Join(dir, file) }
	write := func(file string, data []byte) {
		t.Helper()
		if err := os.WriteFile(name(file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key, err := x509.MarshalPKCS8PrivateKey(tsa.Key)
	if err != nil {
		t.Fatal(err)
	}
	write("signature", signature)
	write("cert.der", tsa.Cert.Raw)
	write("key.der", key)
	write("serial", []byte("01"))
	write("tsa.conf", []byte(strings.Join([]string{"[tsa]", "serial = " + name("serial"), "default_policy = 2.999.3161", "digests = sha256, sha512",
		"signer_digest = sha256", "accuracy = secs:1, millisecs:500", "clock_precision_digits = 3", "ess_cert_id_alg = sha256", ""}, "\n")))
	openssl(t, "x509", "-inform", "DER", "-in", name("cert.der"), "-out", name("cert.pem"))
	openssl(t, "pkey", "-inform", "DER", "-in", name("key.der"), "-out", name("key.pem"))
	openssl(t, "ts", "-query", "-data", name("signature"), "-sha512", "-cert", "-out", name("request"))
	openssl(t, "ts", "-reply", "-config", name("tsa.conf"), "-section", "tsa", "-queryfile", name("request"), "-inkey", name("key.pem"),
		"-signer", name("cert.pem"), "-token_out", "-out", name("token"))
	token, err := os.ReadFile(name("token"))
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	res, err := w.verifier.SignedData(t.Context(), der, &verify.Options{Timestamps: [][]byte{token}})
	wantReason(t, res, err, "")
	if err != nil {
		return
	}
	if stamp := res.Signers[0].Timestamps[0]; stamp.Err != nil || stamp.Accuracy != 1500*time.Millisecond || res.AtKind != verify.InstantTimestamp {
		t.Errorf("got error %v, accuracy %v, kind %v", stamp.Err, stamp.Accuracy, res.AtKind)
	}
}

// Whatever the bytes of a token, a good filing stays good, and a refused token
// leaves the instant where it was.
func FuzzTimestamp(f *testing.F) {
	w := newStampedWorld(f)
	der, signature := w.signatureOf(f, w.card)
	for _, o := range []pkitest.TimestampOptions{{}, {Ordering: true, Accuracy: &pkitest.Accuracy{Millis: 1}}, {Hash: crypto.SHA512},
		{NamesV1: true}, {CMS: pkitest.CMSOptions{Chunks: 2}}, {RawTSTInfo: []byte{0x30, 0}}} {
		f.Add(w.token(f, signature, o))
	}
	v := w.newVerifier(f, func(cfg *verify.Config) {
		w.believe(cfg)
		cfg.Status, cfg.InsecureSkipRevocation = nil, true
	})
	f.Fuzz(func(t *testing.T, token []byte) {
		res, err := v.SignedData(t.Context(), der, &verify.Options{Timestamps: [][]byte{token}})
		if err != nil {
			t.Fatalf("a token refused a good filing: %v", err)
		}
		stamp := res.Signers[0].Timestamps[0]
		if stamp.Err != nil && (tokenReason(t, stamp.Err) == "" || res.AtKind != verify.InstantNow || stamp.Path != nil) {
			t.Errorf("got error %v, judged at %v", stamp.Err, res.AtKind)
		}
	})
}
