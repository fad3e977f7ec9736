package certpath

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"strconv"

	"github.com/citizencert/citizencert/internal/der"
)

// certificateLimits bound a certificate. Those of the national schemes take two
// to three kilobytes with two hundred elements; a megabyte leaves room for anything
// that is one. Elements are what costs time, and a message may have 64 certificates
// that are looked at for each of its signers: there is room for as many names and
// policies as one may hold.
var certificateLimits = der.Limits{Bytes: 1 << 20, Elements: 1 << 14}

// Extension returns an extension of a certificate, or false if it has none of
// that type. Package x509 refuses certificates that have two.
func Extension(cert *x509.Certificate, id asn1.ObjectIdentifier) (pkix.Extension, bool) {
	for _, ext := range cert.Extensions {
		if ext.Id.Equal(id) {
			return ext, true
		}
	}
	return pkix.Extension{}, false
}

// ParseCertificate parses one certificate. Its encoding is bounded and checked
// to be DER before package x509 sees it. Errors are an *Error with Kind
// Malformed or Limit.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	if _, err := der.Strict(data, certificateLimits); err != nil {
		return nil, unreadable(nil, err)
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, unreadable(nil, err)
	}
	return cert, nil
}

// unreadable returns the *Error for a certificate that could not be read, or
// not within the limits.
func unreadable(cert *x509.Certificate, err error) error {
	if _, ok := errors.AsType[*der.LimitError](err); ok {
		return &Error{Limit, cert, err}
	}
	return &Error{Malformed, cert, err}
}

// A node is a certificate as path building sees it: names in canonical form,
// extensions read, and the CAs it is known to be signed by.
type node struct {
	*x509.Certificate
	subject, issuer string // CanonicalName
	extensions

	// key verifies what the certificate's key has signed. That of a known CA has
	// been prepared for it.
	key    crypto.PublicKey
	anchor bool
	// issuers are those under whose key the signature has been verified.
	issuers []*node
}

// newNode returns the node of a certificate. names are canonical names by DER
// that are known already.
func newNode(cert *x509.Certificate, names map[string]string) (*node, error) {
	n := &node{Certificate: cert, key: cert.PublicKey}
	var err error
	if n.subject, err = CanonicalName(cert.RawSubject); err != nil {
		return nil, unreadable(cert, fmt.Errorf("subject: %w", err))
	}
	if known, ok := names[string(cert.RawIssuer)]; ok {
		n.issuer = known
	} else if n.issuer, err = CanonicalName(cert.RawIssuer); err != nil {
		return nil, unreadable(cert, fmt.Errorf("issuer: %w", err))
	}
	if n.extensions, err = parseExtensions(cert); err != nil {
		return nil, unreadable(cert, err)
	}
	return n, nil
}

// selfIssued reports whether subject and issuer are the same name (RFC 5280,
// Section 3.2), which says nothing about the keys.
func (n *node) selfIssued() bool { return n.subject == n.issuer }

func (n *node) equal(other *node) bool { return bytes.Equal(n.Raw, other.Raw) }

// sameEntity reports whether two certificates bind the same name to the same key.
func (n *node) sameEntity(other *node) bool {
	return n.subject == other.subject && bytes.Equal(n.RawSubjectPublicKeyInfo, other.RawSubjectPublicKeyInfo)
}

// label names a certificate in an error. CAs of several generations share one
// name, so a CA is named with the beginning of its SHA-256; the subject of an end
// entity is personal data, so that is named by its serial number.
func label(cert *x509.Certificate) string {
	if !cert.IsCA {
		return fmt.Sprintf("certificate with serial number %X", cert.SerialNumber)
	}
	name := cert.Subject.CommonName
	if units := cert.Subject.OrganizationalUnit; name == "" && len(units) > 0 {
		name = units[0]
	}
	if organizations := cert.Subject.Organization; name == "" && len(organizations) > 0 {
		name = organizations[0]
	}
	const longest = 64 // characters; the name may be a stranger's
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest]) + "…"
	}
	sum := sha256.Sum256(cert.Raw)
	return fmt.Sprintf("CA %s (SHA-256 %x…)", strconv.QuoteToGraphic(name), sum[:8])
}
