package cms

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
)

// A SignerInfo is what one signer contributed. It names the signer's
// certificate either by Issuer and Serial or by SubjectKeyID.
type SignerInfo struct {
	Version int

	Issuer       []byte   // DER of the Name; nil if SubjectKeyID is used
	Serial       *big.Int // nil if SubjectKeyID is used
	SubjectKeyID []byte   // nil if Issuer and Serial are used; may be empty

	DigestAlgorithm    algorithm.Identifier
	SignatureAlgorithm algorithm.Identifier
	Signature          []byte

	SignedAttrs        []byte      // as received, with the tag [0]; nil if absent
	SignedAttributes   []Attribute // what is in SignedAttrs; not empty if that is present
	UnsortedAttrs      bool        // SignedAttrs are DER but for the order of a SET OF
	UnsignedAttributes []Attribute

	Raw []byte

	// What Serial and SignedAttributes begin with, as in SignedData. It makes a
	// SignerInfo one that is not copied.
	room struct {
		serial      big.Int
		serialWords [3]big.Word // 20 octets and a sign
		attributes  [4]Attribute
		values      [4]der.Element
	}
}

// SignedAttrsAsSet returns a copy of SignedAttrs with the tag of a SET OF
// instead of the implicit [0]. That, and not the [0], is what the signature
// covers (RFC 5652, Section 5.4). The copy keeps the order of the attributes
// as received. It is nil if there are no signed attributes. It is made in room,
// as far as that suffices.
func (s *SignerInfo) SignedAttrsAsSet(room []byte) []byte {
	if s.SignedAttrs == nil {
		return nil
	}
	const setOf = 0x31
	set := append(room[:0], s.SignedAttrs...)
	set[0] = setOf
	return set
}

// parseSignerInfos reads the SET OF SignerInfo. A copy of one that has been
// read already adds nothing and costs whoever verifies it a signature: refused.
func (s *SignedData) parseSignerInfos(e der.Element, limits Limits) error {
	n := 0
	for r := e.Reader(); n <= limits.MaxSigners; n++ {
		if _, ok := r.Next(); !ok {
			break
		}
	}
	switch {
	case n == len(s.room.signerInfos):
		s.SignerInfos = s.room.signerInfos[:]
	case n > 0:
		s.SignerInfos = make([]SignerInfo, n)
	}
	r := e.Reader()
	for n := range s.SignerInfos {
		member, _ := r.Next()
		if n == limits.MaxSigners {
			return &der.LimitError{What: "signers", Limit: limits.MaxSigners}
		}
		for i := range n {
			if bytes.Equal(s.SignerInfos[i].Raw, member.Raw) {
				return member.Errorf("signerInfos[%d] is a copy of signerInfos[%d]", n, i)
			}
		}
		if err := s.SignerInfos[n].parse(member, limits); err != nil {
			return fmt.Errorf("signerInfos[%d]: %w", n, err)
		}
	}
	return nil
}

// parse reads
//
//	SignerInfo ::= SEQUENCE {
//	    version             CMSVersion,
//	    sid                 SignerIdentifier,
//	    digestAlgorithm     DigestAlgorithmIdentifier,
//	    signedAttrs         [0] IMPLICIT SignedAttributes OPTIONAL,
//	    signatureAlgorithm  SignatureAlgorithmIdentifier,
//	    signature           SignatureValue,
//	    unsignedAttrs       [1] IMPLICIT UnsignedAttributes OPTIONAL }
//
// (RFC 5652, Section 5.3). The version is to be 1 with issuerAndSerialNumber
// and 3 with subjectKeyIdentifier; as with that of the SignedData, signers get
// it wrong and nothing depends on it, since the choice has a tag of its own.
func (s *SignerInfo) parse(e der.Element, limits Limits) error {
	s.Raw = e.Raw
	if e.Tag != der.Sequence {
		return e.Errorf("SignerInfo has tag %v", e.Tag)
	}
	r := e.Reader()
	var err error
	if s.Version, err = readVersion(&r, 3); err != nil {
		return err
	}
	if err := s.parseSignerIdentifier(&r); err != nil {
		return err
	}
	if s.DigestAlgorithm, err = readAlgorithm(&r, "digestAlgorithm"); err != nil {
		return err
	}
	if signedAttrs, ok := r.Optional(der.ContextConstructed(0)); ok {
		if err := s.parseSignedAttrs(signedAttrs, limits); err != nil {
			return fmt.Errorf("signedAttrs: %w", err)
		}
	}
	if s.SignatureAlgorithm, err = readAlgorithm(&r, "signatureAlgorithm"); err != nil {
		return err
	}
	if s.Signature, err = readOctets(&r, der.OctetString, "signature"); err != nil {
		return err
	}
	if unsignedAttrs, ok := r.Optional(der.ContextConstructed(1)); ok {
		if s.UnsignedAttributes, err = parseAttributes(nil, nil, unsignedAttrs, limits); err != nil {
			return fmt.Errorf("unsignedAttrs: %w", err)
		}
	}
	return r.End("SignerInfo")
}

// parseSignerIdentifier reads
//
//	SignerIdentifier ::= CHOICE {
//	    issuerAndSerialNumber  IssuerAndSerialNumber,
//	    subjectKeyIdentifier   [0] IMPLICIT SubjectKeyIdentifier }
//
//	IssuerAndSerialNumber ::= SEQUENCE {
//	    issuer        Name,
//	    serialNumber  CertificateSerialNumber }
//
// (RFC 5652, Sections 5.3 and 10.2.4). The Name is to be compared with that in
// a certificate, octet by octet, and therefore has to be DER.
func (s *SignerInfo) parseSignerIdentifier(r *der.Reader) error {
	if tag, _ := r.Peek(); tag != der.Sequence {
		var err error
		s.SubjectKeyID, err = readOctets(r, der.Context(0), "sid")
		return err
	}
	e, _ := r.Next()
	sid := e.Reader()
	issuer, err := sid.Expect(der.Sequence, "issuer")
	if err != nil {
		return err
	}
	if err := issuer.Strict(); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	serial, err := sid.Expect(der.Integer, "serialNumber")
	if err != nil {
		return err
	}
	s.Issuer = issuer.Raw
	s.Serial = s.room.serial.SetBits(s.room.serialWords[:0])
	if err = serial.SetInteger(s.Serial); err != nil {
		return fmt.Errorf("serialNumber: %w", err)
	}
	return sid.End("IssuerAndSerialNumber")
}

func readAlgorithm(r *der.Reader, name string) (algorithm.Identifier, error) {
	e, err := r.Expect(der.Sequence, name)
	if err != nil {
		return algorithm.Identifier{}, err
	}
	id, err := algorithm.ParseIdentifier(e)
	if err != nil {
		return algorithm.Identifier{}, fmt.Errorf("%s: %w", name, err)
	}
	return id, nil
}

// readOctets reads an OCTET STRING of the given tag, which may come in pieces.
func readOctets(r *der.Reader, tag der.Tag, name string) ([]byte, error) {
	octets, ok := r.Optional(tag.AsConstructed())
	if !ok {
		var err error
		if octets, err = r.Expect(tag, name); err != nil {
			return nil, err
		}
	}
	content, err := newContent(octets)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return content.Bytes(), nil
}
