package cms_test

import (
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/outside"
)

// The public suites under CITIZENCERT_CONFORMANCE: what they expect to be
// malformed or no SignedData is refused, everything else is read.
func TestSamples(t *testing.T) {
	padded := map[string]bool{ // cut from a PDF with the zeros behind them
		"cades-double-signing-certificate.p7m": true,
		"cades-duplicated-signed-attrs.p7m":    true,
	}
	for _, test := range []struct {
		suite string
		files int
	}{
		{"dss-cades", 32},
		{"mbedtls-pkcs7", 28},
		{"rfc4134", 9},
		{"pkcs7-interop", 5},
	} {
		t.Run(test.suite, func(t *testing.T) {
			files := readExpectations(t, test.suite)
			if len(files) != test.files {
				t.Errorf("got %d files, want %d", len(files), test.files)
			}
			for name, expect := range files {
				t.Run(name, func(t *testing.T) {
					data := outside.Read(t, test.suite, name)
					switch {
					case padded[name]:
						checkRefused(t, data, "bytes after the value")
						checkRead(t, firstElement(t, data), expect)
					case expect == "malformed":
						checkRefused(t, data, "der:")
					case expect == "not-signed-data":
						checkRefused(t, data, "want id-signedData")
					default:
						checkRead(t, data, expect)
					}
				})
			}
		})
	}
}

func checkRead(t *testing.T, data []byte, expect string) {
	t.Helper()
	got, err := cms.Parse(data, cms.Limits{})
	checkResult(t, data, got, err)
	if err != nil {
		t.Fatal(err)
	}
	if (len(got.SignerInfos) == 0) != (expect == "no-signers") {
		t.Errorf("got %d signers, expected %s", len(got.SignerInfos), expect)
	}
}

// firstElement cuts off what stands behind the first element of data.
func firstElement(t *testing.T, data []byte) []byte {
	t.Helper()
	in := cryptobyte.String(data)
	var first cryptobyte.String
	if !in.ReadASN1Element(&first, cryptobyte_asn1.SEQUENCE) {
		t.Fatal("no element to cut out")
	}
	return first
}

// readExpectations returns what a suite expects of each of its messages.
func readExpectations(t *testing.T, suite string) map[string]string {
	t.Helper()
	var expectations struct {
		Cases []struct {
			File      string
			Expect    string
			Signature string `json:"expect_signature"`
			Modern    string `json:"expect_modern"`
		}
	}
	outside.ReadJSON(t, &expectations, suite, "expectations.json")
	files := make(map[string]string)
	for _, c := range expectations.Cases {
		files[c.File] = c.Expect + c.Signature + c.Modern // each suite has one of them
	}
	return files
}

// What the samples hold that is rare.
func TestSampleDetails(t *testing.T) {
	for _, test := range []struct {
		suite, name string
		check       func(*cms.SignedData) bool
	}{
		{"dss-cades", "DER_reordered_prova.txt.p7m", func(s *cms.SignedData) bool { return s.SignerInfos[0].UnsortedAttrs }},
		{"dss-cades", "cms-no-sign-cert.p7m", func(s *cms.SignedData) bool {
			return s.SignerInfos[0].SubjectKeyID != nil && len(s.SignerInfos[0].SubjectKeyID) == 0
		}},
		{"dss-cades", "counterSig.p7m", func(s *cms.SignedData) bool {
			return len(s.SignerInfos[0].SubjectKeyID) == 20 && len(s.SignerInfos[0].UnsignedAttributes) == 2
		}},
		{"dss-cades", "C-B-B-basic.p7m", func(s *cms.SignedData) bool { return len(s.OCSPResponses) == 1 }},
		{"dss-cades", "CAdESDoubleLTA.p7m", func(s *cms.SignedData) bool { return len(s.CRLs) == 1 && len(s.Certificates) == 3 }},
		{"dss-cades", "signedFile.pdf.p7s", func(s *cms.SignedData) bool { return len(s.SignerInfos) == 3 && s.Content.Len() == 9277 }},
		{"dss-cades", "cades-bes-signeddata-detached.p7s", func(s *cms.SignedData) bool { return s.Detached && s.ContentType == "1.2.840.113549.1.7.2" }},
		{"mbedtls-pkcs7", "pkcs7_data_3_signed.der", func(s *cms.SignedData) bool { return len(s.SignerInfos) == 3 && s.Detached }},
		{"mbedtls-pkcs7", "pkcs7_data_cert_signed_v2.der", func(s *cms.SignedData) bool { return s.Version == 2 }},
		{"rfc4134", "4.4.bin", func(s *cms.SignedData) bool {
			return len(s.CRLs) == 1 && len(s.SignerInfos[0].UnsignedAttributes) == 2
		}},
		{"rfc4134", "4.5.bin", func(s *cms.SignedData) bool { return string(s.Content.Bytes()) == "This is some sample content." }},
		{"rfc4134", "4.7.bin", func(s *cms.SignedData) bool { return s.Version == 3 && len(s.SignerInfos[0].SubjectKeyID) == 20 }},
		{"rfc4134", "4.10.bin", func(s *cms.SignedData) bool { return len(s.SignerInfos[0].SignedAttributes) == 10 }},
		{"rfc4134", "4.11.bin", func(s *cms.SignedData) bool { return s.Detached && len(s.Certificates) == 2 && len(s.CRLs) == 1 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := cms.Parse(outside.Read(t, test.suite, test.name), cms.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !test.check(got) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Another content type than SignedData is named as such.
func TestSampleContentTypes(t *testing.T) {
	for name, oid := range map[string]string{
		"3.1.bin": "1.2.840.113549.1.7.1",
		"5.1.bin": "1.2.840.113549.1.7.3",
		"6.0.bin": "1.2.840.113549.1.7.5",
		"7.1.bin": "1.2.840.113549.1.7.6",
	} {
		t.Run(name, func(t *testing.T) {
			checkRefused(t, outside.Read(t, "rfc4134", name), "contentType is "+oid+", want id-signedData")
		})
	}
}
