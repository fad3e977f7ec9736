// Package algorithm knows the digest and signature algorithms that this module
// verifies: how an AlgorithmIdentifier names them, whether its parameters are
// consistent, and how a signature is checked. Which of them are acceptable is
// [Policy]'s to say, and is asked before any arithmetic.
package algorithm

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	_ "crypto/sha1" // named so that it can be refused, or admitted by option
	_ "crypto/sha256"
	_ "crypto/sha512"

	"github.com/citizencert/citizencert/internal/der"
)

// An Identifier is an AlgorithmIdentifier (RFC 5280, Section 4.1.1.2).
type Identifier struct {
	OID        string // dotted
	Parameters []byte // the element, or nil if absent
	Raw        []byte
}

// ParseIdentifier reads
//
//	AlgorithmIdentifier ::= SEQUENCE {
//	    algorithm   OBJECT IDENTIFIER,
//	    parameters  ANY DEFINED BY algorithm OPTIONAL }
func ParseIdentifier(e der.Element) (Identifier, error) {
	if e.Tag != der.Sequence {
		return Identifier{}, e.Errorf("AlgorithmIdentifier has tag %v", e.Tag)
	}
	r := e.Reader()
	oid, err := r.Expect(der.OID, "algorithm")
	if err != nil {
		return Identifier{}, err
	}
	id := Identifier{Raw: e.Raw}
	if id.OID, err = oid.ObjectID(); err != nil {
		return Identifier{}, err
	}
	if parameters, ok := r.Next(); ok {
		id.Parameters = parameters.Raw
	}
	return id, r.End("AlgorithmIdentifier")
}

// Equal reports whether both name the same algorithm with the same parameters.
// Absent parameters and NULL are the same, since signers disagree on them.
func (id Identifier) Equal(other Identifier) bool {
	return id.OID == other.OID && bytes.Equal(id.parameters(), other.parameters())
}

func (id Identifier) parameters() []byte {
	if bytes.Equal(id.Parameters, null) {
		return nil
	}
	return id.Parameters
}

// ErrUnsupported is wrapped by the errors for algorithms this module does not
// know, and for parameters that contradict each other.
var ErrUnsupported = errors.New("unsupported algorithm")

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}

const (
	oidSHA1   = "1.3.14.3.2.26"
	oidSHA224 = "2.16.840.1.101.3.4.2.4"
	oidSHA256 = "2.16.840.1.101.3.4.2.1"
	oidSHA384 = "2.16.840.1.101.3.4.2.2"
	oidSHA512 = "2.16.840.1.101.3.4.2.3"

	oidRSAEncryption  = "1.2.840.113549.1.1.1"
	oidMGF1           = "1.2.840.113549.1.1.8"
	oidRSASSAPSS      = "1.2.840.113549.1.1.10"
	oidSHA1WithRSA    = "1.2.840.113549.1.1.5"
	oidSHA1WithRSAOIW = "1.3.14.3.2.29"
	oidSHA224WithRSA  = "1.2.840.113549.1.1.14"
	oidSHA256WithRSA  = "1.2.840.113549.1.1.11"
	oidSHA384WithRSA  = "1.2.840.113549.1.1.12"
	oidSHA512WithRSA  = "1.2.840.113549.1.1.13"

	oidECPublicKey     = "1.2.840.10045.2.1"
	oidECDSAWithSHA1   = "1.2.840.10045.4.1"
	oidECDSAWithSHA224 = "1.2.840.10045.4.3.1"
	oidECDSAWithSHA256 = "1.2.840.10045.4.3.2"
	oidECDSAWithSHA384 = "1.2.840.10045.4.3.3"
	oidECDSAWithSHA512 = "1.2.840.10045.4.3.4"

	oidEd25519 = "1.3.101.112"
)

// null is the DER of NULL, the parameters that RSA identifiers carry.
var null = []byte{0x05, 0x00}

// Digest returns the hash that a digest AlgorithmIdentifier names. Parameters
// are absent or NULL (RFC 5754, Section 2).
func Digest(id Identifier) (crypto.Hash, error) {
	if id.Parameters != nil && !bytes.Equal(id.Parameters, null) {
		return 0, unsupported("digest %s with parameters", id.OID)
	}
	switch id.OID {
	case oidSHA1:
		return crypto.SHA1, nil
	case oidSHA224:
		return crypto.SHA224, nil
	case oidSHA256:
		return crypto.SHA256, nil
	case oidSHA384:
		return crypto.SHA384, nil
	case oidSHA512:
		return crypto.SHA512, nil
	}
	return 0, unsupported("digest %s", id.OID)
}
