package pkitest

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"
)

// Template says what to issue. The zero value is a citizen's signature
// certificate exactly as MOICA shapes it, for an invented person; each field
// changes one thing, towards other legitimate certificates or towards ones
// that a verifier has to refuse. Nothing is checked.
//
// In fields that are slices, nil means what the profile has and empty means
// nothing: the extension is left out.
type Template struct {
	// Person is the holder. Subject and subjectDirectoryAttributes say so.
	Person Person

	// Carrier is where the key lives: "mobile", or empty for a card, whose
	// certificate does not say.
	Carrier string

	// Encryption asks for the other certificate of the pair: keyUsage
	// keyEncipherment and dataEncipherment in place of digitalSignature.
	Encryption bool

	// RawSubject is the DER of the subject, see [Name]. If nil, by Person.
	RawSubject []byte

	// SubjectDirectory is the content of subjectDirectoryAttributes. If nil,
	// by Person and Carrier; a CA has none.
	SubjectDirectory []Attribute

	// Version is the version as people count it. If zero, 3.
	Version int

	// Serial is the certificate's serialNumber. If nil, 16 random bytes.
	// RawSerial has precedence: the content octets of the INTEGER as they
	// are, with superfluous zeros, negative or empty.
	Serial    *big.Int
	RawSerial []byte

	// RawIssuer is the DER of the issuer. If nil, the name of the CA.
	RawIssuer []byte

	// NotBefore and NotAfter are rounded to the second and written as UTCTime
	// up to 2049. If NotBefore is zero, an hour ago. If NotAfter is zero, at
	// 15:59:59 UTC five years after NotBefore.
	NotBefore, NotAfter time.Time

	// Key is the holder's key. If nil, a fresh one as KeyAlgorithm and
	// RSABits say: RSA of 2048 bits, ECDSA P-256 or Ed25519.
	Key          crypto.Signer
	KeyAlgorithm x509.PublicKeyAlgorithm
	RSABits      int

	// PublicKey certifies a key whose private half nobody needs to have, such
	// as a huge modulus. RawPublicKey is the DER of a SubjectPublicKeyInfo,
	// for keys that Go has no type for. Issued.Key is nil with both.
	PublicKey    crypto.PublicKey
	RawPublicKey []byte

	// KeyUsage is critical. If zero, digitalSignature, or as Encryption says;
	// for a CA keyCertSign and cRLSign. To leave it out, see Omit.
	KeyUsage x509.KeyUsage

	// ExtKeyUsage is absent from the certificates of citizens.
	ExtKeyUsage []asn1.ObjectIdentifier

	// BasicConstraints is critical if present. If nil, absent, as MOICA has
	// it in the certificates of citizens.
	BasicConstraints *BasicConstraints

	// Policies are the policies, without qualifiers. If nil, OIDTestPolicy.
	Policies []asn1.ObjectIdentifier

	// PolicyMappings, PolicyConstraints, InhibitAnyPolicy and NameConstraints
	// (the DER of the extension's value) are absent from all real
	// certificates of this PKI. All are critical.
	PolicyMappings    []PolicyMapping
	PolicyConstraints *PolicyConstraints
	InhibitAnyPolicy  *int
	NameConstraints   []byte

	// SubjectKeyID is the key identifier. If nil, the SHA-1 of the public key
	// (RFC 5280, Section 4.2.1.2, method 1).
	SubjectKeyID []byte

	// AuthorityKeyID names the CA's key. If nil, by keyIdentifier only; a
	// self-signed certificate has none.
	AuthorityKeyID *AuthorityKeyID

	// CRLDistributionPoints are URLs. If nil, the CA's partition list and
	// its complete one, each a point of its own.
	CRLDistributionPoints []string

	// AccessDescriptions is the content of authorityInfoAccess. If nil,
	// caIssuers and then OCSP.
	AccessDescriptions []AccessDescription

	// Extensions are added after all others, as they are, even if one of
	// that type is there already.
	Extensions []pkix.Extension

	// Omit lists extensions to leave out.
	Omit []asn1.ObjectIdentifier

	// Order lists extensions in the order in which they come. Extensions not
	// in it come after them, in the order of MOICA's end-entity certificates.
	Order []asn1.ObjectIdentifier

	// SignatureAlgorithm is what the CA signs with. If zero, SHA-256 with a
	// key of the CA's kind. InnerAlgorithm is what the signed part of the
	// certificate says it is. If zero, the same.
	SignatureAlgorithm x509.SignatureAlgorithm
	InnerAlgorithm     x509.SignatureAlgorithm

	// SigningKey signs in place of the CA's key.
	SigningKey crypto.Signer

	// BreakSignature flips a bit of the signature.
	BreakSignature bool
}

// BasicConstraints is the extension of RFC 5280, Section 4.2.1.9.
type BasicConstraints struct {
	CA          bool
	PathLen     *int // nil: no limit
	NotCritical bool
}

// PolicyMapping is a pair of RFC 5280, Section 4.2.1.5.
type PolicyMapping struct {
	Issuer, Subject asn1.ObjectIdentifier
}

// PolicyConstraints is the extension of RFC 5280, Section 4.2.1.11. A nil
// field is absent.
type PolicyConstraints struct {
	RequireExplicitPolicy, InhibitPolicyMapping *int
}

// AuthorityKeyID is the extension of RFC 5280, Section 4.2.1.1. A nil field is
// absent.
type AuthorityKeyID struct {
	KeyID     []byte
	RawIssuer []byte // DER of the name in authorityCertIssuer
	Serial    *big.Int
}

// AccessDescription is an entry of authorityInfoAccess (RFC 5280, Section
// 4.2.2.1).
type AccessDescription struct {
	Method asn1.ObjectIdentifier
	URL    string
}

// withDefaults fills in what depends on the issuing CA, the clock and the
// PKI, and so completes the template except for keys.
func (t Template) withDefaults(ca *CA) Template {
	now := ca.pki.now()
	named, described := t.RawSubject != nil, t.SubjectDirectory != nil || t.isCA()
	if !named || !described {
		t.Person = t.Person.withDefaults(ca.pki)
	}
	if !named {
		t.RawSubject = holderName(t.Person)
	}
	if !described {
		t.SubjectDirectory = holderAttributes(t.Person, t.Carrier)
	}
	t.Version = cmp.Or(t.Version, 3)
	if t.RawIssuer == nil {
		t.RawIssuer = ca.subject(t)
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = now.Add(-time.Hour)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = endOfDay(t.NotBefore.UTC().AddDate(5, 0, 0))
	}
	if t.KeyUsage == 0 {
		t.KeyUsage = t.defaultKeyUsage()
	}
	if t.Policies == nil {
		t.Policies = []asn1.ObjectIdentifier{OIDTestPolicy}
	}
	if t.CRLDistributionPoints == nil {
		t.CRLDistributionPoints = ca.URLs.lists()
	}
	if t.AccessDescriptions == nil {
		t.AccessDescriptions = []AccessDescription{
			{OIDAccessCAIssuers, ca.URLs.Issuers},
			{OIDAccessOCSP, ca.URLs.OCSP},
		}
	}
	return t
}

func (t Template) defaultKeyUsage() x509.KeyUsage {
	switch {
	case t.isCA():
		return x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	case t.Encryption:
		return x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment
	default:
		return x509.KeyUsageDigitalSignature
	}
}

func (t Template) isCA() bool {
	return t.BasicConstraints != nil && t.BasicConstraints.CA
}

// withCADefaults makes a CA of what says nothing else. The zero Template
// becomes a CA without path length limit.
func (t Template) withCADefaults(name string) Template {
	if t.BasicConstraints == nil {
		t.BasicConstraints = &BasicConstraints{CA: true}
	}
	if t.RawSubject == nil {
		t.RawSubject = Name(
			NameAttribute{Type: OIDCountry, Value: "TW"},
			NameAttribute{Type: OIDOrganization, Value: "(測試用) " + name},
		)
	}
	return t
}

// endOfDay is the last second of a day in Taipei, at which certificates end.
func endOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 15, 59, 59, 0, time.UTC)
}
