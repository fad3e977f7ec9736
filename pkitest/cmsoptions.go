package pkitest

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"time"
)

// CMSOptions says how a SignedData differs from the one that the card reader
// component makes when a page asks for signatureType PKCS7 and nothing else:
// version 1, the content attached, one SignerInfo by issuer and serial number,
// the signed attributes content-type, message-digest and signing-time, the
// signer's certificate and no other.
type CMSOptions struct {
	// What a page can ask the component for.

	Nonce      string      // signed attribute randomNonce; absent if empty
	CardNumber bool        // signed attribute with the number of the card
	Hash       crypto.Hash // digestAlgorithm; if zero, SHA-256 (SHA-512 with Ed25519)

	// The SignedData (RFC 5652, Section 5.1).

	Detached    bool                  // leave eContent out
	Content     []byte                // eContent; if nil, what is signed
	RawContent  []byte                // BER of eContent in place of an OCTET STRING
	ContentType asn1.ObjectIdentifier // eContentType; if nil, id-data

	// Chunks, if positive, is the number of pieces in which eContent is
	// written, in BER of indefinite length as streaming signers do.
	Chunks int

	Version          int                 // if zero, as Section 5.1 has it
	DigestAlgorithms []crypto.Hash       // if nil, those of the signers
	Certificates     []*x509.Certificate // in this order; if nil, the signer's
	CRLs             [][]byte            // DER of lists to embed
	OCSPs            [][]byte            // DER of OCSP responses to embed

	CoSigners []CoSigner // further signers, after the first
	Repeat    int        // number of copies of the first SignerInfo after it
	NoSigners bool       // no SignerInfo at all

	Trailing []byte // what follows the SignedData

	// The SignerInfo (RFC 5652, Section 5.3).

	ByKeyID       bool   // SignerIdentifier is the subjectKeyIdentifier, version 3
	RawSignerID   []byte // DER of the SignerIdentifier
	SignerVersion int    // if zero, as Section 5.3 has it

	SigningTime        time.Time // if zero, now
	MessageDigest      []byte    // if nil, that of what is signed
	NoSignedAttributes bool      // sign the content itself
	Attributes         []Attribute
	UnsignedAttributes []Attribute

	// Timestamp is given the signature and returns the time-stamp tokens over it
	// (see [TSA.Timestamp]), each for an unsigned attribute
	// signature-time-stamp of its own (RFC 3161, Appendix A).
	Timestamp func(signature []byte) (tokens [][]byte, err error)

	// EditAttributes is given the signed attributes, those in Attributes last,
	// and returns what to sign: duplicates, other values, fewer.
	EditAttributes func([]Attribute) []Attribute
	AttributeOrder AttributeOrder

	// SignatureHash is the hash of the signature. If zero, that of the digest,
	// and an RSA signature says rsaEncryption, which leaves the hash to
	// digestAlgorithm. Otherwise it says for instance sha256WithRSAEncryption.
	SignatureHash crypto.Hash

	// PSS signs by RSASSA-PSS. DeclaredPSS is what the SignerInfo says the
	// parameters are; if nil, the truth.
	PSS, DeclaredPSS *PSS

	// RawSignatureAlgorithm is the DER of the AlgorithmIdentifier.
	RawSignatureAlgorithm []byte

	Signature      []byte // if nil, one that fits
	BreakSignature bool   // flip a bit of it
}

// CoSigner is a further signer of the same content. Of the options only those
// of the SignerInfo count, with Nonce and Hash; nil is as the component signs.
type CoSigner struct {
	Signer
	Options *CMSOptions
}

// AttributeOrder is an order of signed attributes.
type AttributeOrder int

const (
	// AttributesSorted is the order of DER.
	AttributesSorted AttributeOrder = iota
	// AttributesAsGiven writes them in the order in which they are given, and
	// signs them so.
	AttributesAsGiven
	// AttributesSortedForSigning writes them in the order in which they are
	// given, but signs them in the order of DER.
	AttributesSortedForSigning
)
