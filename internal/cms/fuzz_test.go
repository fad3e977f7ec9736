package cms_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/digitorus/pkcs7"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/der/dertest"
)

// Parse returns a message with its invariants or a typed error, and agrees with
// pkcs7 on what both accept.
func FuzzParse(f *testing.F) {
	f.Add(sign(f, []byte("a filing"), false, alice()))
	f.Add(sign(f, []byte("a filing"), true, alice(), bob()))
	f.Add(message{element: indefinite}.bytes())
	f.Add(message{
		encapsulated: tlv(0x30, oidData, tlv(0xa0, tlv(0x24, tlv(0x04, []byte("ab")), tlv(0x04)))),
		certificates: tlv(0xa0, tlv(0x30), tlv(0xa2)),
		crls:         tlv(0xa1, tlv(0x30), tlv(0xa1, oid(1, 3, 6, 1, 5, 5, 7, 16, 2), tlv(0x30))),
		signers: tlv(0x31, signer{
			sid:           byKeyID,
			signedAttrs:   tlv(0xa0, attribute(tlv(0x05))),
			unsignedAttrs: tlv(0xa1, attribute()),
		}.bytes()),
	}.bytes())
	for _, input := range dertest.Hostile(200) {
		f.Add(input.Data)
	}
	for _, seed := range dertest.Seeds(f, "cms") {
		f.Add(seed)
	}
	f.Fuzz(checkParse)
}

// The seeds of every format at once; reading them all would leave a short run
// of FuzzParse no time for inputs of its own.
func TestParseSeeds(t *testing.T) {
	for _, seed := range dertest.AllSeeds(t) {
		checkParse(t, seed)
	}
}

func checkParse(t *testing.T, data []byte) {
	got, err := cms.Parse(data, cms.Limits{})
	checkResult(t, data, got, err)
	// Beyond a few kilobytes pkcs7 may take minutes.
	if err == nil && len(data) <= 8<<10 {
		checkOracle(t, data, got)
	}
}

// checkResult checks what holds for every outcome of parsing data.
func checkResult(t *testing.T, data []byte, got *cms.SignedData, err error) {
	t.Helper()
	if err != nil {
		_, syntax := errors.AsType[*der.SyntaxError](err)
		_, limit := errors.AsType[*der.LimitError](err)
		if got != nil || !syntax && !limit {
			t.Fatalf("got message %v and error of type %T: %v", got, err, err)
		}
		return
	}
	var written bytes.Buffer
	n, err := got.Content.WriteTo(&written)
	if err != nil || n != got.Content.Len() || !bytes.Equal(written.Bytes(), got.Content.Bytes()) {
		t.Errorf("content of %d bytes: wrote %d, %v", got.Content.Len(), n, err)
	}
	if got.Detached != (got.Content.Bytes() == nil) {
		t.Errorf("got detached %v with content %v", got.Detached, got.Content.Bytes())
	}
	if len(got.DigestAlgorithms) > 16 || len(got.Certificates)+got.OtherCertificates > 64 ||
		len(got.CRLs)+len(got.OCSPResponses)+got.OtherRevocationInfos > 64 || len(got.SignerInfos) > 16 {
		t.Errorf("limits are exceeded: %+v", got)
	}
	for i, certificate := range got.Certificates {
		checkStrict(t, data, certificate, "certificate", i)
	}
	for i := range got.SignerInfos {
		checkSignerInfo(t, data, &got.SignerInfos[i], i)
		for j := range i {
			if bytes.Equal(got.SignerInfos[i].Raw, got.SignerInfos[j].Raw) {
				t.Errorf("signers %d and %d are the same", j, i)
			}
		}
	}
}

func checkSignerInfo(t *testing.T, data []byte, s *cms.SignerInfo, i int) {
	t.Helper()
	if !bytes.Contains(data, s.Raw) {
		t.Errorf("signer %d is not in the message", i)
	}
	if (s.Issuer == nil) != (s.Serial == nil) || (s.Issuer == nil) == (s.SubjectKeyID == nil) {
		t.Errorf("signer %d is named by %x, %v and %x", i, s.Issuer, s.Serial, s.SubjectKeyID)
	}
	if s.Issuer != nil {
		checkStrict(t, s.Raw, s.Issuer, "issuer of signer", i)
	}
	if s.SignedAttrs != nil {
		checkStrict(t, s.Raw, s.SignedAttrs, "signedAttrs of signer", i)
	}
	if (s.SignedAttrs == nil) != (len(s.SignedAttributes) == 0) || len(s.SignedAttributes) > 64 || len(s.UnsignedAttributes) > 64 {
		t.Errorf("signer %d has signedAttrs %x of %d attributes, and %d unsigned", i, s.SignedAttrs, len(s.SignedAttributes), len(s.UnsignedAttributes))
	}
	size := 0
	for _, attribute := range s.SignedAttributes {
		size += len(attribute.Raw)
	}
	if n := len(s.SignedAttrs); size > n || n-size > 6 {
		t.Errorf("signer %d: attributes of %d bytes in signedAttrs of %d", i, size, n)
	}
}

func checkStrict(t *testing.T, data, part []byte, what string, i int) {
	t.Helper()
	if !bytes.Contains(data, part) {
		t.Errorf("%s %d is not in the message", what, i)
	}
	if _, err := der.Strict(part, der.Limits{}); err != nil {
		t.Errorf("%s %d: %v", what, i, err)
	}
}

// checkOracle compares with pkcs7 what both accept. It is not asked whether it
// accepts what Parse refuses, nor the reverse: it overlooks bytes behind the
// message, elements behind the last field and empty signed attributes, and does
// not know subject key identifiers, other kinds of certificates or of
// revocation information, redundant zeros in lengths, and sets of indefinite
// length that are empty. Of content in pieces it reads the first alone.
func checkOracle(t *testing.T, data []byte, got *cms.SignedData) {
	t.Helper()
	want, err := pkcs7.Parse(data)
	if err != nil {
		return
	}
	if !contentInPieces(t, data) && !bytes.Equal(got.Content.Bytes(), want.Content) {
		t.Errorf("got content %q, want %q", got.Content.Bytes(), want.Content)
	}
	if len(got.CRLs) != len(want.CRLs) {
		t.Errorf("got %d CRLs, want %d", len(got.CRLs), len(want.CRLs))
	}
	if len(got.Certificates) != len(want.Certificates) || len(got.SignerInfos) != len(want.Signers) {
		t.Fatalf("got %d certificates and %d signers, want %d and %d",
			len(got.Certificates), len(got.SignerInfos), len(want.Certificates), len(want.Signers))
	}
	for i, certificate := range want.Certificates {
		if !bytes.Equal(got.Certificates[i], certificate.Raw) {
			t.Errorf("got certificate %x, want %x", got.Certificates[i], certificate.Raw)
		}
	}
	for i := range want.Signers {
		checkOracleSigner(t, &got.SignerInfos[i], want, i)
	}
}

func checkOracleSigner(t *testing.T, got *cms.SignerInfo, message *pkcs7.PKCS7, i int) {
	t.Helper()
	want := &message.Signers[i]
	if got.Serial == nil || got.Serial.Cmp(want.IssuerAndSerialNumber.SerialNumber) != 0 ||
		!bytes.Equal(got.Issuer, want.IssuerAndSerialNumber.IssuerName.FullBytes) {
		t.Errorf("signer %d is named by %x, %v, want %x, %v", i, got.Issuer, got.Serial,
			want.IssuerAndSerialNumber.IssuerName.FullBytes, want.IssuerAndSerialNumber.SerialNumber)
	}
	if got.DigestAlgorithm.OID != want.DigestAlgorithm.Algorithm.String() ||
		got.SignatureAlgorithm.OID != want.DigestEncryptionAlgorithm.Algorithm.String() {
		t.Errorf("signer %d has algorithms %s, %s, want %v, %v", i, got.DigestAlgorithm.OID, got.SignatureAlgorithm.OID,
			want.DigestAlgorithm.Algorithm, want.DigestEncryptionAlgorithm.Algorithm)
	}
	if len(got.SignedAttributes) != len(want.AuthenticatedAttributes) ||
		len(got.UnsignedAttributes) != len(want.UnauthenticatedAttributes) {
		t.Fatalf("signer %d has %d and %d attributes, want %d and %d", i, len(got.SignedAttributes), len(got.UnsignedAttributes),
			len(want.AuthenticatedAttributes), len(want.UnauthenticatedAttributes))
	}
	for j, attribute := range want.AuthenticatedAttributes {
		if got := got.SignedAttributes[j].Type; got != attribute.Type.String() {
			t.Errorf("signer %d has attribute %s, want %v", i, got, attribute.Type)
		}
	}
}

// contentInPieces reports whether eContent is a constructed OCTET STRING.
func contentInPieces(t *testing.T, data []byte) bool {
	t.Helper()
	doc, err := der.Scan(data, der.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	e := doc.Root()
	for _, index := range []int{1, 0, 2, 1, 0} { // content, SignedData, encapContentInfo, [0], eContent
		r := e.Reader()
		ok := true
		for range index + 1 {
			e, ok = r.Next()
		}
		if !ok {
			return false
		}
	}
	return e.Tag.Constructed()
}
