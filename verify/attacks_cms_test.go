package verify_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"hash"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// An attack is a way to have something accepted that must be refused, or a
// neighbour of one that must pass.
type attack struct {
	name string
	opts pkitest.CMSOptions
	want verify.Reason
}

// TestAttacks has a subtest for each number of the corpus.
func TestAttacks(t *testing.T) {
	w := newWorld(t)
	for number, attacks := range cmsAttacks(t, w) {
		t.Run(number, func(t *testing.T) {
			for _, a := range attacks {
				t.Run(a.name, func(t *testing.T) {
					res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, filing, &a.opts), nil)
					wantReason(t, res, err, a.want)
				})
			}
		})
	}
	for number, run := range pathAttacks {
		t.Run(number, func(t *testing.T) { run(t, w) })
	}
	for number, run := range revocationAttacks {
		t.Run(number, run)
	}
	t.Run("S01 signed attributes as content", func(t *testing.T) { attackAttributesAsContent(t, w) })
	t.Run("S08 detached without content", func(t *testing.T) { attackWithoutContent(t, w) })
	t.Run("S09 two contents", func(t *testing.T) { attackTwoContents(t, w) })
	t.Run("S10 nesting", func(t *testing.T) { attackNesting(t, w) })
	t.Run("S11 many elements", func(t *testing.T) { attackManyElements(t, w) })
	t.Run("S20 prefixes", func(t *testing.T) { attackPrefixes(t, w) })
	t.Run("S21 another signature of the same filing", func(t *testing.T) { attackMalleable(t, w) })
	t.Run("S24 another encoding", func(t *testing.T) { attackEncoding(t, w) })
	t.Run("S22 evidence of the signer's own", func(t *testing.T) { attackOwnEvidence(t, w) })
	t.Run("S23 time-stamps", attackTimestamps)
}

func cmsAttacks(t *testing.T, w *world) map[string][]attack {
	other := w.issue(t, w.G3)
	twice := func(a pkitest.Attribute) pkitest.CMSOptions {
		return pkitest.CMSOptions{Attributes: []pkitest.Attribute{a, a}}
	}
	values := func(a pkitest.Attribute, n int) pkitest.CMSOptions {
		value := a.Values[0]
		a.Values = nil
		for range n {
			a.Values = append(a.Values, value)
		}
		return pkitest.CMSOptions{EditAttributes: func(attributes []pkitest.Attribute) []pkitest.Attribute {
			return append(without(a.Type)(attributes), a)
		}}
	}
	one := func(a pkitest.Attribute) pkitest.CMSOptions {
		return pkitest.CMSOptions{Attributes: []pkitest.Attribute{a}}
	}
	mine := pkitest.SigningCertificateV2(w.card.Cert, crypto.SHA256)
	protection := pkitest.AlgorithmProtection(crypto.SHA256, pkitest.OIDRSAEncryption)
	contentType := pkitest.Attribute{Type: pkitest.OIDContentType, Values: [][]byte{[]byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")}}
	certificates := func(n int) pkitest.CMSOptions {
		all := []*x509.Certificate{w.card.Cert}
		for len(all) < n {
			decoy := *other.Cert
			decoy.Raw = bytes.Clone(decoy.Raw)
			big.NewInt(int64(len(all))).FillBytes(decoy.Raw[len(decoy.Raw)-4:])
			all = append(all, &decoy)
		}
		return pkitest.CMSOptions{Certificates: all}
	}
	attributes := func(n int) pkitest.CMSOptions {
		var more []pkitest.Attribute
		for i := range n - 3 {
			more = append(more, pkitest.Attribute{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, i}, Values: [][]byte{{5, 0}}})
		}
		return pkitest.CMSOptions{Attributes: more}
	}
	signers := func(n int) pkitest.CMSOptions {
		var more []pkitest.CoSigner
		for i := range n - 1 {
			at := noon().Add(time.Duration(i+1) * time.Minute)
			more = append(more, pkitest.CoSigner{Signer: pkitest.Signer{Cert: w.card.Cert, Key: w.card.Key}, Options: &pkitest.CMSOptions{SigningTime: at}})
		}
		return pkitest.CMSOptions{CoSigners: more}
	}
	return map[string][]attack{
		"S03 content type": {
			{"another content-type attribute", values(pkitest.Attribute{Type: pkitest.OIDContentType, Values: [][]byte{[]byte("\x06\x01\x2a")}}, 1), verify.ReasonContentType},
			{"no content-type attribute", pkitest.CMSOptions{EditAttributes: without(pkitest.OIDContentType)}, verify.ReasonSignedAttributes},
			{"a time-stamp", pkitest.CMSOptions{ContentType: pkitest.OIDTSTInfo}, verify.ReasonContentType},
			{"a SignedData", pkitest.CMSOptions{ContentType: pkitest.OIDSignedData}, verify.ReasonContentType},
		},
		"S04 attributes once": {
			{"message-digest, right then wrong", one(pkitest.MessageDigest(make([]byte, 32))), verify.ReasonSignedAttributes},
			{"message-digest, no value", values(pkitest.MessageDigest(nil), 0), verify.ReasonSignedAttributes},
			{"message-digest, two values", values(pkitest.MessageDigest(make([]byte, 32)), 2), verify.ReasonSignedAttributes},
			{"content-type twice", one(contentType), verify.ReasonSignedAttributes},
			{"content-type, two values", values(contentType, 2), verify.ReasonSignedAttributes},
			{"signing-certificate once", one(mine), ""},
			{"signing-certificate twice", twice(mine), verify.ReasonSignedAttributes},
			{"signing-certificate, two values", values(mine, 2), verify.ReasonSignedAttributes},
			{"algorithm protection once", one(protection), ""},
			{"algorithm protection twice", twice(protection), verify.ReasonSignedAttributes},
		},
		"S05 signing time": {
			{"post-dated", pkitest.CMSOptions{SigningTime: noon().AddDate(20, 0, 0)}, ""},
			{"back-dated", pkitest.CMSOptions{SigningTime: noon().AddDate(-20, 0, 0)}, ""},
		},
		"S06 weak digests": {
			{"SHA-1", pkitest.CMSOptions{Hash: crypto.SHA1}, verify.ReasonAlgorithm},
			{"MD5", pkitest.CMSOptions{Hash: crypto.MD5}, verify.ReasonAlgorithm},
			{"SHA-1 under SHA-256", pkitest.CMSOptions{Hash: crypto.SHA1, SignatureHash: crypto.SHA256}, verify.ReasonAlgorithm},
			{"SHA-256 and SHA-512", pkitest.CMSOptions{SignatureHash: crypto.SHA512}, verify.ReasonAlgorithm},
		},
		"S07 trailing bytes": {
			{"a zero", pkitest.CMSOptions{Trailing: []byte{0}}, verify.ReasonMalformed},
			{"another value", pkitest.CMSOptions{Trailing: []byte{5, 0}}, verify.ReasonMalformed},
		},
		"S12 numbers": {
			{"64 certificates", certificates(64), ""},
			{"65 certificates", certificates(65), verify.ReasonLimit},
			{"64 attributes", attributes(64), ""},
			{"65 attributes", attributes(65), verify.ReasonLimit},
			{"16 signers", signers(16), ""},
			{"17 signers", signers(17), verify.ReasonLimit},
			{"a SignerInfo copied", pkitest.CMSOptions{Repeat: 1}, verify.ReasonMalformed},
		},
		"S13 signer by key identifier": {
			{"one certificate", pkitest.CMSOptions{ByKeyID: true}, ""},
			{"others beside", pkitest.CMSOptions{ByKeyID: true, Certificates: []*x509.Certificate{other.Cert, w.G3.MOICA.Cert, w.card.Cert}}, ""},
			{"a decoy with that identifier", pkitest.CMSOptions{ByKeyID: true, Certificates: []*x509.Certificate{w.decoy(t), w.card.Cert}}, ""},
			{"empty", pkitest.CMSOptions{RawSignerID: []byte{0x80, 0}}, verify.ReasonNoSigner},
		},
		"S14 pieces": {
			{"one", pkitest.CMSOptions{Chunks: 1}, ""},
			{"two", pkitest.CMSOptions{Chunks: 2}, ""},
			{"forty", pkitest.CMSOptions{Chunks: 40}, ""},
			{"a foreign piece", pkitest.CMSOptions{RawContent: append([]byte("\x24\x80\x04\x01x\x0c\x01y"), 0, 0)}, verify.ReasonMalformed},
			{"first piece is what was signed", pkitest.CMSOptions{RawContent: pieces(filing, "unsigned")}, verify.ReasonDigestMismatch},
		},
		"S15 order of certificates": {
			{"CA first", pkitest.CMSOptions{Certificates: []*x509.Certificate{w.G3.MOICA.Cert, w.card.Cert}}, ""},
			{"another citizen first", pkitest.CMSOptions{Certificates: []*x509.Certificate{other.Cert, w.card.Cert}}, ""},
			{"another citizen alone", pkitest.CMSOptions{Certificates: []*x509.Certificate{other.Cert}}, verify.ReasonNoSigner},
		},
		"S16 order of attributes": {
			{"as given, signed so", pkitest.CMSOptions{AttributeOrder: pkitest.AttributesAsGiven, EditAttributes: reversed}, verify.ReasonNotDER},
			{"as given, signed sorted", pkitest.CMSOptions{AttributeOrder: pkitest.AttributesSortedForSigning, EditAttributes: reversed}, verify.ReasonNotDER},
		},
		"S17 what the signer meant": {
			{"its certificate", one(mine), ""},
			{"its certificate by SHA-512", one(pkitest.SigningCertificateV2(w.card.Cert, crypto.SHA512)), ""},
			{"another certificate", one(pkitest.SigningCertificateV2(other.Cert, crypto.SHA256)), verify.ReasonSignedAttributes},
			{"another certificate first", one(signingCertificate(pkitest.OIDSigningCertificateV2, nil, sha256.New, other.Cert, w.card.Cert)), verify.ReasonSignedAttributes},
			{"its certificate first", one(signingCertificate(pkitest.OIDSigningCertificateV2, nil, sha256.New, w.card.Cert, other.Cert)), ""},
			{"its certificate in the first version", one(signingCertificate(oidSigningCertificate, nil, sha1.New, w.card.Cert)), ""},
			{"another certificate in the first version", one(signingCertificate(oidSigningCertificate, nil, sha1.New, other.Cert)), verify.ReasonSignedAttributes},
			{"another length in the first version", one(signingCertificate(oidSigningCertificate, nil, sha256.New, w.card.Cert)), verify.ReasonSignedAttributes},
			{"another hash in the first version", one(signingCertificate(oidSigningCertificate, sha256Identifier, sha256.New, w.card.Cert)), verify.ReasonMalformed},
			{"no certificate", one(signingCertificate(pkitest.OIDSigningCertificateV2, nil, sha256.New)), verify.ReasonMalformed},
			{"its algorithms", one(protection), ""},
			{"another digest", one(pkitest.AlgorithmProtection(crypto.SHA512, pkitest.OIDRSAEncryption)), verify.ReasonSignedAttributes},
			{"another signature", one(pkitest.AlgorithmProtection(crypto.SHA256, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11})), verify.ReasonSignedAttributes},
		},
		"S18 RSA-PSS": {
			{"consistent", pkitest.CMSOptions{PSS: &pkitest.PSS{}}, ""},
			{"mask generation by another hash", pkitest.CMSOptions{PSS: &pkitest.PSS{MGFHash: crypto.SHA512}}, verify.ReasonAlgorithm},
			{"another hash than the digest", pkitest.CMSOptions{PSS: &pkitest.PSS{Hash: crypto.SHA512}}, verify.ReasonAlgorithm},
			{"another salt than declared", pkitest.CMSOptions{PSS: &pkitest.PSS{SaltLength: 20}, DeclaredPSS: &pkitest.PSS{}}, verify.ReasonBadSignature},
			{"another trailer", pkitest.CMSOptions{PSS: &pkitest.PSS{TrailerField: 2}}, verify.ReasonAlgorithm},
		},
		"S19 signers": {
			{"none", pkitest.CMSOptions{NoSigners: true}, verify.ReasonNoSigner},
			{"two", signers(2), ""},
			{"none, and no content", pkitest.CMSOptions{NoSigners: true, Detached: true}, verify.ReasonNoSigner},
			{"two, one bad", pkitest.CMSOptions{CoSigners: []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: w.card.Cert, Key: w.card.Key}, Options: &pkitest.CMSOptions{BreakSignature: true}}}}, verify.ReasonBadSignature},
		},
	}
}

// signingCertificate is an ESS attribute of either version that names certificates
// by a hash, which identifier says if it is not nil.
func signingCertificate(oid asn1.ObjectIdentifier, identifier []byte, newHash func() hash.Hash, certs ...*x509.Certificate) pkitest.Attribute {
	var ids []byte
	for _, cert := range certs {
		h := newHash()
		h.Write(cert.Raw)
		ids = append(ids, dertest.TLV(0x30, identifier, dertest.TLV(0x04, h.Sum(nil)))...)
	}
	return pkitest.Attribute{Type: oid, Values: [][]byte{dertest.TLV(0x30, dertest.TLV(0x30, ids))}}
}

var (
	oidSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	sha256Identifier      = []byte("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01")
)

// decoy is a certificate with the key identifier of the world's card and another
// key, from nobody.
func (w *world) decoy(t testing.TB) *x509.Certificate {
	t.Helper()
	stranger, err := w.SelfSigned(pkitest.Template{})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := stranger.Issue(pkitest.Template{SubjectKeyID: w.card.Cert.SubjectKeyId})
	if err != nil {
		t.Fatal(err)
	}
	return issued.Cert
}

// pieces encodes a constructed OCTET STRING.
func pieces(parts ...string) []byte {
	var b cryptobyte.Builder
	b.AddASN1(0x24, func(b *cryptobyte.Builder) {
		for _, part := range parts {
			b.AddASN1OctetString([]byte(part))
		}
	})
	return b.BytesOrPanic()
}

func attackAttributesAsContent(t *testing.T, w *world) {
	sum := crypto.SHA256.New()
	sum.Write([]byte(filing))
	attributes := pkitest.EncodeAttributes([]pkitest.Attribute{
		{Type: pkitest.OIDContentType, Values: [][]byte{[]byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")}},
		pkitest.MessageDigest(sum.Sum(nil)),
	})
	der := w.sign(t, w.card, string(attributes), &pkitest.CMSOptions{NoSignedAttributes: true})
	tolerant := w.tolerant(t)
	for _, v := range []*verify.Verifier{w.verifier, tolerant} {
		res, err := v.SignedData(t.Context(), der, nil)
		wantReason(t, res, err, verify.ReasonSignedAttributes)
	}
	// The signature of a genuine message is one over its attributes, for whoever takes
	// them for a text.
	bare, err := w.card.SignPKCS1([]byte(attributes))
	if err != nil {
		t.Fatal(err)
	}
	res, err := w.verifier.Signature(t.Context(), w.card.Cert.Raw, x509.SHA256WithRSA, attributes, bare, nil)
	wantReason(t, res, err, verify.ReasonPurpose)
	if bare, err = w.card.SignPKCS1(attributes[2:]); err != nil {
		t.Fatal(err)
	}
	res, err = w.verifier.Signature(t.Context(), w.card.Cert.Raw, x509.SHA256WithRSA, attributes[2:], bare, nil)
	wantReason(t, res, err, "")

	der = w.sign(t, w.card, filing, &pkitest.CMSOptions{NoSignedAttributes: true})
	res, err = w.verifier.SignedData(t.Context(), der, nil)
	wantReason(t, res, err, verify.ReasonSignedAttributes)
	res, err = tolerant.SignedData(t.Context(), der, nil)
	wantReason(t, res, err, "")
}

func attackWithoutContent(t *testing.T, w *world) {
	der := w.sign(t, w.card, "", &pkitest.CMSOptions{Detached: true})
	res, err := w.verifier.SignedData(t.Context(), der, nil)
	wantReason(t, res, err, verify.ReasonContentMissing)
	res, err = w.verifier.Detached(t.Context(), der, nil, nil)
	wantReason(t, res, err, verify.ReasonContentMissing)
	res, err = w.verifier.Detached(t.Context(), der, strings.NewReader(""), nil)
	wantReason(t, res, err, "")
	res, err = w.verifier.SignedData(t.Context(), w.sign(t, w.card, "", nil), nil)
	wantReason(t, res, err, "")
}

func attackTwoContents(t *testing.T, w *world) {
	der := w.sign(t, w.card, filing, nil)
	res, err := w.verifier.Detached(t.Context(), der, strings.NewReader("another"), nil)
	wantReason(t, res, err, verify.ReasonDigestMismatch)
	res, err = w.verifier.Detached(t.Context(), der, strings.NewReader(filing), nil)
	wantReason(t, res, err, "")
	// What is signed is given, what stands inside is something else.
	der = w.sign(t, w.card, filing, &pkitest.CMSOptions{Content: []byte("another")})
	res, err = w.verifier.Detached(t.Context(), der, strings.NewReader(filing), nil)
	wantReason(t, res, err, verify.ReasonDigestMismatch)
}

// Of an ECDSA signature (r, s) anybody can make (r, n-s), which verifies too. It is
// the same filing: what tells filings apart is content and signer.
func attackMalleable(t *testing.T, w *world) {
	card := w.issue(t, w.G3, func(tm *pkitest.Template) { tm.KeyAlgorithm = x509.ECDSA })
	var first []byte
	der := w.sign(t, card, filing, &pkitest.CMSOptions{Detached: true, EditAttributes: func(a []pkitest.Attribute) []pkitest.Attribute {
		first = pkitest.EncodeAttributes(a)
		return a
	}})
	sum := crypto.SHA256.New()
	sum.Write(first)
	sig, err := ecdsa.SignASN1(nil, card.Key.(*ecdsa.PrivateKey), sum.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &pair); err != nil {
		t.Fatal(err)
	}
	pair.S.Sub(card.Key.(*ecdsa.PrivateKey).Params().N, pair.S)
	mirrored, err := asn1.Marshal(pair)
	if err != nil {
		t.Fatal(err)
	}
	again := w.sign(t, card, filing, &pkitest.CMSOptions{Detached: true, Signature: mirrored})
	var identities []verify.Identity
	for _, der := range [][]byte{der, again} {
		res, err := w.verifier.Detached(t.Context(), der, strings.NewReader(filing), nil)
		wantReason(t, res, err, "")
		if err == nil {
			identities = append(identities, res.Signers[0].Identity)
		}
	}
	if len(identities) != 2 || identities[0] != identities[1] {
		t.Error("got two signers, want one and the same")
	}
}

// Evidence that a signer embeds is judged like any other.
func attackOwnEvidence(t *testing.T, w *world) {
	sibling := w.issue(t, w.G3)
	revoked := w.issue(t, w.G3)
	w.G3.MOICA.Revoke(revoked.Cert, noon(), pkitest.ReasonKeyCompromise)
	answer := func(o pkitest.OCSPOptions) []byte {
		o.Responses = []pkitest.SingleResponse{{Status: pkitest.OCSPGood}}
		der, err := w.G3.MOICA.OCSP(revoked.Cert, o)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	forged := answer(pkitest.OCSPOptions{Signer: &pkitest.Signer{Cert: sibling.Cert, Key: sibling.Key}})
	res, err := w.verifier.SignedData(t.Context(), w.sign(t, revoked, filing, &pkitest.CMSOptions{OCSPs: [][]byte{forged}}), nil)
	wantReason(t, res, err, verify.ReasonRevoked)

	// Genuine evidence from before the revocation, still within its time, does not keep
	// anybody from being asked: it counts where nobody answers.
	w = newWorld(t)
	stolen := w.issue(t, w.G3)
	lists, err := w.G3.MOICA.CRL(pkitest.CRLOptions{Partition: true})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := w.G3.MOICA.OCSP(stolen.Cert, pkitest.OCSPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Minute)
	w.G3.MOICA.Revoke(stolen.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
	for name, opts := range map[string]*pkitest.CMSOptions{
		"a list": {CRLs: [][]byte{lists}}, "an answer": {OCSPs: [][]byte{answers}},
	} {
		der := w.sign(t, stolen, filing, opts)
		for _, use := range []verify.Use{verify.UseSignIn, verify.UseFiling} {
			res, err := w.newVerifier(t, nil).SignedData(t.Context(), der, &verify.Options{Use: use})
			t.Run(name, func(t *testing.T) { wantReason(t, res, err, verify.ReasonRevoked) })
		}
		silent := w.offline(t)
		res, err := w.newVerifier(t, func(cfg *verify.Config) { cfg.Status = silent }).SignedData(t.Context(), der, nil)
		t.Run(name+", and nobody answers", func(t *testing.T) { wantReason(t, res, err, "") })
		last := func(cfg *verify.Config) { cfg.Status = append(silent, cfg.Status...) }
		res, err = w.newVerifier(t, last).SignedData(t.Context(), der, nil)
		t.Run(name+", and the last source answers", func(t *testing.T) { wantReason(t, res, err, verify.ReasonRevoked) })
	}
}

// offline returns sources that know the list of the root, and what they are given.
func (w *world) offline(t *testing.T) []verify.StatusSource {
	t.Helper()
	responders, err := ocspclient.New(ocspclient.Config{Offline: true, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	lists, err := crl.New(crl.Config{Offline: true, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { responders.Close(); lists.Close() })
	root, err := w.G3.Root.CRL(pkitest.CRLOptions{})
	if err == nil {
		err = lists.Add(root, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return []verify.StatusSource{responders, lists}
}

// A line is compared byte by byte: the same text in another encoding is another
// content.
func attackEncoding(t *testing.T, w *world) {
	line := "citizencert:1/signin/tax.example/tax/1/abc"
	for name, content := range map[string]string{
		"UTF-16LE": wide(line), "with a byte order mark": "\xef\xbb\xbf" + line, "with a line break": line + "\n", "in upper case": strings.ToUpper(line),
	} {
		t.Run(name, func(t *testing.T) {
			res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, content, nil), &verify.Options{Line: line})
			wantReason(t, res, err, verify.ReasonPurpose)
		})
	}
	res, err := w.verifier.SignedData(t.Context(), w.sign(t, w.card, line, nil), &verify.Options{Line: line})
	wantReason(t, res, err, "")
}

// wide is ASCII text in UTF-16LE.
func wide(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}
