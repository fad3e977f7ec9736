package pkitest_test

import (
	"crypto"
	"crypto/x509"
	"testing"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/pkitest"
)

// Whatever is asked, the responder answers with an OCSP response.
func FuzzOCSPRequest(f *testing.F) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { pki.Close() })
	ca, err := pki.SelfSigned(pkitest.Template{KeyAlgorithm: x509.ECDSA})
	if err != nil {
		f.Fatal(err)
	}
	for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		request, err := ocsp.CreateRequest(ca.Cert, ca.Cert, &ocsp.RequestOptions{Hash: hash})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(request)
	}
	f.Add([]byte{0x30, 4, 0x30, 2, 0x30, 0})

	f.Fuzz(func(t *testing.T, request []byte) {
		der, err := ca.OCSP(nil, pkitest.OCSPOptions{Request: request, SignByCA: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ocsp.ParseResponse(der, nil); err != nil {
			if _, ok := err.(ocsp.ResponseError); !ok {
				t.Errorf("got %v for %x", err, der)
			}
		}
	})
}
