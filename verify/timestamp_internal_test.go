package verify

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der/dertest"
)

// The signature time-stamps in the DSS samples. Nothing is known of who made them,
// so the CAs that they carry are the anchors.
func TestTimestampSamples(t *testing.T) {
	dir := dertest.Conformance(t, "dss-cades")
	cases := map[string]Reason{
		"CAdESDoubleLTA.p7m":          "",
		"cms-wrong-sign-cert-ref.p7m": ReasonBadSignature, // says OpenSSL, too
		"cades-broken-sig-tst.p7m":    ReasonUntrusted,    // does not carry its CA
		"counterSig.p7m":              ReasonAlgorithm,    // RSA-1024
		"Signature-C-DE_CRY-3.p7m":    ReasonMalformed,    // in an OCTET STRING, which RFC 3161, Appendix A does not have
	}
	type sample struct{ token, signature []byte }
	samples := make(map[string]sample)
	var anchors []*x509.Certificate
	for name := range cases {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		token, signature := sampleToken(t, data)
		samples[name] = sample{token, signature}
		anchors = append(anchors, sampleCAs(token)...)
	}
	v, err := New(Config{
		Scheme:                 Scheme{Environment: Custom, Anchors: anchors},
		Timestamping:           &TimestampAuthority{Anchors: anchors},
		InsecureSkipRevocation: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range cases {
		token := v.newCall(nil, UseFiling).readToken(samples[name].token, samples[name].signature, nil)
		got := Reason("")
		if e, ok := errors.AsType[*Error](token.Err); ok {
			got = e.Reason
		}
		if got != want || (token.Err == nil) != (want == "") {
			t.Errorf("%s: got %v, want reason %q", name, token.Err, want)
		}
	}
}

// sampleToken returns the first time-stamp of a message and what it is over.
func sampleToken(t *testing.T, data []byte) (token, signature []byte) {
	t.Helper()
	message, err := cms.Parse(data, cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range message.SignerInfos {
		for _, a := range s.UnsignedAttributes {
			if a.Type == oidTimeStampToken {
				return a.Values[0].Raw, s.Signature
			}
		}
	}
	t.Fatal("no time-stamp")
	return nil, nil
}

func sampleCAs(token []byte) (cas []*x509.Certificate) {
	message, err := cms.Parse(token, cms.Limits{})
	if err != nil {
		return nil
	}
	for _, raw := range message.Certificates {
		if cert, err := certpath.ParseCertificate(raw); err == nil && cert.IsCA {
			cas = append(cas, cert)
		}
	}
	return cas
}
