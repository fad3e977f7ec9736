package algorithm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
)

// A Policy says which digests, signatures and keys are acceptable. The zero
// value is the strict one: SHA-256, SHA-384 and SHA-512; RSA of 2048 to 8192
// bits; P-256, P-384, P-521; Ed25519.
type Policy struct {
	// InsecureAllowSHA1 also admits SHA-1, and RSA keys of 1024 bits and more,
	// which belong to the same time: for replaying archived vectors.
	InsecureAllowSHA1 bool
}

// Name and Version identify the strict policy in results and evidence.
const (
	PolicyName    = "citizencert-strict"
	PolicyVersion = "2026.1"
)

// Name returns what the policy is called in results.
func (p Policy) Name() string {
	if p.InsecureAllowSHA1 {
		return "citizencert-insecure-sha1"
	}
	return PolicyName
}

// The bounds on RSA keys. Above 8192 bits a verification costs tens of
// milliseconds, and nobody issues such certificates.
const (
	minRSABits       = 2048
	minRSABitsLegacy = 1024
	maxRSABits       = 8192
)

// A Refusal says why a policy does not accept an algorithm or key.
type Refusal struct{ Msg string }

func (r *Refusal) Error() string { return r.Msg }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// CheckHash reports whether h may be used for digests and signatures.
func (p Policy) CheckHash(h crypto.Hash) error {
	switch h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
		return nil
	case crypto.SHA1:
		if p.InsecureAllowSHA1 {
			return nil
		}
	}
	return refuse("digest algorithm %v is not acceptable", h)
}

// CheckSignature reports whether the algorithm and the key, together, may be
// used. It costs no arithmetic, however large the key.
func (p Policy) CheckSignature(s Signature, key crypto.PublicKey) error {
	if s.Scheme != Ed25519 {
		if err := p.CheckHash(s.Hash); err != nil {
			return err
		}
	}
	if err := p.CheckKey(key); err != nil {
		return err
	}
	fits := false
	switch key.(type) {
	case *rsa.PublicKey:
		fits = s.Scheme == RSAPKCS1v15 || s.Scheme == RSAPSS
	case *ecdsa.PublicKey:
		fits = s.Scheme == ECDSA
	case ed25519.PublicKey:
		fits = s.Scheme == Ed25519
	}
	if !fits {
		return refuse("%v signature by a key of type %T", s.Scheme, key)
	}
	return nil
}

// CheckKey reports whether the key is of an acceptable kind and size.
func (p Policy) CheckKey(key crypto.PublicKey) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return p.checkRSA(key)
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return nil
		}
		return refuse("elliptic curve %s is not acceptable", key.Curve.Params().Name)
	case ed25519.PublicKey:
		return nil
	case nil:
		return refuse("key algorithm is not supported")
	}
	return refuse("key of type %T is not acceptable", key)
}

func (p Policy) checkRSA(key *rsa.PublicKey) error {
	minBits := minRSABits
	if p.InsecureAllowSHA1 {
		minBits = minRSABitsLegacy
	}
	switch bits := key.N.BitLen(); {
	case bits < minBits || bits > maxRSABits:
		return refuse("RSA key of %d bits is outside %d to %d", bits, minBits, maxRSABits)
	case key.E < 3 || key.E&1 == 0 || int64(key.E) > 1<<32-1:
		return refuse("RSA exponent %d is not odd and between 3 and 2^32", key.E)
	case key.N.Bit(0) == 0:
		return refuse("RSA modulus is even")
	}
	return nil
}
