package certpath

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
)

// CheckSignature verifies that child was signed by the key of issuer. The
// algorithm and the key are judged by the policy before any arithmetic. Names,
// dates and constraints are not looked at. An error is an *Error: with Kind
// Algorithm, naming issuer if its key is at fault and child otherwise, or
// with Kind Untrusted, wrapping [algorithm.ErrBadSignature].
func CheckSignature(child, issuer *x509.Certificate, algorithms algorithm.Policy) error {
	signature, err := checkAlgorithm(child, issuer, algorithms)
	if err != nil {
		return err
	}
	return verifySignature(child, issuer, issuer.PublicKey, signature)
}

// verifySignature is the rest of it. key is that of issuer, prepared or not.
func verifySignature(child, issuer *x509.Certificate, key crypto.PublicKey, signature algorithm.Signature) error {
	if err := signature.Verify(key, child.RawTBSCertificate, child.Signature); err != nil {
		return &Error{Untrusted, child, fmt.Errorf("%w with the key of %s", err, label(issuer))}
	}
	return nil
}

// checkAlgorithm is the part of CheckSignature that costs nothing.
func checkAlgorithm(child, issuer *x509.Certificate, algorithms algorithm.Policy) (algorithm.Signature, error) {
	if err := algorithms.CheckKey(issuer.PublicKey); err != nil {
		return algorithm.Signature{}, &Error{Algorithm, issuer, err}
	}
	signature, err := algorithm.FromX509(child.SignatureAlgorithm)
	if err == nil {
		err = algorithms.CheckSignature(signature, issuer.PublicKey)
	}
	if err != nil {
		return signature, &Error{Algorithm, child, fmt.Errorf("signature with %v: %w", child.SignatureAlgorithm, err)}
	}
	return signature, nil
}

// MatchesKeyIdentifier reports whether the authorityKeyIdentifier of child, as
// far as it says anything, is that of issuer: keyIdentifier equal to the
// subjectKeyIdentifier if both are present, authorityCertIssuer and
// authorityCertSerialNumber equal to issuer's own if both are present (RFC 5280,
// Section 4.2.1.1). It narrows down the candidates; what decides is the signature.
func MatchesKeyIdentifier(child, issuer *x509.Certificate) bool {
	key, err := authorityKeyOf(child)
	if err != nil {
		return false
	}
	issuerOfIssuer := ""
	if key.issuers != nil {
		if issuerOfIssuer, err = CanonicalName(issuer.RawIssuer); err != nil {
			return false
		}
	}
	return key.matches(child, issuer, issuerOfIssuer)
}

func (k authorityKey) matches(child, issuer *x509.Certificate, issuerOfIssuer string) bool {
	if len(child.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 &&
		!bytes.Equal(child.AuthorityKeyId, issuer.SubjectKeyId) {
		return false
	}
	if k.issuers != nil && k.serial != nil {
		return slices.Contains(k.issuers, issuerOfIssuer) && k.serial.Cmp(issuer.SerialNumber) == 0
	}
	return true
}

// mayHaveIssued reports whether names and key identifiers propose issuer.
func (n *node) mayHaveIssued(child *node) bool {
	return n.subject == child.issuer && child.authorityKey.matches(child.Certificate, n.Certificate, n.issuer)
}

// namesKey reports whether child names the key of n, not only its subject.
func (n *node) namesKey(child *node) bool {
	return len(child.AuthorityKeyId) > 0 && bytes.Equal(child.AuthorityKeyId, n.SubjectKeyId)
}

var oidAuthorityKeyIdentifier = asn1.ObjectIdentifier{2, 5, 29, 35}

func authorityKeyOf(cert *x509.Certificate) (authorityKey, error) {
	ext, ok := Extension(cert, oidAuthorityKeyIdentifier)
	if !ok {
		return authorityKey{}, nil
	}
	doc, err := der.Strict(ext.Value, certificateLimits)
	if err != nil {
		return authorityKey{}, err
	}
	return parseAuthorityKey(doc.Root())
}

func parseAuthorityKey(e der.Element) (authorityKey, error) {
	var key authorityKey
	if e.Tag != der.Sequence {
		return key, e.Errorf("AuthorityKeyIdentifier has tag %v", e.Tag)
	}
	r := e.Reader()
	r.Optional(der.Context(0)) // keyIdentifier, which package x509 reads
	if issuer, ok := r.Optional(der.ContextConstructed(1)); ok {
		names, err := parseGeneralNames(issuer)
		if err != nil {
			return key, err
		}
		for _, name := range names {
			if name.form == formDirectory {
				canonical, err := CanonicalName([]byte(name.value))
				if err != nil {
					return key, err
				}
				key.issuers = append(key.issuers, canonical)
			}
		}
	}
	if serial, ok := r.Optional(der.Context(2)); ok {
		serial.Tag = der.Integer // it is tagged implicitly
		var err error
		if key.serial, err = serial.Integer(); err != nil {
			return key, err
		}
	}
	return key, r.End("AuthorityKeyIdentifier")
}

// A linker verifies which CA signed which certificate: each certificate under
// each key once, within a budget of signature checks.
type linker struct {
	algorithms algorithm.Policy
	budget     int // signature checks that may still be done
	checks     int // signature checks done
	exhausted  bool
	checked    []link
}

// A link is what came of checking the signature of child under the key whose
// SubjectPublicKeyInfo is key. There are few: those whose names fit.
type link struct {
	child *node
	key   []byte
	err   error
}

// connect reports whether issuer signed child, and notes it in child if so.
// The error says why not; it is nil too if names or key identifiers speak
// against it, which is nothing to report.
func (l *linker) connect(child, issuer *node) (bool, error) {
	if child.equal(issuer) || !issuer.mayHaveIssued(child) {
		return false, nil
	}
	if err := l.check(child, issuer); err != nil {
		return false, err
	}
	child.issuers = append(child.issuers, issuer)
	return true, nil
}

func (l *linker) check(child, issuer *node) error {
	signature, err := checkAlgorithm(child.Certificate, issuer.Certificate, l.algorithms)
	if err != nil {
		return err
	}
	for _, done := range l.checked {
		if done.child == child && bytes.Equal(done.key, issuer.RawSubjectPublicKeyInfo) {
			return done.err
		}
	}
	if l.checks == l.budget {
		l.exhausted = true
		return &Error{Limit, child.Certificate, fmt.Errorf("more than %d signature checks", l.budget)}
	}
	l.checks++
	err = verifySignature(child.Certificate, issuer.Certificate, issuer.key, signature)
	l.checked = append(l.checked, link{child, issuer.RawSubjectPublicKeyInfo, err})
	return err
}

// sortIssuers puts what most likely makes the path first: an anchor, then a CA
// whose key the certificate names, then the rest in the order they came.
func sortIssuers(child *node) {
	rank := func(issuer *node) int {
		switch {
		case issuer.anchor:
			return 0
		case issuer.namesKey(child):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(child.issuers, func(a, b *node) int { return rank(a) - rank(b) })
}
