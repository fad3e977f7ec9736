package algorithm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"time"
)

// A Policy says which digests, signatures and keys are acceptable, and until
// when. The zero value is the strict one: SHA-256, SHA-384 and SHA-512; RSA of
// 2048 to 8192 bits; P-256, P-384, P-521; Ed25519; none of them with an end.
//
// A rule with an end counts at an instant, which [Policy.At] sets. A policy
// without an instant refuses what such a rule would accept. Policies can be
// compared.
type Policy struct {
	// InsecureAllowSHA1 also admits SHA-1, and RSA keys of 1024 bits and more,
	// which belong to the same time: for replaying archived vectors.
	InsecureAllowSHA1 bool

	named   *ruleSet  // nil: as InsecureAllowSHA1 says
	instant time.Time // zero: none
	anyTime bool
}

// At returns the policy as it is at an instant.
func (p Policy) At(t time.Time) Policy {
	p.instant, p.anyTime = t, false
	return p
}

// AtAnyTime returns the policy that accepts what p accepts at one instant or
// another. It is for CAs that are linked once and judged at many instants.
func (p Policy) AtAnyTime() Policy {
	p.anyTime = true
	return p
}

// A Refusal says why a policy does not accept an algorithm or key.
type Refusal struct{ Msg string }

func (r *Refusal) Error() string { return r.Msg }

func refuse(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// CheckHash reports whether h may be used for digests and signatures.
func (p Policy) CheckHash(h crypto.Hash) error {
	if why := p.refusal(h.String(), 0); why != "" {
		return refuse("digest algorithm %v is %s", h, why)
	}
	return nil
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
		name := key.Curve.Params().Name
		if why := p.refusal(name, 0); why != "" {
			return refuse("elliptic curve %s is %s", name, why)
		}
		return nil
	case ed25519.PublicKey:
		if why := p.refusal(nameEd25519, 0); why != "" {
			return refuse("key algorithm Ed25519 is %s", why)
		}
		return nil
	case nil:
		return refuse("key algorithm is not supported")
	}
	return refuse("key of type %T is not acceptable", key)
}

func (p Policy) checkRSA(key *rsa.PublicKey) error {
	bits := key.N.BitLen()
	if why := p.refusal(nameRSA, bits); why != "" {
		return refuse("RSA key of %d bits is %s", bits, why)
	}
	switch {
	case key.E < 3 || key.E&1 == 0 || int64(key.E) > 1<<32-1:
		return refuse("RSA exponent %d is not odd and between 3 and 2^32", key.E)
	case key.N.Bit(0) == 0:
		return refuse("RSA modulus is even")
	}
	return nil
}
