package verify

import (
	"bytes"
	"crypto"
	"crypto/x509"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der"
)

// The signed attributes that must not be repeated and have exactly one value.
const (
	oidContentType          = "1.2.840.113549.1.9.3"       // RFC 5652, Section 11.1
	oidMessageDigest        = "1.2.840.113549.1.9.4"       // Section 11.2
	oidSigningTime          = "1.2.840.113549.1.9.5"       // Section 11.3
	oidAlgorithmProtection  = "1.2.840.113549.1.9.52"      // RFC 6211
	oidSigningCertificate   = "1.2.840.113549.1.9.16.2.12" // RFC 2634, Section 5.4
	oidSigningCertificateV2 = "1.2.840.113549.1.9.16.2.47" // RFC 5035, Section 3
)

// readAttributes checks the signed attributes that say what is signed. They are
// required: without them a signature covers the content itself, and the
// attributes of one message could be passed off as the content of another.
func (j *judgement) readAttributes(s *signerInfo) error {
	if s.SignedAttrs == nil {
		return j.readDirect(s)
	}
	if err := j.readSingleAttributes(s); err != nil {
		return err
	}
	contentType, ok := s.attribute(oidContentType)
	if !ok {
		return refuse(ReasonSignedAttributes, "the content-type attribute is missing")
	}
	if oid, err := contentType.ObjectID(); err != nil || oid != j.message.ContentType {
		return refuse(ReasonContentType, "the content-type attribute is not the eContentType %s", j.message.ContentType)
	}
	return s.readMessageDigest()
}

// readSingleAttributes checks the form of the signed attributes, and that those
// occur once that must.
func (j *judgement) readSingleAttributes(s *signerInfo) error {
	if s.UnsortedAttrs && !j.tolerate(s, DeviationUnsortedAttributes) {
		return refuse(ReasonNotDER, "signedAttrs are not in the order of DER")
	}
	return checkSingle(s.SignedAttributes)
}

// readMessageDigest reads what was signed, and what the signer says of how.
func (s *signerInfo) readMessageDigest() error {
	messageDigest, ok := s.attribute(oidMessageDigest)
	if !ok || messageDigest.Tag != der.OctetString {
		return refuse(ReasonSignedAttributes, "the message-digest attribute is missing or not an OCTET STRING")
	}
	s.messageDigest = messageDigest.Body
	if signingTime, ok := s.attribute(oidSigningTime); ok {
		var err error
		if s.signingTime, err = signingTime.Time(); err != nil {
			return refuse(ReasonMalformed, "signing-time: %w", err)
		}
	}
	if protection, ok := s.attribute(oidAlgorithmProtection); ok {
		return s.checkAlgorithmProtection(protection)
	}
	return nil
}

// checkAlgorithmProtection checks that the algorithms of the SignerInfo are the
// ones its signer meant (RFC 6211, Section 2):
//
//	CMSAlgorithmProtection ::= SEQUENCE {
//	    digestAlgorithm         DigestAlgorithmIdentifier,
//	    signatureAlgorithm  [1] SignatureAlgorithmIdentifier OPTIONAL,
//	    macAlgorithm        [2] MessageAuthenticationCodeAlgorithm OPTIONAL }
func (s *signerInfo) checkAlgorithmProtection(value der.Element) error {
	if value.Tag != der.Sequence {
		return refuse(ReasonMalformed, "CMSAlgorithmProtection: %w", value.Errorf("has tag %v", value.Tag))
	}
	r := value.Reader()
	digest, _ := r.Next()
	digestID, err := algorithm.ParseIdentifier(digest)
	if err != nil {
		return refuse(ReasonMalformed, "CMSAlgorithmProtection: %w", err)
	}
	signature, ok := r.Optional(der.ContextConstructed(1))
	if !ok || r.End("CMSAlgorithmProtection") != nil {
		return refuse(ReasonSignedAttributes, "CMSAlgorithmProtection does not name a signature algorithm")
	}
	signature.Tag = der.Sequence // it is tagged implicitly
	signatureID, err := algorithm.ParseIdentifier(signature)
	if err != nil {
		return refuse(ReasonMalformed, "CMSAlgorithmProtection: %w", err)
	}
	if !digestID.Equal(s.DigestAlgorithm) || !signatureID.Equal(s.SignatureAlgorithm) {
		return refuse(ReasonSignedAttributes, "CMSAlgorithmProtection names other algorithms than the SignerInfo")
	}
	return nil
}

// checkSingle checks that the attributes that are read here occur at most once,
// with one value.
func checkSingle(attributes []cms.Attribute) error {
	for i, a := range attributes {
		switch a.Type {
		case oidContentType, oidMessageDigest, oidSigningTime, oidAlgorithmProtection, oidSigningCertificate, oidSigningCertificateV2:
		default:
			continue
		}
		for _, earlier := range attributes[:i] { // there are few
			if earlier.Type == a.Type {
				return refuse(ReasonSignedAttributes, "signed attribute %s occurs twice", a.Type)
			}
		}
		if len(a.Values) != 1 {
			return refuse(ReasonSignedAttributes, "signed attribute %s has %d values, want 1", a.Type, len(a.Values))
		}
	}
	return nil
}

// attribute returns the value of a signed attribute that checkSingle has looked
// at, or false if there is none.
func (s *signerInfo) attribute(oid string) (der.Element, bool) {
	for i := range s.SignedAttributes {
		if a := &s.SignedAttributes[i]; a.Type == oid {
			return a.Values[0], true
		}
	}
	return der.Element{}, false
}

// checkSigningCertificate checks that the certificate is the one that the signer
// meant, where a signed attribute says so. SHA-1 in the first version of the
// attribute identifies a certificate that the signature has confirmed; it secures
// nothing.
func (s *signerInfo) checkSigningCertificate(cert *x509.Certificate) error {
	for _, version := range []struct {
		oid  string
		hash crypto.Hash
	}{{oidSigningCertificate, crypto.SHA1}, {oidSigningCertificateV2, crypto.SHA256}} {
		value, ok := s.attribute(version.oid)
		if !ok {
			continue
		}
		same, err := namesCertificate(value, version.hash, cert)
		if err != nil {
			return refuse(ReasonMalformed, "signing-certificate attribute: %w", err)
		}
		if !same {
			return refuse(ReasonSignedAttributes, "the signing-certificate attribute names another certificate than %s", serialOf(cert))
		}
	}
	return nil
}

// namesCertificate reports whether the first entry of a signing-certificate
// attribute is cert. Further entries are of its CAs.
//
//	SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2, policies ... OPTIONAL }
//	ESSCertIDv2 ::= SEQUENCE {
//	    hashAlgorithm   AlgorithmIdentifier DEFAULT {algorithm id-sha256},
//	    certHash        OCTET STRING,
//	    issuerSerial    IssuerSerial OPTIONAL }
//
// The first version has no hashAlgorithm and is always by SHA-1. What issuerSerial
// says, the hash of the whole certificate says already.
func namesCertificate(value der.Element, hash crypto.Hash, cert *x509.Certificate) (bool, error) {
	outer := value.Reader()
	certs, err := outer.Expect(der.Sequence, "certs")
	if err != nil {
		return false, err
	}
	list := certs.Reader()
	first, err := list.Expect(der.Sequence, "ESSCertID")
	if err != nil {
		return false, err
	}
	r := first.Reader()
	if hash != crypto.SHA1 {
		if id, ok := r.Optional(der.Sequence); ok {
			named, err := algorithm.ParseIdentifier(id)
			if err != nil {
				return false, err
			}
			if hash, err = algorithm.Digest(named); err != nil {
				return false, err
			}
		}
	}
	certHash, err := r.Expect(der.OctetString, "certHash")
	if err != nil {
		return false, err
	}
	h := hash.New()
	h.Write(cert.Raw)
	return bytes.Equal(h.Sum(nil), certHash.Body), nil
}
