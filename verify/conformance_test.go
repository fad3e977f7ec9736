package verify_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/verify"
)

// A sample is a message of a public suite and what the suite expects of its
// signature. Paths are not part of these suites: the signers are strangers.
type sample struct {
	File    string
	Content *string
	Signers []string
	Expect  string

	ExpectSignature string `json:"expect_signature"`
	ExpectLegacy    string `json:"expect_legacy"`
}

func (s sample) expect() string { return s.Expect + s.ExpectSignature + s.ExpectLegacy }

const (
	noDSA  = "DSA is not supported: no scheme has issued it, crypto/x509 does not verify it"
	noSHA3 = "SHA-3 is not supported: no scheme signs with it"
)

// The cases that are skipped, which have to be refused for their algorithm.
var skippedSamples = map[string]string{
	"rfc4134/4.1.bin":  noDSA,
	"rfc4134/4.3.bin":  noDSA,
	"rfc4134/4.4.bin":  noDSA,
	"rfc4134/4.6.bin":  noDSA,
	"rfc4134/4.7.bin":  noDSA,
	"rfc4134/4.10.bin": noDSA,

	"dss-cades/CAdES-BpB-att-SHA256-SHA3_256withRSA.p7m":        noSHA3,
	"dss-cades/CAdES-BpB-att-SHA256-SHA3_256withRSAandMGF1.p7m": noSHA3,
	"dss-cades/CAdES-BpB-att-SHA3_224-SHA256withRSA.p7m":        noSHA3,
	"dss-cades/CAdES-BpB-att-SHA3_224-SHA3_224withRSA.p7m":      noSHA3,
	"dss-cades/CAdES-BpB-att-SHA3_256-SHA256withRSA.p7m":        noSHA3,
	"dss-cades/CAdES-BpB-att-SHA3_256-SHA3_256withRSA.p7m":      noSHA3,
	"dss-cades/CAdES-BpB-att-SHA3_384-SHA256withRSA.p7m":        noSHA3,
	"dss-cades/CAdES-BpB-att-SHA3_512-SHA256withRSA.p7m":        noSHA3,
	"dss-cades/CAdES-BpB-att-SHA3_512-SHA3_512withRSA.p7m":      noSHA3,

	"mbedtls-pkcs7/pkcs7_data_cert_signed_md5.der":       "MD5 is not accepted under any policy",
	"mbedtls-pkcs7/pkcs7_data_cert_signed_ripemd160.der": "RIPEMD-160 is not accepted under any policy",
}

// The cases that the suite leaves open, or in which we decide otherwise, with what
// we decide under the policy that tolerates most.
var decidedSamples = map[string]struct {
	want verify.Reason
	why  string
}{
	"dss-cades/DER_reordered_prova.txt.p7m": {verify.ReasonMalformed,
		"left open; the attributes are not in the order of DER, and a certificate has a policy extension that crypto/x509 does not read"},
	"dss-cades/cades-double-signing-time.p7m": {"",
		"the signer with two signing-time attributes has counter-signed: its verdict is its own (TestSampleCounterSignatures)"},
	"dss-cades/cades-double-signing-certificate.p7m": {verify.ReasonSignedAttributes,
		"signing-certificate-v2 occurs twice, in two attributes"},
	"pkcs7-interop/rsa-sha1-signed-attributes.der": {verify.ReasonMalformed,
		"signing-time has a zone other than Z, which RFC 5652, Section 11.3 forbids"},
	"mbedtls-pkcs7/pkcs7_data_cert_signed_v2.der": {"",
		"left open; nothing depends on the version, and signers get it wrong"},
}

// The reasons that are right for each expectation; "" is acceptance.
var expectations = map[string][]verify.Reason{
	"valid":              {""},
	"valid-signature":    {""},
	"rejected-by-policy": {""}, // where the policy tolerates it
	"invalid":            {verify.ReasonBadSignature, verify.ReasonDigestMismatch, verify.ReasonSignedAttributes},
	"invalid-signature":  {verify.ReasonBadSignature, verify.ReasonDigestMismatch, verify.ReasonNoSigner},
	"signer-not-found":   {verify.ReasonNoSigner},
	"no-signers":         {verify.ReasonNoSigner},
	"malformed":          {verify.ReasonMalformed},
	"not-signed-data":    {verify.ReasonMalformed},
	"content-needed":     {""}, // by its digest
	"content-missing":    {verify.ReasonContentMissing},
}

// What some samples are about is not in the suite as a file.
var (
	sampleContents = map[string]string{"cades-bes-signeddata-detached.p7s": "Hello World"}
	sampleDigests  = map[string]string{
		"cades-double-signing-certificate.p7m": "08fa763b05b379983f280a3840542ec2d62db671ff1e5376c42c602e4ae7ffb8",
		"cades-duplicated-signed-attrs.p7m":    "5853d8fec1a67ce2be90e70da3ec7a8056be20924779b55dff3c85029cb1b743",
	}
)

// Each sample gets the verdict that its suite expects of a verifier that tolerates
// everything that has a name. The strict one accepts less, never more, and of what
// it accepts there is some.
func TestSamples(t *testing.T) {
	w := newWorld(t)
	tolerant := w.tolerant(t)
	for suite, cases := range map[string]int{"dss-cades": 32, "mbedtls-pkcs7": 31, "rfc4134": 9, "pkcs7-interop": 5} {
		t.Run(suite, func(t *testing.T) {
			samples := readSamples(t, suite)
			if len(samples) != cases {
				t.Errorf("got %d cases, want %d", len(samples), cases)
			}
			skipped, strict := 0, 0
			for i, s := range samples {
				t.Run(fmt.Sprintf("%d %s", i, s.File), func(t *testing.T) {
					name := suite + "/" + s.File
					want := expectations[s.expect()]
					decided, ok := decidedSamples[name]
					if ok {
						want = []verify.Reason{decided.want}
						t.Logf("%s: %s", s.expect(), decided.why)
					}
					if why, ok := skippedSamples[name]; ok {
						skipped++
						want = []verify.Reason{verify.ReasonAlgorithm}
						t.Logf("%s, skipped: %s", s.expect(), why)
					}
					got, err := s.judge(t, tolerant, suite)
					if !slices.Contains(want, got) {
						t.Errorf("got %q (%v), want one of %q for %s", got, err, want, s.expect())
					}
					byStrict, err := s.judge(t, w.verifier, suite)
					if byStrict == "" {
						strict++
					}
					if byStrict == "" && got != "" || s.Expect == "rejected-by-policy" && byStrict != verify.ReasonAlgorithm {
						t.Errorf("under the strict policy got %q (%v)", byStrict, err)
					}
				})
			}
			t.Logf("%d cases run, %d as expected or decided, %d skipped; %d accepted under the strict policy", len(samples), len(samples)-skipped, skipped, strict)
		})
	}
}

// tolerant accepts what a policy can name.
func (w *world) tolerant(t testing.TB) *verify.Verifier {
	return w.newVerifier(t, func(cfg *verify.Config) {
		cfg.InsecureAllowSHA1 = true
		cfg.InsecureAllowMixedHashes = true
		cfg.InsecureAllowUnsortedAttributes = true
		cfg.InsecureAllowNoSignedAttributes = true
	})
}

// judge returns the reason for which a sample is refused, or "". Whoever the suite
// names must be among those who have signed.
func (s sample) judge(t *testing.T, v *verify.Verifier, suite string) (verify.Reason, error) {
	t.Helper()
	opts := &verify.Options{ContentTypes: []string{"1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"}}
	for _, name := range s.Signers {
		opts.Certificates = append(opts.Certificates, readCertificate(t, suite, name))
	}
	var content io.Reader
	if text, ok := sampleContents[s.File]; ok {
		content = strings.NewReader(text)
	} else if s.Content != nil && *s.Content != "embedded" {
		content = bytes.NewReader(outside.Read(t, suite, *s.Content))
	}
	var sums map[crypto.Hash][]byte
	if sum, ok := sampleDigests[s.File]; ok {
		value, err := hex.DecodeString(sum)
		if err != nil {
			t.Fatal(err)
		}
		sums = map[crypto.Hash][]byte{crypto.SHA256: value}
	}
	der := outside.Read(t, suite, s.File)
	if sums != nil { // cut from a PDF with the zeros behind it
		_, _, err := v.CheckSignatures(t.Context(), der, content, sums, opts)
		wantReason(t, nil, err, verify.ReasonMalformed)
		der = firstElement(t, der)
	}
	signers, _, err := v.CheckSignatures(t.Context(), der, content, sums, opts)
	if err != nil {
		e, ok := errors.AsType[*verify.Error](err)
		if !ok {
			t.Fatalf("got error %T %v", err, err)
		}
		return e.Reason, err
	}
	for _, raw := range opts.Certificates {
		if !slices.ContainsFunc(signers, func(cert *x509.Certificate) bool { return bytes.Equal(raw, cert.Raw) }) {
			return verify.ReasonNoSigner, nil
		}
	}
	return "", nil
}

func readSamples(t *testing.T, suite string) []sample {
	t.Helper()
	var all struct{ Cases []sample }
	outside.ReadJSON(t, &all, suite, "expectations.json")
	return all.Cases
}

func readCertificate(t *testing.T, suite, name string) []byte {
	t.Helper()
	data := outside.Read(t, suite, name)
	if block, _ := pem.Decode(data); block != nil {
		return block.Bytes
	}
	return data
}

// firstElement cuts off what stands behind an element with two length octets.
func firstElement(t *testing.T, data []byte) []byte {
	t.Helper()
	if len(data) < 4 || data[0] != 0x30 || data[1] != 0x82 {
		t.Fatal("no element to cut out")
	}
	return data[:4+int(data[2])<<8+int(data[3])]
}

// The counter-signatures in the samples: one is right, its signer a stranger; one
// has signing-time twice.
func TestSampleCounterSignatures(t *testing.T) {
	w := newWorld(t)
	for name, want := range map[string]verify.Reason{
		"counterSig.p7m":                verify.ReasonUntrusted,
		"cades-double-signing-time.p7m": verify.ReasonSignedAttributes,
	} {
		t.Run(name, func(t *testing.T) {
			_, counter, err := w.tolerant(t).CheckSignatures(t.Context(), outside.Read(t, "dss-cades", name), nil, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(counter) != 1 || counter[0].Err == nil || counter[0].Err.Reason != want {
				t.Errorf("got %+v, want one refused with %s", counter, want)
			}
		})
	}
}

// A message is the whole input.
func TestSampleAlone(t *testing.T) {
	w := newWorld(t)
	data := outside.Read(t, "mbedtls-pkcs7", "pkcs7_data_cert_signed_sha256.der")
	content := outside.Read(t, "mbedtls-pkcs7", "pkcs7_data.bin")
	for name, tt := range map[string]struct {
		der  []byte
		want verify.Reason
	}{
		"alone":              {data, ""},
		"a zero before it":   {append([]byte{0}, data...), verify.ReasonMalformed},
		"a zero behind it":   {append(bytes.Clone(data), 0), verify.ReasonMalformed},
		"twice":              {append(bytes.Clone(data), data...), verify.ReasonMalformed},
		"without its signer": {outside.Read(t, "mbedtls-pkcs7", "pkcs7_data_without_cert_signed.der"), verify.ReasonNoSigner},
	} {
		t.Run(name, func(t *testing.T) {
			signers, _, err := w.tolerant(t).CheckSignatures(t.Context(), tt.der, bytes.NewReader(content), nil, nil)
			var e *verify.Error
			if got := errors.As(err, &e); got != (tt.want != "") || got && e.Reason != tt.want || !got && len(signers) != 1 {
				t.Errorf("got %d signers and %v, want %q", len(signers), err, tt.want)
			}
		})
	}
}
