package verify_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A deviation is refused unless the policy names it, and reported if it does. What
// stands beside each deviation and is worse stays refused.
func TestDeviations(t *testing.T) {
	w := newWorld(t)
	mixed := func(cfg *verify.Config) { cfg.InsecureAllowMixedHashes = true }
	unsorted := func(cfg *verify.Config) { cfg.InsecureAllowUnsortedAttributes = true }
	direct := func(cfg *verify.Config) { cfg.InsecureAllowNoSignedAttributes = true }
	for _, tt := range []struct {
		name    string
		opts    pkitest.CMSOptions
		strict  verify.Reason
		change  func(*verify.Config)
		lenient verify.Reason
		want    []verify.Deviation
	}{
		{"nothing to tolerate", pkitest.CMSOptions{}, "", mixed, "", nil},
		{"SHA-256 and SHA-512", pkitest.CMSOptions{SignatureHash: crypto.SHA512}, verify.ReasonAlgorithm,
			mixed, "", []verify.Deviation{verify.DeviationMixedHashes}},
		{"SHA-256 and PSS with SHA-512", pkitest.CMSOptions{PSS: &pkitest.PSS{Hash: crypto.SHA512}}, verify.ReasonAlgorithm,
			mixed, "", []verify.Deviation{verify.DeviationMixedHashes}},
		{"SHA-1 and SHA-256", pkitest.CMSOptions{Hash: crypto.SHA1, SignatureHash: crypto.SHA256}, verify.ReasonAlgorithm,
			mixed, verify.ReasonAlgorithm, nil},
		{"SHA-256 and SHA-1", pkitest.CMSOptions{SignatureHash: crypto.SHA1}, verify.ReasonAlgorithm,
			mixed, verify.ReasonAlgorithm, nil},
		{"PSS with two hashes of its own", pkitest.CMSOptions{PSS: &pkitest.PSS{MGFHash: crypto.SHA512}}, verify.ReasonAlgorithm,
			mixed, verify.ReasonAlgorithm, nil},

		{"out of order, signed so", pkitest.CMSOptions{AttributeOrder: pkitest.AttributesAsGiven, EditAttributes: reversed}, verify.ReasonNotDER,
			unsorted, "", []verify.Deviation{verify.DeviationUnsortedAttributes}},
		{"out of order, signed sorted", pkitest.CMSOptions{AttributeOrder: pkitest.AttributesSortedForSigning, EditAttributes: reversed}, verify.ReasonNotDER,
			unsorted, verify.ReasonBadSignature, nil},

		{"no signedAttrs", pkitest.CMSOptions{NoSignedAttributes: true}, verify.ReasonSignedAttributes,
			direct, "", []verify.Deviation{verify.DeviationNoSignedAttributes}},
		{"no signedAttrs, in pieces", pkitest.CMSOptions{NoSignedAttributes: true, Chunks: 5}, verify.ReasonSignedAttributes,
			direct, "", []verify.Deviation{verify.DeviationNoSignedAttributes}},
		{"no signedAttrs, another content", pkitest.CMSOptions{NoSignedAttributes: true, Content: []byte("another")}, verify.ReasonSignedAttributes,
			direct, verify.ReasonBadSignature, nil},
		{"no signedAttrs, a time-stamp", pkitest.CMSOptions{NoSignedAttributes: true, ContentType: pkitest.OIDTSTInfo}, verify.ReasonContentType,
			direct, verify.ReasonContentType, nil},
		{"no signedAttrs, two hashes", pkitest.CMSOptions{NoSignedAttributes: true, SignatureHash: crypto.SHA512}, verify.ReasonAlgorithm,
			func(cfg *verify.Config) { direct(cfg); mixed(cfg) }, verify.ReasonAlgorithm, nil},
		{"no signedAttrs, bad signature", pkitest.CMSOptions{NoSignedAttributes: true, BreakSignature: true}, verify.ReasonSignedAttributes,
			direct, verify.ReasonBadSignature, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der := w.sign(t, w.card, filing, &tt.opts)
			res, err := w.verifier.SignedData(t.Context(), der, nil)
			wantReason(t, res, err, tt.strict)
			res, err = w.newVerifier(t, tt.change).SignedData(t.Context(), der, nil)
			wantReason(t, res, err, tt.lenient)
			if err == nil && !slices.Equal(res.Signers[0].Deviations, tt.want) {
				t.Errorf("got deviations %v, want %v", res.Signers[0].Deviations, tt.want)
			}
		})
	}
}

// Without signedAttrs, whatever may be a set of attributes is not content: it may
// have been signed as the attributes of something else.
func TestAttributesAsContent(t *testing.T) {
	w := newWorld(t)
	v := w.newVerifier(t, func(cfg *verify.Config) { cfg.InsecureAllowNoSignedAttributes = true })
	attributes := func(size int, more ...pkitest.Attribute) string {
		filler := pkitest.Attribute{Type: pkitest.OIDRandomNonce, Values: [][]byte{pkitest.MessageDigest(make([]byte, size)).Values[0]}}
		return string(pkitest.EncodeAttributes(append(more, filler)))
	}
	digest := pkitest.MessageDigest(make([]byte, 32))
	genuine := attributes(1, digest)
	nested := func(levels int) pkitest.Attribute {
		value := []byte{5, 0}
		for range levels {
			value = dertest.TLV(0x30, value)
		}
		return pkitest.Attribute{Type: pkitest.OIDCardNumber, Values: [][]byte{value}}
	}
	for _, tt := range []struct {
		name, content string
		want          verify.Reason
	}{
		{"attributes", genuine, verify.ReasonSignedAttributes},
		{"attributes of 500 bytes", attributes(500, digest), verify.ReasonSignedAttributes},
		{"attributes of 100 KB", attributes(100<<10, digest), verify.ReasonSignedAttributes},
		{"attributes of 2 MB", attributes(2<<20, digest), verify.ReasonSignedAttributes},
		{"attributes of 40 levels", attributes(1, digest, nested(40)), verify.ReasonSignedAttributes},
		{"attributes of 40 levels without message-digest", attributes(1, nested(40)), verify.ReasonSignedAttributes},
		{"attributes of 4 levels without message-digest", attributes(1, nested(4)), ""},
		{"attributes of indefinite length", "\x31\x80" + genuine[2:] + "\x00\x00", verify.ReasonSignedAttributes},
		{"attributes without message-digest", attributes(1), ""},
		{"attributes and a byte", genuine + "0", ""},
		{"attributes but a byte", genuine[:len(genuine)-1], ""},
		{"a text", "120 測試", ""},
		{"a text as long as it says", "1" + string(rune(0x40)) + "0" + strings.Repeat("x", 0x3f), ""},
		{"one byte", "1", ""},
		{"two bytes", "10", ""},
		{"an empty set", "\x31\x00", ""},
		{"a set of another kind", "\x31\x03\x02\x01\x01", ""},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := v.SignedData(t.Context(), w.sign(t, w.card, tt.content, &pkitest.CMSOptions{NoSignedAttributes: true}), nil)
			wantReason(t, res, err, tt.want)
			res, err = v.SignedData(t.Context(), w.sign(t, w.card, tt.content, &pkitest.CMSOptions{NoSignedAttributes: true, Chunks: 30}), nil)
			wantReason(t, res, err, tt.want)
			detached := w.sign(t, w.card, tt.content, &pkitest.CMSOptions{NoSignedAttributes: true, Detached: true})
			res, err = v.Detached(t.Context(), detached, strings.NewReader(tt.content), nil)
			wantReason(t, res, err, tt.want)
		})
	}
	t.Run("by digest", func(t *testing.T) {
		der := w.sign(t, w.card, filing, &pkitest.CMSOptions{NoSignedAttributes: true, Detached: true})
		sum := sha256.Sum256([]byte(filing))
		res, err := v.Digest(t.Context(), der, map[crypto.Hash][]byte{crypto.SHA256: sum[:]}, nil)
		wantReason(t, res, err, verify.ReasonSignedAttributes)
	})
	t.Run("Ed25519", func(t *testing.T) {
		card := w.issue(t, w.G3, func(tm *pkitest.Template) { tm.KeyAlgorithm = x509.Ed25519 })
		res, err := v.SignedData(t.Context(), w.sign(t, card, filing, &pkitest.CMSOptions{NoSignedAttributes: true}), nil)
		wantReason(t, res, err, verify.ReasonAlgorithm)
		res, err = v.SignedData(t.Context(), w.sign(t, card, filing, nil), nil)
		wantReason(t, res, err, "")
	})
}

// A type of content is accepted if the caller asks for it.
func TestContentTypes(t *testing.T) {
	w := newWorld(t)
	const signedData, tstInfo = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
	data := w.sign(t, w.card, filing, nil)
	stamp := w.sign(t, w.card, filing, &pkitest.CMSOptions{ContentType: pkitest.OIDTSTInfo})
	for _, tt := range []struct {
		name  string
		der   []byte
		types []string
		want  verify.Reason
	}{
		{"data", data, nil, ""},
		{"a time-stamp", stamp, nil, verify.ReasonContentType},
		{"a time-stamp where one is expected", stamp, []string{tstInfo}, ""},
		{"data where a time-stamp is expected", data, []string{tstInfo}, verify.ReasonContentType},
		{"one of two", stamp, []string{signedData, tstInfo}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), tt.der, &verify.Options{ContentTypes: tt.types})
			wantReason(t, res, err, tt.want)
		})
	}
}

// A line in UTF-16LE passes for the line under the option, and as nothing else.
func TestUTF16Line(t *testing.T) {
	w := newWorld(t)
	lenient := w.newVerifier(t, func(cfg *verify.Config) { cfg.InsecureAllowUTF16Line = true })
	line := "citizencert:1/signin/tax.example/tax/1/abc"
	deviation := []verify.Deviation{verify.DeviationUTF16Line}
	for _, tt := range []struct {
		name, content, line string
		want                verify.Reason
		deviations          []verify.Deviation
	}{
		{"UTF-8", line, line, "", nil},
		{"UTF-16LE", wide(line), line, "", deviation},
		{"with byte order mark", "\xff\xfe" + wide(line), line, "", deviation},
		{"with two", "\xff\xfe\xff\xfe" + wide(line), line, verify.ReasonPurpose, nil},
		{"another line", wide(line + "d"), line, verify.ReasonPurpose, nil},
		{"a line and more", wide(line) + "\x00", line, verify.ReasonPurpose, nil},
		{"UTF-8 with byte order mark", "\xef\xbb\xbf" + line, line, verify.ReasonPurpose, nil},
		{"for a document", wide(line), "", verify.ReasonPurpose, nil},
		{"as long as a line may be", wide(strings.Repeat("x", 1024)), strings.Repeat("x", 1024), "", deviation},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := &verify.Options{Line: tt.line}
			check := func(res *verify.Result, err error) {
				t.Helper()
				wantReason(t, res, err, tt.want)
				if err == nil && !slices.Equal(res.Signers[0].Deviations, tt.deviations) {
					t.Errorf("got deviations %v, want %v", res.Signers[0].Deviations, tt.deviations)
				}
			}
			check(lenient.SignedData(t.Context(), w.sign(t, w.card, tt.content, nil), opts))
			detached := w.sign(t, w.card, tt.content, &pkitest.CMSOptions{Detached: true})
			check(lenient.Detached(t.Context(), detached, strings.NewReader(tt.content), opts))
			sig, err := w.card.SignPKCS1([]byte(tt.content))
			if err != nil {
				t.Fatal(err)
			}
			check(lenient.Signature(t.Context(), w.card.Cert.Raw, x509.SHA256WithRSA, []byte(tt.content), sig, opts))
			if bytes.Contains([]byte(tt.content), []byte{0}) {
				res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, tt.content, nil), opts)
				wantReason(t, res, err, verify.ReasonPurpose)
			}
		})
	}
}

// What old desktop components sign is read under a policy that names all of it, and
// under none that names less.
func TestLegacyDesktop(t *testing.T) {
	w := newWorld(t)
	line := "citizencert:1/signin/tax.example/tax/1/abc"
	everything := func(cfg *verify.Config) {
		cfg.InsecureAllowSHA1, cfg.InsecureAllowNoSignedAttributes, cfg.InsecureAllowUTF16Line = true, true, true
	}
	attached := w.sign(t, w.card, wide(line), &pkitest.CMSOptions{Hash: crypto.SHA1, NoSignedAttributes: true})
	detached := w.sign(t, w.card, filing, &pkitest.CMSOptions{Hash: crypto.SHA1, NoSignedAttributes: true, Detached: true,
		Certificates: []*x509.Certificate{w.G3.MOICA.Cert, w.card.Cert}})
	for _, tt := range []struct {
		name   string
		change func(*verify.Config)
		want   verify.Reason
	}{
		{"everything", everything, ""},
		{"but SHA-1", func(cfg *verify.Config) { everything(cfg); cfg.InsecureAllowSHA1 = false }, verify.ReasonAlgorithm},
		{"but no signedAttrs", func(cfg *verify.Config) { everything(cfg); cfg.InsecureAllowNoSignedAttributes = false }, verify.ReasonSignedAttributes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := w.newVerifier(t, tt.change)
			res, err := v.SignedData(t.Context(), attached, &verify.Options{Line: line})
			wantReason(t, res, err, tt.want)
			res, err = v.Detached(t.Context(), detached, strings.NewReader(filing), nil)
			wantReason(t, res, err, tt.want)
		})
	}
	v := w.newVerifier(t, func(cfg *verify.Config) { everything(cfg); cfg.InsecureAllowUTF16Line = false })
	res, err := v.SignedData(t.Context(), attached, &verify.Options{Line: line})
	wantReason(t, res, err, verify.ReasonPurpose)
}

// A trace claims nothing that was not checked: what the policy has waived is told,
// and so are the signers that did not have to pass.
func TestExplainDeviations(t *testing.T) {
	w := newWorld(t)
	v := w.newVerifier(t, func(cfg *verify.Config) { cfg.InsecureAllowNoSignedAttributes = true })
	res, err := v.SignedData(t.Context(), w.sign(t, w.card, filing, &pkitest.CMSOptions{NoSignedAttributes: true}), nil)
	if err != nil {
		t.Fatal(err)
	}
	waived := false
	for _, step := range res.Explain() {
		if step.Check == verify.CheckAttributes {
			waived = step.Outcome == verify.Skipped && strings.Contains(step.Detail, string(verify.DeviationNoSignedAttributes))
		}
	}
	if !waived {
		t.Errorf("got trace %v, want the signed attributes told as waived", res.Explain())
	}

	bad := pkitest.CoSigner{Signer: pkitest.Signer{Cert: w.card.Cert, Key: w.card.Key}, Options: &pkitest.CMSOptions{BreakSignature: true}}
	der := w.sign(t, w.card, filing, &pkitest.CMSOptions{CoSigners: []pkitest.CoSigner{bad}})
	if res, err = w.verifier.SignedData(t.Context(), der, &verify.Options{InsecureMinSigners: 1}); err != nil {
		t.Fatal(err)
	}
	trace := res.Explain()
	if last := trace[len(trace)-1]; last.Outcome != verify.Refused || last.Check != verify.CheckSignature {
		t.Errorf("got last step %v, want the signature that was refused", last)
	}
}
