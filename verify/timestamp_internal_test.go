package verify

import (
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/internal/outside"
)

// The signature time-stamps in the DSS samples. Nothing is known of who made them,
// so the CAs that they carry are the anchors.
func TestTimestampSamples(t *testing.T) {
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
		token, signature := sampleToken(t, outside.Read(t, "dss-cades", name))
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

// A TSTInfo with each of its fields left out, or of another type.
func TestParseTSTInfo(t *testing.T) {
	tlv := dertest.TLV
	oid := tlv(0x06, []byte{0x2a, 3})
	extension := tlv(0x30, oid, tlv(0x04, nil))
	hash := tlv(0x30, tlv(0x06, []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}))
	required := [][]byte{tlv(0x02, []byte{1}), oid, tlv(0x30, hash, tlv(0x04, make([]byte, 32))), tlv(0x02, []byte{7}), tlv(0x18, []byte("20261122040000Z"))}
	optional := [][]byte{tlv(0x30, tlv(0x02, []byte{1})), tlv(0x01, []byte{0}), tlv(0x02, []byte{9}), tlv(0xa0, oid), tlv(0xa1, extension)}
	all := slices.Concat(required, optional)
	parse := func(fields ...[]byte) error {
		_, err := parseTSTInfo(tlv(0x30, fields...))
		return err
	}
	if err := parse(all...); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		without := slices.Delete(slices.Clone(all), i, i+1)
		if err := parse(without...); (err == nil) != (i >= len(required)) {
			t.Errorf("without field %d: got error %v", i, err)
		}
		other := slices.Clone(all)
		other[i] = []byte{5, 0}
		if parse(other...) == nil {
			t.Errorf("NULL accepted as field %d", i)
		}
	}
	for name, fields := range map[string][][]byte{
		"empty serialNumber":        slices.Concat(required[:3], [][]byte{tlv(0x02), required[4]}),
		"imprint without a hash":    slices.Concat(required[:2], [][]byte{tlv(0x30, tlv(0x04, nil))}, required[3:]),
		"imprint with a NULL":       slices.Concat(required[:2], [][]byte{tlv(0x30, hash, tlv(0x04, make([]byte, 32)), []byte{5, 0})}, required[3:]),
		"imprint of a NULL":         slices.Concat(required[:2], [][]byte{tlv(0x30, hash, []byte{5, 0})}, required[3:]),
		"ordering in two octets":    append(slices.Clone(required), tlv(0x01, []byte{0, 0})),
		"nonce empty":               append(slices.Clone(required), tlv(0x02)),
		"ordering before accuracy":  append(slices.Clone(required), optional[1], optional[0]),
		"extension a NULL":          append(slices.Clone(required), tlv(0xa1, []byte{5, 0})),
		"extension without a value": append(slices.Clone(required), tlv(0xa1, tlv(0x30, oid))),
		"extension with two values": append(slices.Clone(required), tlv(0xa1, tlv(0x30, oid, tlv(0x04, nil), tlv(0x04, nil)))),
		"extension without a name":  append(slices.Clone(required), tlv(0xa1, tlv(0x30, tlv(0x04, nil)))),
		"33 extensions":             append(slices.Clone(required), tlv(0xa1, slices.Repeat([][]byte{extension}, 33)...)),
	} {
		if parse(fields...) == nil {
			t.Errorf("%s accepted", name)
		}
	}
	if err := parse(append(slices.Clone(required), tlv(0xa1, slices.Repeat([][]byte{extension}, 32)...))...); err != nil {
		t.Errorf("32 extensions: %v", err)
	}
}

// A retired authority is believed only as long as nobody could have said more.
func TestJudgeAuthority(t *testing.T) {
	genTime := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	now := genTime.Add(time.Hour)
	q := StatusQuery{Cert: &x509.Certificate{NotAfter: now.AddDate(1, 0, 0)}, At: now, Now: now}
	for _, tt := range []struct {
		name    string
		revoked time.Duration // after genTime
		reason  int
		next    time.Duration // after now
		want    Status
		stale   bool
	}{
		{"superseded later", time.Second, 4, time.Second, Good, false},
		{"superseded later, says a list that ends now", time.Second, 4, 0, Unknown, true},
		{"superseded at genTime, says a list that ends now", 0, 4, 0, Revoked, false},
		{"compromised later, says a list that ends now", time.Second, 1, 0, Revoked, false},
		{"compromised after now", 2 * time.Hour, 1, time.Hour, Revoked, false},
	} {
		r := &StatusReport{Kind: CRLEvidence, Says: Revoked, RevokedAt: genTime.Add(tt.revoked), ReasonCode: tt.reason,
			ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(tt.next)}
		if got, err := q.judgeAuthority(r, genTime); got != tt.want || (err != nil) != tt.stale {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestTokenTooLarge(t *testing.T) {
	c := &call{v: &Verifier{}}
	for size, want := range map[int]Reason{maxToken: ReasonMalformed, maxToken + 1: ReasonLimit} {
		if e, ok := errors.AsType[*Error](c.readToken(make([]byte, size), nil, nil).Err); !ok || e.Reason != want {
			t.Errorf("%d bytes: got %v, want %s", size, e, want)
		}
	}
}
