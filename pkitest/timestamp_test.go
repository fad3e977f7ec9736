package pkitest_test

import (
	"crypto"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
)

// OpenSSL accepts proper tokens, for what they were made over and nothing else.
func TestTimestampOpenSSL(t *testing.T) {
	pki, _, dir := withOpenSSL(t)
	tsa, err := pki.NewTSA()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "tsa-root.pem", pemOf(tsa.Issuer.Cert))
	writeFile(t, dir, "signature", []byte("signature"))
	writeFile(t, dir, "other", []byte("another"))
	for name, o := range map[string]*pkitest.TimestampOptions{
		"as usual":         nil,
		"with a fraction":  {Time: time.Now().UTC().Truncate(time.Second).Add(5 * time.Millisecond), Accuracy: &pkitest.Accuracy{Millis: 1, Micros: 2}},
		"SHA-512, ordered": {Hash: crypto.SHA512, Ordering: true},
		"named by SHA-1":   {NamesV1: true},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := tsa.Timestamp([]byte("signature"), o)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, dir, "token", token)
			for data, want := range map[string]bool{"signature": true, "other": false} {
				out, err := openssl(t, dir, "ts", "-verify", "-token_in", "-in", "token", "-data", data, "-CAfile", "tsa-root.pem")
				if (err == nil) != want {
					t.Errorf("over %s: got error %v, want accepted %v\n%s", data, err, want, out)
				}
			}
		})
	}
}
