package verify_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

const filing = "綜合所得稅結算申報書 (測試)"

func TestSignedData(t *testing.T) {
	w := newWorld(t)
	res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, filing, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if string(res.Content) != filing {
		t.Errorf("got content %q, want %q", res.Content, filing)
	}
	if res.Environment != verify.Test || res.AtKind != verify.InstantNow || !res.At.Equal(w.clock.Now()) {
		t.Errorf("got %v, %v, %v, want the test environment, now", res.Environment, res.AtKind, res.At)
	}
	if res.Policy == "" || res.PolicyVersion == "" || res.Profile != "moica-test" {
		t.Errorf("got policy %q %q and profile %q, want them named", res.Policy, res.PolicyVersion, res.Profile)
	}
	s := res.Signers[0]
	want := verify.Identity{Scheme: "tw-moica", SerialNumber: w.card.Person.Number, Name: "王測試", Kind: verify.Citizen,
		Carrier: verify.Card, LastFour: "6789", Generation: "G3"}
	if got := s.Identity; got != want {
		t.Errorf("got another identity than that of the card: %v, want %v", got, want)
	}
	path := []*x509.Certificate{w.card.Cert, w.G3.MOICA.Cert, w.G3.Root.Cert}
	if len(s.Path) != 3 || !s.Path[0].Equal(path[0]) || !s.Path[1].Equal(path[1]) || !s.Path[2].Equal(path[2]) {
		t.Errorf("got a path of %d certificates, want card, MOICA, root", len(s.Path))
	}
	if s.DigestAlgorithm != "SHA-256" || s.SignatureAlgorithm != "RSA-SHA-256" {
		t.Errorf("got %s, %s, want SHA-256, RSA-SHA-256", s.DigestAlgorithm, s.SignatureAlgorithm)
	}
	if !s.SigningTime.Equal(w.clock.Now()) {
		t.Errorf("got signing time %v, want %v", s.SigningTime, w.clock.Now())
	}
	if len(s.Revocation) != 2 || s.Revocation[0].Report.Rung != verify.RungOCSP || s.Revocation[1].Report.Rung != verify.RungOCSP {
		t.Errorf("got %d revocation facts, want two, both learned by OCSP", len(s.Revocation))
	}
	kinds := make(map[verify.EvidenceKind]int)
	for _, e := range res.Evidence {
		kinds[e.Kind]++
	}
	if fmt.Sprint(kinds) != "map[certificate:3 ocsp:2]" {
		t.Errorf("got evidence %v, want three certificates and two OCSP responses", kinds)
	}
}

func TestDetached(t *testing.T) {
	w := newWorld(t)
	detached := w.sign(t, w.card, filing, &pkitest.CMSOptions{Detached: true})
	empty := w.sign(t, w.card, "", &pkitest.CMSOptions{Detached: true})
	attached := w.sign(t, w.card, filing, nil)
	for _, tt := range []struct {
		name    string
		der     []byte
		content string
		want    verify.Reason
	}{
		{"the content", detached, filing, ""},
		{"another content", detached, filing + ".", verify.ReasonDigestMismatch},
		{"no octets", detached, "", verify.ReasonDigestMismatch},
		{"no octets, so signed", empty, "", ""},
		{"attached, equal content", attached, filing, ""},
		{"attached, another content", attached, "x" + filing, verify.ReasonDigestMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.Detached(t.Context(), tt.der, strings.NewReader(tt.content), nil)
			wantReason(t, res, err, tt.want)
		})
	}
	t.Run("no content", func(t *testing.T) {
		res, err := w.verifier.Detached(t.Context(), detached, nil, nil)
		wantReason(t, res, err, verify.ReasonContentMissing)
		res, err = w.verifier.SignedData(t.Context(), detached, nil)
		wantReason(t, res, err, verify.ReasonContentMissing)
	})
}

func TestDigest(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, w.card, filing, &pkitest.CMSOptions{Detached: true})
	sum := sha256.Sum256([]byte(filing))
	other := sha256.Sum256([]byte("another"))
	for _, tt := range []struct {
		name string
		sums map[crypto.Hash][]byte
		want verify.Reason
	}{
		{"the digest", map[crypto.Hash][]byte{crypto.SHA256: sum[:]}, ""},
		{"of another content", map[crypto.Hash][]byte{crypto.SHA256: other[:]}, verify.ReasonDigestMismatch},
		{"by another hash", map[crypto.Hash][]byte{crypto.SHA512: make([]byte, 64)}, verify.ReasonContentMissing},
		{"cut short", map[crypto.Hash][]byte{crypto.SHA256: sum[:31]}, verify.ReasonContentMissing},
		{"none", nil, verify.ReasonContentMissing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.Digest(t.Context(), der, tt.sums, nil)
			wantReason(t, res, err, tt.want)
		})
	}
}

func TestSignature(t *testing.T) {
	w := newWorld(t)
	other := w.issue(t, w.G3)
	line := []byte("a text that a card signs")
	sig, err := w.card.SignPKCS1(line)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cert []byte
		alg  x509.SignatureAlgorithm
		text []byte
		want verify.Reason
	}{
		{"as signed", w.card.Cert.Raw, x509.SHA256WithRSA, line, ""},
		{"another citizen's certificate", other.Cert.Raw, x509.SHA256WithRSA, line, verify.ReasonBadSignature},
		{"another text", w.card.Cert.Raw, x509.SHA256WithRSA, line[1:], verify.ReasonBadSignature},
		{"another hash", w.card.Cert.Raw, x509.SHA512WithRSA, line, verify.ReasonBadSignature},
		{"algorithm of another key", w.card.Cert.Raw, x509.ECDSAWithSHA256, line, verify.ReasonAlgorithm},
		{"SHA-1", w.card.Cert.Raw, x509.SHA1WithRSA, line, verify.ReasonAlgorithm},
		{"no algorithm", w.card.Cert.Raw, 0, line, verify.ReasonAlgorithm},
		{"no certificate", nil, x509.SHA256WithRSA, line, verify.ReasonMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.Signature(t.Context(), tt.cert, tt.alg, tt.text, sig, nil)
			wantReason(t, res, err, tt.want)
		})
	}
}

// Every way in which a message may be wrong gets the reason that names it.
func TestSignedDataRefusals(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		opts pkitest.CMSOptions
		want verify.Reason
	}{
		{"as the component signs", pkitest.CMSOptions{}, ""},
		{"with nonce and card number", pkitest.CMSOptions{Nonce: "abc", CardNumber: true}, ""},
		{"in pieces", pkitest.CMSOptions{Chunks: 7}, ""},
		{"SHA-512", pkitest.CMSOptions{Hash: crypto.SHA512}, ""},
		{"by key identifier", pkitest.CMSOptions{ByKeyID: true}, ""},
		{"RSA-PSS", pkitest.CMSOptions{PSS: &pkitest.PSS{}}, ""},
		{"sha256WithRSAEncryption", pkitest.CMSOptions{SignatureHash: crypto.SHA256}, ""},
		{"CA first, signer second", pkitest.CMSOptions{Certificates: []*x509.Certificate{w.G3.MOICA.Cert, w.card.Cert}}, ""},

		{"bad signature", pkitest.CMSOptions{BreakSignature: true}, verify.ReasonBadSignature},
		{"wrong message-digest", pkitest.CMSOptions{MessageDigest: make([]byte, 32)}, verify.ReasonDigestMismatch},
		{"another content", pkitest.CMSOptions{Content: []byte("another")}, verify.ReasonDigestMismatch},
		{"SHA-1", pkitest.CMSOptions{Hash: crypto.SHA1}, verify.ReasonAlgorithm},
		{"hashes differ", pkitest.CMSOptions{SignatureHash: crypto.SHA512}, verify.ReasonAlgorithm},
		{"unsupported algorithm", pkitest.CMSOptions{RawSignatureAlgorithm: []byte("\x30\x05\x06\x03\x2a\x03\x04")}, verify.ReasonAlgorithm},
		{"RSA-PSS with two hashes", pkitest.CMSOptions{PSS: &pkitest.PSS{MGFHash: crypto.SHA512}}, verify.ReasonAlgorithm},
		{"no certificate", pkitest.CMSOptions{Certificates: []*x509.Certificate{}}, verify.ReasonNoSigner},
		{"no SignerInfo", pkitest.CMSOptions{NoSigners: true}, verify.ReasonNoSigner},
		{"no signedAttrs", pkitest.CMSOptions{NoSignedAttributes: true}, verify.ReasonSignedAttributes},
		{"attributes out of order", pkitest.CMSOptions{AttributeOrder: pkitest.AttributesAsGiven, EditAttributes: reversed}, verify.ReasonNotDER},
		{"message-digest twice", pkitest.CMSOptions{Attributes: []pkitest.Attribute{pkitest.MessageDigest(make([]byte, 32))}}, verify.ReasonSignedAttributes},
		{"no message-digest", pkitest.CMSOptions{EditAttributes: without(pkitest.OIDMessageDigest)}, verify.ReasonSignedAttributes},
		{"no content-type", pkitest.CMSOptions{EditAttributes: without(pkitest.OIDContentType)}, verify.ReasonSignedAttributes},
		{"a time-stamp", pkitest.CMSOptions{ContentType: pkitest.OIDTSTInfo}, verify.ReasonContentType},
		{"trailing bytes", pkitest.CMSOptions{Trailing: []byte{0}}, verify.ReasonMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, filing, &tt.opts), nil)
			wantReason(t, res, err, tt.want)
		})
	}
	for _, tt := range []struct {
		name string
		der  []byte
		want verify.Reason
	}{
		{"empty", nil, verify.ReasonMalformed},
		{"a text", []byte("not a SignedData"), verify.ReasonMalformed},
		{"too deep", bytes.Repeat([]byte{0x30, 0x80}, 2_000_000), verify.ReasonLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), tt.der, nil)
			wantReason(t, res, err, tt.want)
		})
	}
}

func reversed(attributes []pkitest.Attribute) []pkitest.Attribute {
	var out []pkitest.Attribute
	for i := range attributes {
		out = append(out, attributes[len(attributes)-1-i])
	}
	return out
}

func without(oid asn1.ObjectIdentifier) func([]pkitest.Attribute) []pkitest.Attribute {
	return func(attributes []pkitest.Attribute) []pkitest.Attribute {
		var out []pkitest.Attribute
		for _, a := range attributes {
			if !a.Type.Equal(oid) {
				out = append(out, a)
			}
		}
		return out
	}
}

func TestSeveralSigners(t *testing.T) {
	w := newWorld(t)
	second := w.issue(t, w.G2)
	cosigned := func(opts *pkitest.CMSOptions) []byte {
		return w.sign(t, w.card, filing, &pkitest.CMSOptions{
			Certificates: []*x509.Certificate{second.Cert, w.card.Cert},
			CoSigners:    []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: second.Cert, Key: second.Key}, Options: opts}},
		})
	}
	// SignerInfos are a SET: which of them comes first is DER's to say.
	res, err := w.verifier.SignedData(t.Context(), cosigned(&pkitest.CMSOptions{Hash: crypto.SHA512}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Signers) != 2 || res.Signers[0].Identity.Generation == res.Signers[1].Identity.Generation {
		t.Errorf("got signers %v, want one of each generation", res.Signers)
	}
	res, err = w.verifier.SignedData(t.Context(), cosigned(&pkitest.CMSOptions{BreakSignature: true}), nil)
	wantReason(t, res, err, verify.ReasonBadSignature)
}

// Content in the reserved prefix passes as the line that is expected, and as
// nothing else.
func TestStatementLine(t *testing.T) {
	w := newWorld(t)
	line := "citizencert:1/signin/tax.example/tax/1/abc"
	longest := line + strings.Repeat("x", 1024-len(line))
	for _, tt := range []struct {
		name, content, line string
		want                verify.Reason
	}{
		{"the line", line, line, ""},
		{"a document", filing, "", ""},
		{"another line", line, line + "d", verify.ReasonPurpose},
		{"a document for a line", filing, line, verify.ReasonPurpose},
		{"a line for a document", line, "", verify.ReasonPurpose},
		{"with a byte order mark", "\xef\xbb\xbf" + line, "", verify.ReasonPurpose},
		{"UTF-16LE", wide(line), "", verify.ReasonPurpose},
		{"UTF-16LE with a byte order mark", "\xff\xfe" + wide(line), "", verify.ReasonPurpose},
		{"the prefix alone", "citizencert:", "", verify.ReasonPurpose},
		{"almost the prefix", "citizencert", "", ""},
		{"as long as a line may be", longest, longest, ""},
		{"longer than any line", longest + "x", longest + "x", verify.ReasonPurpose},
	} {
		t.Run(tt.name, func(t *testing.T) {
			opts := &verify.Options{Line: tt.line}
			res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, tt.content, nil), opts)
			wantReason(t, res, err, tt.want)
			detached := w.sign(t, w.card, tt.content, &pkitest.CMSOptions{Detached: true})
			res, err = w.verifier.Detached(t.Context(), detached, strings.NewReader(tt.content), opts)
			wantReason(t, res, err, tt.want)
			byDigest := tt.want
			if tt.line == "" {
				byDigest = "" // whoever gives a digest answers for what it is of
			}
			res, err = w.verifier.Digest(t.Context(), detached, sumsOf([]byte(tt.content)), opts)
			wantReason(t, res, err, byDigest)
			sig, err := w.card.SignPKCS1([]byte(tt.content))
			if err != nil {
				t.Fatal(err)
			}
			res, err = w.verifier.Signature(t.Context(), w.card.Cert.Raw, x509.SHA256WithRSA, []byte(tt.content), sig, opts)
			wantReason(t, res, err, tt.want)
		})
	}
}

// The signer's own claim of time decides nothing.
func TestSigningTimeIsAClaim(t *testing.T) {
	w := newWorld(t)
	card := w.issue(t, w.G3, func(tm *pkitest.Template) { tm.NotAfter = noon().Add(time.Hour) })
	der := w.sign(t, card, filing, &pkitest.CMSOptions{SigningTime: noon()})
	w.clock.Set(noon().Add(time.Hour + time.Second))
	res, err := w.verifier.SignedData(t.Context(), der, nil)
	wantReason(t, res, err, verify.ReasonExpired)

	w.clock.Set(noon())
	res, err = w.verifier.SignedData(t.Context(), w.sign(t, card, filing, &pkitest.CMSOptions{SigningTime: noon().AddDate(20, 0, 0)}), nil)
	wantReason(t, res, err, "")
}

// A flipped byte is refused, or lies outside what is signed and changes nothing
// that is returned.
func TestSignedDataMangled(t *testing.T) {
	w := newWorld(t)
	der := w.sign(t, w.card, filing, nil)
	for i := range der {
		der[i] ^= 0x01
		res, err := w.verifier.SignedData(t.Context(), der, nil)
		if err == nil && (string(res.Content) != filing || !res.Signers[0].Path[0].Equal(w.card.Cert)) {
			t.Errorf("byte %d flipped: got another content or signer, want the same or an error", i)
		}
		der[i] ^= 0x01
	}
}
