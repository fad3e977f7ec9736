// Package cms reads the SignedData of the Cryptographic Message Syntax (RFC
// 5652, Section 5).
//
// [Parse] takes DER, and the BER that streaming signers emit, within bounds. It
// tells what a message says and verifies none of it: whether digests and
// signatures fit, which certificate is the signer's, and what its attributes
// must be, is for package verify.
//
// What is signed has to be DER: the certificates and the signed attributes,
// except that the order of the attributes is reported and not enforced. Around
// them stands BER. Nothing is copied, except content that comes in pieces and
// is asked for as a whole.
package cms

import (
	"fmt"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
)

// Limits bound what Parse accepts. A zero field means its default. The bounds
// of DER hold for the message as a whole, the others are counts, far above
// what signers emit and low enough to make one check for each member cheap.
type Limits struct {
	DER                 der.Limits
	MaxDigestAlgorithms int // default 16
	MaxCertificates     int // certificates of all kinds; default 64
	MaxRevocationInfos  int // CRLs, OCSP responses and others; default 64
	MaxSigners          int // default 16
	MaxAttributes       int // attributes in a set, and also their values taken together; default 64
}

func (l Limits) withDefaults() Limits {
	for _, field := range []struct {
		limit *int
		value int
	}{
		{&l.MaxDigestAlgorithms, 16},
		{&l.MaxCertificates, 64},
		{&l.MaxRevocationInfos, 64},
		{&l.MaxSigners, 16},
		{&l.MaxAttributes, 64},
	} {
		if *field.limit == 0 {
			*field.limit = field.value
		}
	}
	return l
}

// A SignedData is a message as received. Its slices alias the input.
type SignedData struct {
	Version          int
	DigestAlgorithms []algorithm.Identifier

	ContentType string // eContentType, dotted
	Detached    bool   // eContent is absent; content of no bytes is not detached
	Content     Content

	Certificates      [][]byte // X.509 certificates, in order
	OtherCertificates int      // how many attribute certificates and others were passed over

	CRLs                 [][]byte // CertificateLists, in order; not necessarily DER
	OCSPResponses        [][]byte // OCSPResponses (RFC 5940), in order; not necessarily DER
	OtherRevocationInfos int      // how many of another format were passed over

	SignerInfos []SignerInfo // may be empty, as in a message that only carries certificates

	// What the slices above begin with, so that a message as citizens sign them
	// takes no memory besides.
	room struct {
		doc              der.Document
		digestAlgorithms [1]algorithm.Identifier
		certificates     [4][]byte
		signerInfos      [1]SignerInfo
	}
}

const oidSignedData = "1.2.840.113549.1.7.2"

// Parse reads data, which must be one ContentInfo that holds a SignedData, with
// nothing behind it. data is kept and must not be modified. Every error wraps
// a *der.SyntaxError or a *der.LimitError.
func Parse(data []byte, limits Limits) (*SignedData, error) {
	s := new(SignedData)
	if err := s.Parse(data, limits); err != nil {
		return nil, err
	}
	return s, nil
}

// Parse is the function of that name for a zero SignedData that is part of
// something larger. After an error it is of no use.
func (s *SignedData) Parse(data []byte, limits Limits) error {
	limits = limits.withDefaults()
	if err := s.room.doc.Scan(data, limits.DER); err != nil {
		return fmt.Errorf("cms: %w", err)
	}
	content, err := parseContentInfo(s.room.doc.Root())
	if err != nil {
		return fmt.Errorf("cms: %w", err)
	}
	if err := s.parseSignedData(content, limits); err != nil {
		return fmt.Errorf("cms: %w", err)
	}
	return nil
}

// parseContentInfo returns the SignedData element inside
//
//	ContentInfo ::= SEQUENCE {
//	    contentType  ContentType,
//	    content      [0] EXPLICIT ANY DEFINED BY contentType }
//
// (RFC 5652, Section 3).
func parseContentInfo(e der.Element) (der.Element, error) {
	if e.Tag != der.Sequence {
		return der.Element{}, e.Errorf("ContentInfo has tag %v", e.Tag)
	}
	r := e.Reader()
	contentType, err := readObjectID(&r, "contentType")
	if err != nil {
		return der.Element{}, err
	}
	if contentType != oidSignedData {
		return der.Element{}, e.Errorf("contentType is %s, want id-signedData", contentType)
	}
	explicit, err := r.Expect(der.ContextConstructed(0), "content")
	if err != nil {
		return der.Element{}, err
	}
	if err := r.End("ContentInfo"); err != nil {
		return der.Element{}, err
	}
	inner := explicit.Reader()
	signedData, err := inner.Expect(der.Sequence, "SignedData")
	if err != nil {
		return der.Element{}, err
	}
	return signedData, inner.End("content")
}

// parseSignedData reads
//
//	SignedData ::= SEQUENCE {
//	    version           CMSVersion,
//	    digestAlgorithms  SET OF DigestAlgorithmIdentifier,
//	    encapContentInfo  EncapsulatedContentInfo,
//	    certificates      [0] IMPLICIT CertificateSet OPTIONAL,
//	    crls              [1] IMPLICIT RevocationInfoChoices OPTIONAL,
//	    signerInfos       SET OF SignerInfo }
//
// (RFC 5652, Section 5.1).
func (s *SignedData) parseSignedData(e der.Element, limits Limits) error {
	r := e.Reader()
	var err error
	// The version follows from the choices made below. Signers get it wrong,
	// nothing here depends on it, and OpenSSL ignores it; a number that no
	// edition of the syntax has reached is not the syntax that is read here.
	if s.Version, err = readVersion(&r, 5); err != nil {
		return err
	}
	algorithms, err := r.Expect(der.Set, "digestAlgorithms")
	if err != nil {
		return err
	}
	if len(algorithms.Body) > 0 {
		s.DigestAlgorithms = s.room.digestAlgorithms[:0]
	}
	if s.DigestAlgorithms, err = parseDigestAlgorithms(s.DigestAlgorithms, algorithms, limits); err != nil {
		return err
	}
	encapsulated, err := r.Expect(der.Sequence, "encapContentInfo")
	if err != nil {
		return err
	}
	if err := s.parseEncapContentInfo(encapsulated); err != nil {
		return fmt.Errorf("encapContentInfo: %w", err)
	}
	if certificates, ok := r.Optional(der.ContextConstructed(0)); ok {
		if err := s.parseCertificates(certificates, limits); err != nil {
			return err
		}
	}
	if crls, ok := r.Optional(der.ContextConstructed(1)); ok {
		if err := s.parseRevocationInfos(crls, limits); err != nil {
			return err
		}
	}
	signerInfos, err := r.Expect(der.Set, "signerInfos")
	if err != nil {
		return err
	}
	if err := s.parseSignerInfos(signerInfos, limits); err != nil {
		return err
	}
	return r.End("SignedData")
}

// parseDigestAlgorithms appends to ids.
func parseDigestAlgorithms(ids []algorithm.Identifier, e der.Element, limits Limits) ([]algorithm.Identifier, error) {
	r := e.Reader()
	for member := range r.All() {
		if len(ids) == limits.MaxDigestAlgorithms {
			return nil, &der.LimitError{What: "digest algorithms", Limit: limits.MaxDigestAlgorithms}
		}
		id, err := algorithm.ParseIdentifier(member)
		if err != nil {
			return nil, fmt.Errorf("digestAlgorithms[%d]: %w", len(ids), err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// readVersion reads a CMSVersion between 1 and newest.
func readVersion(r *der.Reader, newest int) (int, error) {
	e, err := r.Expect(der.Integer, "version")
	if err != nil {
		return 0, err
	}
	version, err := e.Int()
	if err != nil {
		return 0, err
	}
	if version < 1 || version > newest {
		return 0, e.Errorf("version %d is not between 1 and %d", version, newest)
	}
	return version, nil
}

func readObjectID(r *der.Reader, name string) (string, error) {
	e, err := r.Expect(der.OID, name)
	if err != nil {
		return "", err
	}
	return e.ObjectID()
}
