package algorithm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"

	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/rsaverify"
)

// A Scheme is a family of signature algorithms.
type Scheme uint8

// The families that are verified.
const (
	RSAPKCS1v15 Scheme = iota + 1
	RSAPSS
	ECDSA
	Ed25519
)

func (s Scheme) String() string {
	switch s {
	case RSAPKCS1v15:
		return "RSA"
	case RSAPSS:
		return "RSA-PSS"
	case ECDSA:
		return "ECDSA"
	case Ed25519:
		return "Ed25519"
	}
	return "unknown"
}

// A Signature is a signature algorithm with its parameters.
type Signature struct {
	Scheme Scheme
	// Hash is what the message is hashed with. It is zero for Ed25519, and for
	// an rsaEncryption or id-ecPublicKey identifier, which names no hash: in CMS
	// the digestAlgorithm is it (RFC 3370, Section 3.2).
	Hash crypto.Hash
	// SaltLength is the length in bytes of the salt of RSA-PSS.
	SaltLength int
}

func (s Signature) String() string {
	switch {
	case s.Hash == 0:
		return s.Scheme.String()
	case s.Scheme == RSAPKCS1v15 && s.Hash == crypto.SHA256:
		return "RSA-SHA-256" // nearly always, and this is not put together
	}
	return s.Scheme.String() + "-" + s.Hash.String()
}

// ParseSignature returns the signature algorithm that id names.
//
// RSA PKCS#1 v1.5 parameters are NULL (RFC 4055, Section 5) or absent, which
// some signers emit; ECDSA parameters are absent (RFC 5758, Section 3.2), and
// so are those of Ed25519 (RFC 8410, Section 3).
func ParseSignature(id Identifier) (Signature, error) {
	var s Signature
	switch id.OID {
	case oidRSASSAPSS:
		return parsePSS(id)
	case oidRSAEncryption:
		s = Signature{Scheme: RSAPKCS1v15}
	case oidSHA1WithRSA, oidSHA1WithRSAOIW:
		s = Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA1}
	case oidSHA224WithRSA:
		s = Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA224}
	case oidSHA256WithRSA:
		s = Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}
	case oidSHA384WithRSA:
		s = Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA384}
	case oidSHA512WithRSA:
		s = Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA512}
	case oidECPublicKey:
		s = Signature{Scheme: ECDSA}
	case oidECDSAWithSHA1:
		s = Signature{Scheme: ECDSA, Hash: crypto.SHA1}
	case oidECDSAWithSHA224:
		s = Signature{Scheme: ECDSA, Hash: crypto.SHA224}
	case oidECDSAWithSHA256:
		s = Signature{Scheme: ECDSA, Hash: crypto.SHA256}
	case oidECDSAWithSHA384:
		s = Signature{Scheme: ECDSA, Hash: crypto.SHA384}
	case oidECDSAWithSHA512:
		s = Signature{Scheme: ECDSA, Hash: crypto.SHA512}
	case oidEd25519:
		s = Signature{Scheme: Ed25519}
	default:
		return Signature{}, unsupported("signature %s", id.OID)
	}
	nullAllowed := s.Scheme == RSAPKCS1v15
	if id.Parameters != nil && !(nullAllowed && bytes.Equal(id.Parameters, null)) {
		return Signature{}, unsupported("signature %s with parameters", id.OID)
	}
	return s, nil
}

// maxSalt is more than fits the largest key that is accepted.
const maxSalt = 1024

// parsePSS reads the parameters of id-RSASSA-PSS and accepts them if they are
// consistent: the mask generation hash is the message hash, the trailer is 1 (RFC
// 4055, Section 3.1). The salt has any length that fits a key: OpenSSL makes it as
// long as it can.
//
//	RSASSA-PSS-params ::= SEQUENCE {
//	    hashAlgorithm      [0] HashAlgorithm DEFAULT sha1Identifier,
//	    maskGenAlgorithm   [1] MaskGenAlgorithm DEFAULT mgf1SHA1Identifier,
//	    saltLength         [2] INTEGER DEFAULT 20,
//	    trailerField       [3] INTEGER DEFAULT 1 }
func parsePSS(id Identifier) (Signature, error) {
	s := Signature{Scheme: RSAPSS, Hash: crypto.SHA1, SaltLength: 20}
	doc, err := der.Strict(id.Parameters, der.Limits{})
	if err != nil || doc.Root().Tag != der.Sequence {
		return s, unsupported("RSA-PSS with malformed or absent parameters")
	}
	r := doc.Root().Reader()
	mgfHash := crypto.SHA1
	trailer := 1
	for n := range 4 {
		field, ok := r.Optional(der.ContextConstructed(n))
		if !ok {
			continue
		}
		inner := field.Reader()
		value, ok := inner.Next()
		if !ok || inner.End("parameter") != nil {
			return s, unsupported("RSA-PSS parameter [%d] is malformed", n)
		}
		switch n {
		case 0:
			s.Hash, err = digestOf(value)
		case 1:
			mgfHash, err = maskGenHash(value)
		case 2:
			s.SaltLength, err = value.Int()
		case 3:
			trailer, err = value.Int()
		}
		if err != nil {
			return s, unsupported("RSA-PSS parameter [%d]: %v", n, err)
		}
	}
	switch {
	case r.End("RSASSA-PSS-params") != nil:
		return s, unsupported("RSA-PSS parameters have an unknown field")
	case mgfHash != s.Hash:
		return s, unsupported("RSA-PSS mask generation with %v under %v", mgfHash, s.Hash)
	case s.SaltLength < 0 || s.SaltLength > maxSalt:
		return s, unsupported("RSA-PSS salt of %d bytes, want at most %d", s.SaltLength, maxSalt)
	case trailer != 1:
		return s, unsupported("RSA-PSS trailer field %d", trailer)
	}
	return s, nil
}

func digestOf(e der.Element) (crypto.Hash, error) {
	id, err := ParseIdentifier(e)
	if err != nil {
		return 0, err
	}
	return Digest(id)
}

func maskGenHash(e der.Element) (crypto.Hash, error) {
	id, err := ParseIdentifier(e)
	if err != nil {
		return 0, err
	}
	if id.OID != oidMGF1 {
		return 0, unsupported("mask generation %s", id.OID)
	}
	doc, err := der.Strict(id.Parameters, der.Limits{})
	if err != nil {
		return 0, err
	}
	return digestOf(doc.Root())
}

// FromX509 returns the algorithm that package x509 calls a. It serves callers
// who know by agreement, not from the message, what was signed with.
func FromX509(a x509.SignatureAlgorithm) (Signature, error) {
	switch a {
	case x509.SHA1WithRSA:
		return Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA1}, nil
	case x509.ECDSAWithSHA1:
		return Signature{Scheme: ECDSA, Hash: crypto.SHA1}, nil
	case x509.SHA256WithRSA:
		return Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}, nil
	case x509.SHA384WithRSA:
		return Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA384}, nil
	case x509.SHA512WithRSA:
		return Signature{Scheme: RSAPKCS1v15, Hash: crypto.SHA512}, nil
	case x509.SHA256WithRSAPSS:
		return Signature{Scheme: RSAPSS, Hash: crypto.SHA256, SaltLength: 32}, nil
	case x509.SHA384WithRSAPSS:
		return Signature{Scheme: RSAPSS, Hash: crypto.SHA384, SaltLength: 48}, nil
	case x509.SHA512WithRSAPSS:
		return Signature{Scheme: RSAPSS, Hash: crypto.SHA512, SaltLength: 64}, nil
	case x509.ECDSAWithSHA256:
		return Signature{Scheme: ECDSA, Hash: crypto.SHA256}, nil
	case x509.ECDSAWithSHA384:
		return Signature{Scheme: ECDSA, Hash: crypto.SHA384}, nil
	case x509.ECDSAWithSHA512:
		return Signature{Scheme: ECDSA, Hash: crypto.SHA512}, nil
	case x509.PureEd25519:
		return Signature{Scheme: Ed25519}, nil
	}
	return Signature{}, unsupported("signature algorithm %v", a)
}

// ErrBadSignature is returned when the signature does not verify.
var ErrBadSignature = errors.New("signature does not verify")

// Verify checks sig over message. It is the caller's duty to have asked a
// [Policy] about the algorithm and the key before.
func (s Signature) Verify(key crypto.PublicKey, message, sig []byte) error {
	if s.Scheme == Ed25519 {
		pub, ok := key.(ed25519.PublicKey)
		if !ok {
			return unsupported("Ed25519 signature by a key of type %T", key)
		}
		if !ed25519.Verify(pub, message, sig) {
			return ErrBadSignature
		}
		return nil
	}
	if !s.Hash.Available() {
		return unsupported("%v without a hash", s)
	}
	var room [sha512.Size]byte
	return s.VerifyDigest(key, AppendSum(room[:0], s.Hash, message), sig)
}

// AppendSum appends the digest of data to b.
func AppendSum(b []byte, hash crypto.Hash, data []byte) []byte {
	if hash == crypto.SHA256 { // nearly always, and this needs no memory for its state
		sum := sha256.Sum256(data)
		return append(b, sum[:]...)
	}
	h := hash.New()
	h.Write(data)
	return h.Sum(b)
}

// VerifyDigest checks sig over a message whose digest with s.Hash is given.
// Ed25519 signs the message itself and is refused.
func (s Signature) VerifyDigest(key crypto.PublicKey, digest, sig []byte) error {
	if len(digest) != s.Hash.Size() {
		return unsupported("%v over a digest of %d bytes", s, len(digest))
	}
	switch s.Scheme {
	case RSAPKCS1v15, RSAPSS:
		return s.verifyRSA(key, digest, sig)
	case ECDSA:
		pub, ok := key.(*ecdsa.PublicKey)
		if !ok {
			return unsupported("ECDSA signature by a key of type %T", key)
		}
		if !ecdsa.VerifyASN1(pub, digest, sig) {
			return ErrBadSignature
		}
		return nil
	}
	return unsupported("%v over a digest", s.Scheme)
}

func (s Signature) verifyRSA(key crypto.PublicKey, digest, sig []byte) error {
	var err error
	switch key := key.(type) {
	case *rsaverify.Key:
		if s.Scheme == RSAPSS {
			err = key.VerifyPSS(s.Hash, digest, sig, s.SaltLength)
		} else {
			err = key.VerifyPKCS1v15(s.Hash, digest, sig)
		}
	case *rsa.PublicKey:
		if s.Scheme == RSAPSS {
			err = rsaverify.VerifyPSS(key, s.Hash, digest, sig, s.SaltLength)
		} else {
			err = rsaverify.VerifyPKCS1v15(key, s.Hash, digest, sig)
		}
	default:
		return unsupported("%v signature by a key of type %T", s.Scheme, key)
	}
	if err != nil {
		return ErrBadSignature
	}
	return nil
}

// Prepare returns a form of key for [Signature.Verify] and
// [Signature.VerifyDigest] that is faster if it is used more than a few times,
// as a CA's is. A policy is asked about key itself, and before it is prepared.
func Prepare(key crypto.PublicKey) crypto.PublicKey {
	if key, ok := key.(*rsa.PublicKey); ok {
		return rsaverify.NewKey(key)
	}
	return key
}

// PrepareFrequent is [Prepare] for a key that is used so often that it pays also
// where crypto/rsa is at its best.
func PrepareFrequent(key crypto.PublicKey) crypto.PublicKey {
	if key, ok := key.(*rsa.PublicKey); ok {
		return rsaverify.NewFrequentKey(key)
	}
	return key
}
