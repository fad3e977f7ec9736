// Package revocation holds what OCSP answers and revocation lists have in
// common: how a refusal looks, how extensions are read, and how a signature is
// checked.
package revocation

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/verify"
)

// Refuse returns a *verify.Error that is not about a signer.
func Refuse(reason verify.Reason, format string, args ...any) error {
	return &verify.Error{Reason: reason, Signer: -1, Err: fmt.Errorf(format, args...)}
}

// Malformed returns a *verify.Error for what a parser found, with the reason
// that package der's error types tell.
func Malformed(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	reason := verify.ReasonMalformed
	if _, ok := errors.AsType[*der.LimitError](err); ok {
		reason = verify.ReasonLimit
	}
	if e, ok := errors.AsType[*der.SyntaxError](err); ok && e.NotDER {
		reason = verify.ReasonNotDER
	}
	return &verify.Error{Reason: reason, Signer: -1, Err: err}
}

// A Signed is a structure with its signature. It must not be copied.
type Signed struct {
	TBS       []byte // what is signed, with header
	Algorithm algorithm.Identifier
	Signature []byte

	once     sync.Once
	digest   []byte
	verified atomic.Pointer[verified]
}

// A comparableKey is what crypto.PublicKey documents all public keys to be.
type comparableKey interface{ Equal(crypto.PublicKey) bool }

// verified is what a signature has been found good under.
type verified struct {
	key    comparableKey
	policy algorithm.Policy
}

// Verify checks the signature under a key, after the policy has admitted both.
// The digest is computed once, however many keys are tried and however often,
// and a success is remembered.
func (s *Signed) Verify(key crypto.PublicKey, policy algorithm.Policy) error {
	if v := s.verified.Load(); v != nil && v.policy == policy && v.key.Equal(key) {
		return nil
	}
	if err := s.verify(key, policy); err != nil {
		return err
	}
	if key, ok := key.(comparableKey); ok { // as are all keys that a policy admits
		s.verified.Store(&verified{key, policy})
	}
	return nil
}

// Digested notes the digest of TBS, by the algorithm, where TBS itself has been
// read as a stream and is not there.
func (s *Signed) Digested(digest []byte) { s.once.Do(func() { s.digest = digest }) }

func (s *Signed) verify(key crypto.PublicKey, policy algorithm.Policy) error {
	alg, err := algorithm.ParseSignature(s.Algorithm)
	if err != nil {
		return Refuse(verify.ReasonAlgorithm, "%w", err)
	}
	if err := policy.CheckSignature(alg, key); err != nil {
		return Refuse(verify.ReasonAlgorithm, "%w", err)
	}
	if alg.Scheme == algorithm.Ed25519 {
		err = alg.Verify(key, s.TBS, s.Signature)
	} else if !alg.Hash.Available() {
		return Refuse(verify.ReasonAlgorithm, "signature algorithm %v names no digest", alg)
	} else {
		s.once.Do(func() {
			h := alg.Hash.New()
			h.Write(s.TBS)
			s.digest = h.Sum(nil)
		})
		err = alg.VerifyDigest(key, s.digest, s.Signature)
	}
	if err != nil {
		return Refuse(verify.ReasonBadSignature, "%w", err)
	}
	return nil
}

// ParseSignature reads the two fields that end every signed structure:
//
//	signatureAlgorithm  AlgorithmIdentifier,
//	signature           BIT STRING
func (s *Signed) ParseSignature(r *der.Reader) error {
	e, err := r.Expect(der.Sequence, "signatureAlgorithm")
	if err != nil {
		return err
	}
	if s.Algorithm, err = algorithm.ParseIdentifier(e); err != nil {
		return err
	}
	if e, err = r.Expect(der.BitString, "signature"); err != nil {
		return err
	}
	s.Signature, err = SignatureBits(e)
	return err
}

// SignatureBits reads the BIT STRING of a signature, which has whole octets.
func SignatureBits(e der.Element) ([]byte, error) {
	if e.Tag != der.BitString {
		return nil, e.Errorf("signature has tag %v", e.Tag)
	}
	octets, unused, err := e.BitString()
	if err == nil && unused != 0 {
		err = e.Errorf("signature has %d unused bits", unused)
	}
	return octets, err
}

// A KeyID identifies the public key of a CA. Names do not: the generations of
// one CA share theirs.
type KeyID [sha256.Size]byte

// KeyIDOf returns the SHA-256 of the certificate's subjectPublicKeyInfo.
func KeyIDOf(issuer *x509.Certificate) KeyID { return sha256.Sum256(issuer.RawSubjectPublicKeyInfo) }

var oidKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}

// MayUse reports whether the certificate's keyUsage has the purpose. Without the
// extension a key may be used for everything (RFC 5280, Section 6.3.3 (f)).
func MayUse(cert *x509.Certificate, usage x509.KeyUsage) bool {
	_, restricted := certpath.Extension(cert, oidKeyUsage)
	return !restricted || cert.KeyUsage&usage != 0
}
