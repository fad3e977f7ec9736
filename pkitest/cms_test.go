package pkitest_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"

	"github.com/citizencert/citizencert/pkitest"
)

var document = []byte("綜合所得稅申報書 測試")

func sign(t *testing.T, card *pkitest.Card, content []byte, opts *pkitest.CMSOptions) []byte {
	t.Helper()
	der, err := card.SignPKCS7(content, opts)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// parse reads a SignedData with an implementation that is not ours.
func parse(t *testing.T, der []byte) *pkcs7.PKCS7 {
	t.Helper()
	p7, err := pkcs7.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return p7
}

func TestSignPKCS1(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	signature, err := card.SignPKCS1(document)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(document)
	if err := rsa.VerifyPKCS1v15(card.Cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], signature); err != nil {
		t.Error(err)
	}
}

func TestSignPKCS7(t *testing.T) {
	t.Parallel()
	pki, clock := newPKI(t)
	card := newCard(t, pki.G3)
	p7 := parse(t, sign(t, card, document, &pkitest.CMSOptions{Nonce: "bm9uY2U", CardNumber: true}))
	if err := p7.VerifyWithChainAtTime(pool(pki.G3.Root.Cert, pki.G3.MOICA.Cert), clock.Now()); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(p7.Content, document) {
		t.Errorf("got content %q, want %q", p7.Content, document)
	}
	if signer := p7.GetOnlySigner(); !signer.Equal(card.Cert) {
		t.Errorf("got signer %v, want the card's certificate", signer.Subject)
	}
	var nonce []byte
	if err := p7.UnmarshalSignedAttribute(pkitest.OIDRandomNonce, &nonce); err != nil || string(nonce) != "bm9uY2U" {
		t.Errorf("got nonce %q, %v", nonce, err)
	}
	var number string
	if err := p7.UnmarshalSignedAttribute(pkitest.OIDCardNumber, &number); err != nil || number != card.CardNumber {
		t.Errorf("got card number %q, %v, want %q", number, err, card.CardNumber)
	}
	var at time.Time
	if err := p7.UnmarshalSignedAttribute(pkitest.OIDSigningTime, &at); err != nil || !at.Equal(clock.Now()) {
		t.Errorf("got signing time %v, %v, want %v", at, err, clock.Now())
	}
}

func TestSignPKCS7Detached(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G2)
	sum := sha256.Sum256(document)
	for name, der := range map[string][]byte{
		"content": sign(t, card, document, &pkitest.CMSOptions{Detached: true}),
		"digest":  sign(t, card, nil, &pkitest.CMSOptions{Detached: true, MessageDigest: sum[:]}),
	} {
		p7 := parse(t, der)
		if len(p7.Content) != 0 {
			t.Errorf("%s: content is attached", name)
		}
		p7.Content = document
		if err := p7.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p7.Content = []byte("other")
		if err := p7.Verify(); err == nil {
			t.Errorf("%s: other content verifies", name)
		}
	}
}

func TestSignerIsIssued(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	for _, algorithm := range []x509.PublicKeyAlgorithm{x509.ECDSA, x509.Ed25519} {
		issued := issue(t, pki.G3.MOICA, pkitest.Template{KeyAlgorithm: algorithm})
		card := &pkitest.Card{Cert: issued.Cert, Key: issued.Key}
		if err := parse(t, sign(t, card, document, nil)).Verify(); err != nil {
			t.Errorf("%v: %v", algorithm, err)
		}
	}
}

// A digest weaker than the hash of the signature, which pkcs7 tells apart only
// with ECDSA.
func TestTwoHashes(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	issued := issue(t, pki.G3.MOICA, pkitest.Template{KeyAlgorithm: x509.ECDSA})
	card := &pkitest.Card{Cert: issued.Cert, Key: issued.Key}
	p7 := parse(t, sign(t, card, document, &pkitest.CMSOptions{Hash: crypto.SHA1, SignatureHash: crypto.SHA256}))
	if got := p7.Signers[0].DigestAlgorithm.Algorithm; !got.Equal(pkcs7.OIDDigestAlgorithmSHA1) {
		t.Errorf("got digest algorithm %v, want SHA-1", got)
	}
	if got := p7.Signers[0].DigestEncryptionAlgorithm.Algorithm; !got.Equal(pkcs7.OIDDigestAlgorithmECDSASHA256) {
		t.Errorf("got signature algorithm %v, want ECDSA with SHA-256", got)
	}
	if err := p7.Verify(); err != nil {
		t.Error(err)
	}
}

// Variants that are well signed by the letter, whether or not a verifier
// should accept them; pkcs7 knows only a part of the rules.
func TestCMSVariantsVerify(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card, other := newCard(t, pki.G3), newCard(t, pki.G3)
	edit := func(f func([]pkitest.Attribute) []pkitest.Attribute) *pkitest.CMSOptions {
		return &pkitest.CMSOptions{EditAttributes: f}
	}
	for name, opts := range map[string]*pkitest.CMSOptions{
		"SHA-1":                {Hash: crypto.SHA1},
		"SHA-512":              {Hash: crypto.SHA512},
		"named hash":           {SignatureHash: crypto.SHA256},
		"CA first":             {Certificates: []*x509.Certificate{pki.G3.MOICA.Cert, card.Cert}},
		"no signed attributes": {NoSignedAttributes: true},
		"TSTInfo":              {ContentType: pkitest.OIDTSTInfo},
		"one chunk":            {Chunks: 1},
		"trailing bytes":       {Trailing: []byte{0, 1}},
		"two signers": {
			Certificates: []*x509.Certificate{card.Cert, other.Cert},
			CoSigners:    []pkitest.CoSigner{{Signer: pkitest.Signer{Cert: other.Cert, Key: other.Key}}},
		},
		"copied signer":         {Repeat: 3},
		"unsigned attribute":    {UnsignedAttributes: []pkitest.Attribute{pkitest.MessageDigest([]byte{1})}},
		"signing certificate":   {Attributes: []pkitest.Attribute{pkitest.SigningCertificateV2(card.Cert, crypto.SHA512)}},
		"algorithm protection":  {Attributes: []pkitest.Attribute{pkitest.AlgorithmProtection(crypto.SHA256, pkitest.OIDRSAEncryption)}},
		"back-dated":            {SigningTime: start.AddDate(0, 1, 0)},
		"message-digest twice":  {Attributes: []pkitest.Attribute{pkitest.MessageDigest(make([]byte, 48))}},
		"without content-type":  edit(func(a []pkitest.Attribute) []pkitest.Attribute { return a[1:] }),
		"content-type in twice": edit(func(a []pkitest.Attribute) []pkitest.Attribute { a[0].Values = slices.Repeat(a[0].Values, 2); return a }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := parse(t, sign(t, card, document, opts)).Verify(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCMSVariantsFail(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	unsorted := func(a []pkitest.Attribute) []pkitest.Attribute { slices.Reverse(a); return a }
	for name, opts := range map[string]*pkitest.CMSOptions{
		"broken signature": {BreakSignature: true},
		"other signature":  {Signature: make([]byte, 256)},
		"other content":    {Content: []byte("other")},
		"other digest":     {MessageDigest: make([]byte, 32)},
		"signed unsorted":  {EditAttributes: unsorted, AttributeOrder: pkitest.AttributesAsGiven},
		"PSS":              {PSS: &pkitest.PSS{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := parse(t, sign(t, card, document, opts)).Verify(); err == nil {
				t.Error("verifies")
			}
		})
	}
}

// The forgery against implementations that accept signatures without signed
// attributes: what the citizen signed was attributes, not this content.
func TestAttributesAsContent(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	var attributes []pkitest.Attribute
	genuine := sign(t, card, document, &pkitest.CMSOptions{EditAttributes: func(a []pkitest.Attribute) []pkitest.Attribute {
		attributes = a
		return a
	}})
	content := pkitest.EncodeAttributes(attributes)
	forged := sign(t, card, content, &pkitest.CMSOptions{NoSignedAttributes: true})
	signature := parse(t, genuine).Signers[0].EncryptedDigest
	if got := parse(t, forged).Signers[0].EncryptedDigest; !bytes.Equal(got, signature) {
		t.Error("the signature of the forgery is not that of the genuine message")
	}
}

func TestPSS(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	for _, tc := range []struct {
		name string
		pss  pkitest.PSS
		salt int
		ok   bool // crypto/rsa has one hash for everything
	}{
		{"consistent", pkitest.PSS{}, 32, true},
		{"no salt", pkitest.PSS{SaltLength: -1}, rsa.PSSSaltLengthAuto, true},
		{"long salt", pkitest.PSS{SaltLength: 64}, 64, true},
		{"unequal hashes", pkitest.PSS{MGFHash: crypto.SHA1}, 32, false},
	} {
		der := sign(t, card, document, &pkitest.CMSOptions{NoSignedAttributes: true, PSS: &tc.pss})
		sum := sha256.Sum256(document)
		signature := parse(t, der).Signers[0].EncryptedDigest
		err := rsa.VerifyPSS(card.Cert.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: tc.salt})
		if (err == nil) != tc.ok {
			t.Errorf("%s: got %v, want success %t", tc.name, err, tc.ok)
		}
	}
}

// What pkcs7 cannot parse is checked for the bytes that matter.
func TestCMSBytes(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	response, err := pki.G3.MOICA.OCSP(card.Cert, pkitest.OCSPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		opts pkitest.CMSOptions
		want []byte
	}{
		{"signer by key", pkitest.CMSOptions{ByKeyID: true}, append([]byte{2, 1, 3, 0x80, 20}, card.Cert.SubjectKeyId...)},
		{"signer by nothing", pkitest.CMSOptions{RawSignerID: []byte{0x80, 0}}, []byte{2, 1, 1, 0x80, 0}},
		{"three chunks", pkitest.CMSOptions{Chunks: 3}, append([]byte{0x24, 0x80, 4, byte(len(document) / 3)}, document[:len(document)/3]...)},
		{"raw content", pkitest.CMSOptions{RawContent: []byte{5, 0}}, []byte{0xa0, 2, 5, 0}},
		{"embedded response", pkitest.CMSOptions{OCSPs: [][]byte{response}}, response},
		{"no signers", pkitest.CMSOptions{NoSigners: true}, []byte{0x31, 0}},
	} {
		if der := sign(t, card, document, &tc.opts); !bytes.Contains(der, tc.want) {
			t.Errorf("%s: no %x in %x", tc.name, tc.want, der)
		}
	}
}

func TestDeclaredPSS(t *testing.T) {
	t.Parallel()
	pki, _ := newPKI(t)
	card := newCard(t, pki.G3)
	der := sign(t, card, document, &pkitest.CMSOptions{
		PSS:         &pkitest.PSS{},
		DeclaredPSS: &pkitest.PSS{Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20, TrailerField: 2},
	})
	oid, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10})
	if err != nil {
		t.Fatal(err)
	}
	// All defaults are left out, which only the trailer is not.
	if want := append(oid, 0x30, 5, 0xa3, 3, 2, 1, 2); !bytes.Contains(der, want) {
		t.Errorf("no %x in %x", want, der)
	}
}
