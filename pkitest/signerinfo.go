package pkitest

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// signerInfo is one signer of a message.
type signerInfo struct {
	Signer
	CMSOptions
	cardNumber string
}

// encode signs and writes
//
//	SignerInfo ::= SEQUENCE { version, sid, digestAlgorithm, signedAttrs [0] IMPLICIT OPTIONAL,
//	                          signatureAlgorithm, signature OCTET STRING, unsignedAttrs [1] IMPLICIT OPTIONAL }
func (s *signerInfo) encode(m *message) ([]byte, error) {
	sum := s.MessageDigest
	if sum == nil {
		sum = digest(s.Hash, m.content)
	}
	var written, signed []byte // the attributes, as content of a SET
	if !s.NoSignedAttributes {
		written, signed = s.signedAttributes(m, sum)
	}
	identifier, signature, err := s.sign(m.content, signed)
	if err != nil {
		return nil, fmt.Errorf("pkitest: signing the SignedData: %w", err)
	}
	if s.BreakSignature {
		breakSignature(signature)
	}
	unsigned, err := s.unsignedAttributes(signature)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		s.addIdentifier(b)
		addAlgorithmIdentifier(b, hashOIDs[s.Hash], true)
		if !s.NoSignedAttributes {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(written) })
		}
		b.AddBytes(identifier)
		b.AddASN1OctetString(signature)
		if len(unsigned) > 0 {
			b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddBytes(bytes.Join(encodeEach(unsigned), nil))
			})
		}
	})
	return b.Bytes()
}

// unsignedAttributes returns those that were given, and the time-stamps.
func (s *signerInfo) unsignedAttributes(signature []byte) ([]Attribute, error) {
	if s.Timestamp == nil {
		return s.UnsignedAttributes, nil
	}
	tokens, err := s.Timestamp(signature)
	if err != nil {
		return nil, fmt.Errorf("pkitest: time-stamping the signature: %w", err)
	}
	attributes := slices.Clone(s.UnsignedAttributes)
	for _, token := range tokens {
		attributes = append(attributes, Attribute{OIDTimeStampToken, [][]byte{token}})
	}
	return attributes, nil
}

// addIdentifier adds version and SignerIdentifier.
func (s *signerInfo) addIdentifier(b *cryptobyte.Builder) {
	version := 1
	if s.ByKeyID {
		version = 3
	}
	b.AddASN1Int64(int64(cmp.Or(s.SignerVersion, version)))
	switch {
	case s.RawSignerID != nil:
		b.AddBytes(s.RawSignerID)
	case s.ByKeyID:
		b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(s.Cert.SubjectKeyId) })
	default:
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(s.Cert.RawIssuer)
			b.AddASN1BigInt(s.Cert.SerialNumber)
		})
	}
}

// signedAttributes returns the attributes as they are written and as they are
// signed.
func (s *signerInfo) signedAttributes(m *message, sum []byte) (written, signed []byte) {
	at := s.SigningTime
	if at.IsZero() {
		at = m.now
	}
	attributes := []Attribute{
		{OIDContentType, [][]byte{encodeOID(m.contentType)}},
		MessageDigest(sum),
		{OIDSigningTime, [][]byte{encode(func(b *cryptobyte.Builder) { addTime(b, at) })}},
	}
	if s.Nonce != "" {
		attributes = append(attributes, Attribute{OIDRandomNonce, [][]byte{encodeString(cbasn1.OCTET_STRING, s.Nonce)}})
	}
	if s.CardNumber {
		attributes = append(attributes, Attribute{OIDCardNumber, [][]byte{encodeString(cbasn1.PrintableString, s.cardNumber)}})
	}
	attributes = append(attributes, s.Attributes...)
	if s.EditAttributes != nil {
		attributes = s.EditAttributes(attributes)
	}
	given := encodeEach(attributes)
	sorted := slices.SortedFunc(slices.Values(given), bytes.Compare)
	switch s.AttributeOrder {
	case AttributesAsGiven:
		sorted = given
	case AttributesSorted:
		given = sorted
	}
	return bytes.Join(given, nil), bytes.Join(sorted, nil)
}

func encodeEach(attributes []Attribute) [][]byte {
	list := make([][]byte, len(attributes))
	for i, a := range attributes {
		list[i] = encode(a.marshal)
	}
	return list
}

// EncodeAttributes returns the DER of a SET OF Attribute in sorted order: what
// a signature over signed attributes covers (RFC 5652, Section 5.4), and so
// what must not pass for content when they are taken away.
func EncodeAttributes(attributes []Attribute) []byte {
	list := encodeEach(attributes)
	slices.SortFunc(list, bytes.Compare)
	return definite(cbasn1.SET, bytes.Join(list, nil))
}

// sign returns the signature over the attributes or, without any, over the
// content, and the DER of its AlgorithmIdentifier.
func (s *signerInfo) sign(content, attributes []byte) (identifier, signature []byte, err error) {
	tbs := content
	if !s.NoSignedAttributes {
		tbs = definite(cbasn1.SET, attributes)
	}
	if s.PSS != nil {
		identifier, signature, err = s.signPSS(tbs)
	} else {
		identifier, signature, err = s.signPlain(tbs)
	}
	if s.RawSignatureAlgorithm != nil {
		identifier = s.RawSignatureAlgorithm
	}
	if s.Signature != nil {
		signature = slices.Clone(s.Signature)
	}
	return identifier, signature, err
}

func (s *signerInfo) signPlain(tbs []byte) (identifier, signature []byte, err error) {
	a, err := algorithmWith(s.Key, cmp.Or(s.SignatureHash, s.Hash))
	if err != nil {
		return nil, nil, err
	}
	identifier = encode(a.marshal)
	if _, ok := s.Key.Public().(*rsa.PublicKey); ok && s.SignatureHash == 0 {
		identifier = encode(func(b *cryptobyte.Builder) { addAlgorithmIdentifier(b, OIDRSAEncryption, true) })
	}
	if s.NoSignedAttributes && s.MessageDigest != nil {
		signature, err = a.signDigest(s.Key, s.MessageDigest)
	} else {
		signature, err = a.sign(s.Key, tbs)
	}
	return identifier, signature, err
}

func (s *signerInfo) signPSS(tbs []byte) (identifier, signature []byte, err error) {
	key, ok := s.Key.(*rsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("RSASSA-PSS with a key of type %T", s.Key)
	}
	used := s.PSS.withDefaults(s.Hash)
	declared := used
	if s.DeclaredPSS != nil {
		declared = s.DeclaredPSS.withDefaults(s.Hash)
	}
	signature, err = used.sign(key, tbs)
	return encode(declared.marshal), signature, err
}

// algorithmWith returns the algorithm of a key and a hash.
func algorithmWith(key crypto.Signer, hash crypto.Hash) (algorithm, error) {
	var names []x509.SignatureAlgorithm
	switch key.Public().(type) {
	case *rsa.PublicKey:
		names = []x509.SignatureAlgorithm{x509.MD5WithRSA, x509.SHA1WithRSA, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA}
	case *ecdsa.PublicKey:
		names = []x509.SignatureAlgorithm{x509.ECDSAWithSHA1, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512}
	case ed25519.PublicKey:
		return algorithms[x509.PureEd25519], nil
	}
	for _, name := range names {
		if a := algorithms[name]; a.hash == hash {
			return a, nil
		}
	}
	return algorithm{}, fmt.Errorf("no signature algorithm for a key of type %T with %v", key.Public(), hash)
}

// MessageDigest returns the signed attribute message-digest.
func MessageDigest(sum []byte) Attribute {
	return Attribute{OIDMessageDigest, [][]byte{definite(cbasn1.OCTET_STRING, sum)}}
}

// SigningCertificateV2 returns the ESS attribute that names the signer's
// certificate (RFC 5035, Section 3):
//
//	SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2 }
//	ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT sha256, certHash OCTET STRING, issuerSerial OPTIONAL }
func SigningCertificateV2(cert *x509.Certificate, hash crypto.Hash) Attribute {
	value := encode(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					if hash != crypto.SHA256 {
						addAlgorithmIdentifier(b, hashOIDs[hash], false)
					}
					b.AddASN1OctetString(digest(hash, cert.Raw))
				})
			})
		})
	})
	return Attribute{OIDSigningCertificateV2, [][]byte{value}}
}

// AlgorithmProtection returns the attribute CMSAlgorithmProtection (RFC 6211)
// for a digest algorithm and a signature algorithm that has no parameters or,
// with RSA, NULL.
func AlgorithmProtection(hash crypto.Hash, signature asn1.ObjectIdentifier) Attribute {
	null := len(signature) > 6 && signature[:6].Equal(OIDRSAEncryption[:6])
	value := encode(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addAlgorithmIdentifier(b, hashOIDs[hash], true)
			b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(signature)
				if null {
					b.AddASN1NULL()
				}
			})
		})
	})
	return Attribute{OIDCMSAlgorithmProtection, [][]byte{value}}
}
