package cms_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der"
)

// What pkcs7 builds is read as it was built, and its signature covers the bytes
// that SignedAttrsAsSet returns.
func TestParseBuilt(t *testing.T) {
	content := []byte("a filing")
	for _, test := range []struct {
		name     string
		detached bool
		signers  []identity
	}{
		{"attached", false, []identity{alice()}},
		{"detached", true, []identity{alice()}},
		{"two signers", false, []identity{alice(), bob()}},
		{"no signer", false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := cms.Parse(sign(t, content, test.detached, test.signers...), cms.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Version != 1 || got.ContentType != "1.2.840.113549.1.7.1" || got.Detached != test.detached {
				t.Errorf("got version %d, type %s, detached %v", got.Version, got.ContentType, got.Detached)
			}
			if test.detached != (got.Content.Bytes() == nil) || !test.detached && !bytes.Equal(got.Content.Bytes(), content) {
				t.Errorf("got content %q", got.Content.Bytes())
			}
			if len(got.Certificates) != len(test.signers) || len(got.SignerInfos) != len(test.signers) {
				t.Fatalf("got %d certificates and %d signers", len(got.Certificates), len(got.SignerInfos))
			}
			for i := range got.SignerInfos {
				checkSigner(t, &got.SignerInfos[i], test.signers, content)
			}
		})
	}
}

func checkSigner(t *testing.T, s *cms.SignerInfo, signers []identity, content []byte) {
	t.Helper()
	i := slices.IndexFunc(signers, func(id identity) bool {
		return id.certificate.SerialNumber.Cmp(s.Serial) == 0 && bytes.Equal(id.certificate.RawIssuer, s.Issuer)
	})
	if i < 0 {
		t.Fatalf("no signer has serial number %v", s.Serial)
	}
	const sha256OID, ecdsaWithSHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.2"
	if s.DigestAlgorithm.OID != sha256OID || s.SignatureAlgorithm.OID != ecdsaWithSHA256 {
		t.Errorf("got algorithms %s, %s", s.DigestAlgorithm.OID, s.SignatureAlgorithm.OID)
	}
	var types []string
	for _, attribute := range s.SignedAttributes {
		types = append(types, attribute.Type)
		digest := sha256.Sum256(content)
		if attribute.Type == "1.2.840.113549.1.9.4" && (len(attribute.Values) != 1 || !bytes.Equal(attribute.Values[0].Body, digest[:])) {
			t.Errorf("got messageDigest %v, want %x", attribute.Values, digest)
		}
	}
	slices.Sort(types)
	want := []string{"1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"}
	if diff := cmp.Diff(want, types); diff != "" || s.UnsortedAttrs {
		t.Errorf("signed attributes, unsorted %v (-want +got):\n%s", s.UnsortedAttrs, diff)
	}
	digest := sha256.Sum256(s.SignedAttrsAsSet(nil))
	if s.SignedAttrs[0] != 0xa0 || !ecdsa.VerifyASN1(&signers[i].key.PublicKey, digest[:], s.Signature) {
		t.Error("the signature does not cover the signed attributes")
	}
}

// The fields of a message in every encoding that is tolerated.
func TestParse(t *testing.T) {
	certificate, crl, response := tlv(0x30, tlv(0x02, []byte{1})), tlv(0x30, tlv(0x02, []byte{2})), tlv(0x30, tlv(0x0a, []byte{3}))
	long := append([]byte{0x30, 0x83, 0x00, 0x00, byte(len(certificate))}, certificate...)
	id := signer{}.bytes()
	for _, test := range []struct {
		name  string
		input message
		check func(*cms.SignedData) bool
	}{
		{"smallest", message{}, func(s *cms.SignedData) bool { return len(s.SignerInfos) == 1 && s.Certificates == nil }},
		{"indefinite lengths", message{element: indefinite}, func(s *cms.SignedData) bool { return len(s.SignerInfos) == 1 }},
		{"version 5", message{version: 5}, func(s *cms.SignedData) bool { return s.Version == 5 }},
		{"version 2, which is none", message{version: 2}, func(s *cms.SignedData) bool { return s.Version == 2 }},
		{"no digest algorithm", message{digests: tlv(0x31)}, func(s *cms.SignedData) bool { return s.DigestAlgorithms == nil }},
		{"two digest algorithms", message{digests: tlv(0x31, sha256Identifier, tlv(0x30, oidData, tlv(0x05)))},
			func(s *cms.SignedData) bool {
				return len(s.DigestAlgorithms) == 2 && bytes.Equal(s.DigestAlgorithms[1].Parameters, []byte{5, 0})
			}},
		{"no signer", message{signers: tlv(0x31)}, func(s *cms.SignedData) bool { return s.SignerInfos == nil }},
		{"two signers", message{signers: tlv(0x31, id, signer{sid: byKeyID}.bytes())},
			func(s *cms.SignedData) bool { return len(s.SignerInfos) == 2 && bytes.Equal(s.SignerInfos[0].Raw, id) }},
		{"empty set of certificates", message{certificates: tlv(0xa0)}, func(s *cms.SignedData) bool { return s.Certificates == nil }},
		{"certificates of all kinds", message{certificates: tlv(0xa0, tlv(0xa0), certificate, tlv(0xa1), tlv(0xa2), certificate, tlv(0xa3))},
			func(s *cms.SignedData) bool {
				return len(s.Certificates) == 2 && s.OtherCertificates == 4 && bytes.Equal(s.Certificates[1], certificate)
			}},
		{"certificate in DER among BER", message{certificates: indefinite(0xa0, certificate), element: indefinite},
			func(s *cms.SignedData) bool { return len(s.Certificates) == 1 }},
		{"revocation information", message{crls: tlv(0xa1, crl, tlv(0xa1, oid(1, 3, 6, 1, 5, 5, 7, 16, 2), response), tlv(0xa1, oidData, tlv(0x05)), crl)},
			func(s *cms.SignedData) bool {
				return len(s.CRLs) == 2 && len(s.OCSPResponses) == 1 && s.OtherRevocationInfos == 1 &&
					bytes.Equal(s.CRLs[0], crl) && bytes.Equal(s.OCSPResponses[0], response)
			}},
		{"CRL not in DER", message{crls: tlv(0xa1, long)}, func(s *cms.SignedData) bool { return bytes.Equal(s.CRLs[0], long) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := cms.Parse(test.input.bytes(), cms.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(got) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	certificate := tlv(0x30, tlv(0x02, []byte{1}))
	duplicate := signer{}.bytes()
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "an element is missing"},
		{"PEM", []byte("-----BEGIN PKCS7-----\nMII="), "der:"},
		{"byte behind", append(message{}.bytes(), 0), "1 bytes after the value"},
		{"two messages", append(message{}.bytes(), message{}.bytes()...), "after the value"},
		{"ContentInfo is a SET", tlv(0x31), "ContentInfo has tag"},
		{"ContentInfo is empty", tlv(0x30), "contentType is missing"},
		{"id-data", tlv(0x30, oidData, tlv(0xa0, tlv(0x04))), "contentType is 1.2.840.113549.1.7.1, want id-signedData"},
		{"no content", tlv(0x30, oidSignedData), "content is missing"},
		{"content is empty", tlv(0x30, oidSignedData, tlv(0xa0)), "SignedData is missing"},
		{"SignedData twice", tlv(0x30, oidSignedData, tlv(0xa0, tlv(0x30), tlv(0x30))), "content has an unexpected element"},
		{"SignedData is empty", tlv(0x30, oidSignedData, tlv(0xa0, tlv(0x30))), "version is missing"},
		{"SignedData without ContentInfo", tlv(0x30, tlv(0x02, []byte{1})), "contentType has tag"},
		{"version 0", tlv(0x30, oidSignedData, tlv(0xa0, tlv(0x30, tlv(0x02, []byte{0})))), "version 0 is not between"},
		{"version 6", message{version: 6}.bytes(), "version 6 is not between"},
		{"version -1", message{version: 0xff}.bytes(), "version -1 is not between"},
		{"digestAlgorithms is a SEQUENCE", message{digests: tlv(0x30)}.bytes(), "digestAlgorithms has tag"},
		{"digest algorithm malformed", message{digests: tlv(0x31, sha256Identifier, tlv(0x30))}.bytes(), "digestAlgorithms[1]: der:"},
		{"eContentType missing", message{encapsulated: tlv(0x30)}.bytes(), "encapContentInfo: der:"},
		{"certificates is empty and primitive", message{certificates: tlv(0x80)}.bytes(), "signerInfos has tag"},
		{"certificate not in DER", message{certificates: tlv(0xa0, certificate, indefinite(0x30))}.bytes(), "certificates[1]: der:"},
		{"certificate of unknown kind", message{certificates: tlv(0xa0, tlv(0xa4))}.bytes(), "certificates[0] has tag"},
		{"CRL of unknown kind", message{crls: tlv(0xa1, tlv(0xa0))}.bytes(), "crls[0] has tag"},
		{"revocation information without format", message{crls: tlv(0xa1, tlv(0xa1))}.bytes(), "crls[0]: der:"},
		{"revocation information without value", message{crls: tlv(0xa1, tlv(0xa1, oidData))}.bytes(), "otherRevInfo is missing"},
		{"revocation information of two values", message{crls: tlv(0xa1, tlv(0xa1, oidData, tlv(0x05), tlv(0x05)))}.bytes(), "unexpected element"},
		{"OCSP response is no SEQUENCE", message{crls: tlv(0xa1, tlv(0xa1, oid(1, 3, 6, 1, 5, 5, 7, 16, 2), tlv(0x04)))}.bytes(), "OCSPResponse has tag"},
		{"crls before certificates", message{certificates: tlv(0xa1), crls: tlv(0xa0)}.bytes(), "signerInfos has tag"},
		{"signerInfos is a SEQUENCE", message{signers: tlv(0x30)}.bytes(), "signerInfos has tag"},
		{"element behind signerInfos", message{rest: tlv(0x05)}.bytes(), "SignedData has an unexpected element"},
		{"signer copied", message{signers: tlv(0x31, signer{sid: byKeyID}.bytes(), duplicate, duplicate)}.bytes(), "signerInfos[2] is a copy of signerInfos[1]"},
		{"signer malformed", message{signers: tlv(0x31, duplicate, tlv(0x30))}.bytes(), "signerInfos[1]: der:"},
	} {
		t.Run(test.name, func(t *testing.T) { checkRefused(t, test.data, test.want) })
	}
}

// checkRefused parses data and checks that the error is a syntax error that
// says what is wanted.
func checkRefused(t *testing.T, data []byte, want string) {
	t.Helper()
	got, err := cms.Parse(data, cms.Limits{})
	if got != nil {
		t.Error("a message was returned along with an error")
	}
	if _, ok := errors.AsType[*der.SyntaxError](err); !ok {
		t.Fatalf("got error %v, want a *der.SyntaxError", err)
	}
	if !strings.HasPrefix(err.Error(), "cms: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %q, want %q", err, want)
	}
}

func TestLimits(t *testing.T) {
	digest := func(i int) []byte { return tlv(0x30, oid(1, 2, i)) }
	certificate := func(i int) []byte { return tlv(0x30, tlv(0x02, []byte{byte(i)})) }
	other := func(int) []byte { return tlv(0xa2) }
	response := func(int) []byte { return tlv(0xa1, oid(1, 3, 6, 1, 5, 5, 7, 16, 2), tlv(0x30)) }
	signerN := func(i int) []byte { return signer{signature: tlv(0x04, []byte{byte(i)})}.bytes() }
	attributeN := func(i int) []byte { return tlv(0x30, oid(1, 2, i), tlv(0x31)) }
	with := func(attributes []byte) message {
		return message{signers: tlv(0x31, signer{unsignedAttrs: tlv(0xa1, attributes)}.bytes())}
	}
	null := func(int) []byte { return tlv(0x05) }
	small := cms.Limits{MaxDigestAlgorithms: 2, MaxCertificates: 3, MaxRevocationInfos: 4, MaxSigners: 5, MaxAttributes: 6}
	for _, test := range []struct {
		name   string
		limits cms.Limits
		limit  int
		what   string
		input  func(n int) message
	}{
		{"digest algorithms", cms.Limits{}, 16, "digest algorithms", func(n int) message { return message{digests: tlv(0x31, repeat(n, digest))} }},
		{"digest algorithms, set", small, 2, "digest algorithms", func(n int) message { return message{digests: tlv(0x31, repeat(n, digest))} }},
		{"certificates", cms.Limits{}, 64, "certificates", func(n int) message { return message{certificates: tlv(0xa0, repeat(n, certificate))} }},
		{"certificates, set", small, 3, "certificates", func(n int) message { return message{certificates: tlv(0xa0, repeat(n, certificate))} }},
		{"other certificates", cms.Limits{}, 64, "certificates", func(n int) message { return message{certificates: tlv(0xa0, repeat(n, other))} }},
		{"CRLs", cms.Limits{}, 64, "CRLs and OCSP responses", func(n int) message { return message{crls: tlv(0xa1, repeat(n, certificate))} }},
		{"OCSP responses, set", small, 4, "CRLs and OCSP responses", func(n int) message { return message{crls: tlv(0xa1, repeat(n, response))} }},
		{"signers", cms.Limits{}, 16, "signers", func(n int) message { return message{signers: tlv(0x31, repeat(n, signerN))} }},
		{"signers, set", small, 5, "signers", func(n int) message { return message{signers: tlv(0x31, repeat(n, signerN))} }},
		{"attributes", cms.Limits{}, 64, "attributes", func(n int) message { return with(repeat(n, attributeN)) }},
		{"attributes, set", small, 6, "attributes", func(n int) message { return with(repeat(n, attributeN)) }},
		{"values of one attribute", cms.Limits{}, 64, "attribute values", func(n int) message { return with(attribute(repeat(n, null))) }},
		{"values of two attributes", cms.Limits{}, 64, "attribute values", func(n int) message {
			return with(append(attribute(repeat(n-30, null)), attribute(repeat(30, null))...))
		}},
		{"nesting", cms.Limits{DER: der.Limits{Depth: 9}}, 9, "levels of nesting", func(n int) message {
			value := tlv(0x05)
			for range n - 8 { // attrValues is at level 8
				value = tlv(0x30, value)
			}
			return message{signers: tlv(0x31, signer{unsignedAttrs: tlv(0xa1, attribute(value))}.bytes())}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := cms.Parse(test.input(test.limit).bytes(), test.limits); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := cms.Parse(test.input(test.limit+1).bytes(), test.limits)
			if got, ok := errors.AsType[*der.LimitError](err); !ok || got.What != test.what || got.Limit != test.limit {
				t.Errorf("got error %v, want the limit of %d %s", err, test.limit, test.what)
			}
		})
	}
}

// A prefix of a message is refused. A flipped bit is refused or read as what it
// then says, without a panic.
func TestParseMangled(t *testing.T) {
	data := sign(t, []byte("a filing"), false, alice(), bob())
	for n := range data {
		if _, err := cms.Parse(data[:n], cms.Limits{}); err == nil {
			t.Errorf("prefix of %d bytes was accepted", n)
		}
	}
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			checkParse(t, data)
			data[i] ^= 1 << bit
		}
	}
}
