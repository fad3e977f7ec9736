package certpath

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/citizencert/citizencert/internal/der"
)

// extensions are those that decide about a path (RFC 5280, Section 4.2.1), read
// by us from their DER: what package x509 exposes leaves out directory names in
// subjectAltName and name constraints, whether an extension is there at all, and
// which policy is mapped.
type extensions struct {
	basicConstraints basicConstraints
	hasKeyUsage      bool
	keyCertSign      bool
	hasExtKeyUsage   bool
	extKeyUsages     []string
	authorityKey     authorityKey
	subjectAltNames  []generalName
	hasAltNames      bool
	altNamesCritical bool
	constraints      *nameConstraints
	policies         *certificatePolicies // nil if the extension is absent
	mappings         []policyMapping

	// The SkipCerts of policyConstraints and inhibitAnyPolicy, or absent.
	requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy int

	// violations are what the profile of RFC 5280 forbids. They refuse a path,
	// and unlike malformed extensions leave the certificate readable.
	violations []error
}

// absent stands for a number that an extension does not give.
const absent = -1

type basicConstraints struct {
	isCA    bool
	pathLen int // or absent
}

// authorityKey is the authorityKeyIdentifier (Section 4.2.1.1).
type authorityKey struct {
	issuers []string // canonical directory names of authorityCertIssuer
	serial  *big.Int // authorityCertSerialNumber, or nil
}

type policyMapping struct{ issuerDomain, subjectDomain string }

type certificatePolicies struct {
	ids []string // in the order of the certificate, none twice
	any bool     // anyPolicy is among the policies, and not in ids
}

// An extensionParser reads one extnValue.
type extensionParser struct {
	parse func(x *extensions, value der.Element, critical bool) error
	// critical says whether a critical extension of this kind is processed. What
	// RFC 5280 requires to be non-critical is refused by refusing to process it.
	critical bool
}

// parsers are the extensions this package processes, by n of their OID 2.5.29.n.
// cRLDistributionPoints is processed by whoever checks revocation, after the path
// has been found.
var parsers = map[int]extensionParser{
	15: {(*extensions).parseKeyUsage, true},
	17: {(*extensions).parseSubjectAltName, true},
	19: {(*extensions).parseBasicConstraints, true},
	30: {(*extensions).parseNameConstraints, true},
	31: {(*extensions).parseDistributionPoints, true},
	32: {(*extensions).parsePolicies, true},
	33: {(*extensions).parsePolicyMappings, true},
	35: {(*extensions).parseAuthorityKey, false},
	36: {(*extensions).parsePolicyConstraints, true},
	37: {(*extensions).parseExtKeyUsage, true},
	54: {(*extensions).parseInhibitAnyPolicy, true},
}

// idCE returns n for the OID 2.5.29.n, the arc of RFC 5280, and absent for
// another.
func idCE(id asn1.ObjectIdentifier) int {
	if len(id) == 4 && id[0] == 2 && id[1] == 5 && id[2] == 29 {
		return id[3]
	}
	return absent
}

func parseExtensions(cert *x509.Certificate) (extensions, error) {
	x := extensions{
		basicConstraints:      basicConstraints{pathLen: absent},
		requireExplicitPolicy: absent,
		inhibitPolicyMapping:  absent,
		inhibitAnyPolicy:      absent,
	}
	var doc der.Document
	var seen uint64 // bit n for 2.5.29.n
	for _, ext := range cert.Extensions {
		n := idCE(ext.Id)
		p, known := parsers[n]
		if ext.Critical && !p.critical {
			x.violate("critical extension %v is not processed", ext.Id)
		}
		if !known {
			continue
		}
		if seen&(1<<n) != 0 {
			return x, fmt.Errorf("extension %v occurs twice", ext.Id)
		}
		seen |= 1 << n
		err := doc.Strict(ext.Value, certificateLimits)
		if err == nil {
			err = p.parse(&x, doc.Root(), ext.Critical)
		}
		if err != nil {
			return x, fmt.Errorf("extension %v: %w", ext.Id, err)
		}
	}
	return x, nil
}

func (x *extensions) violate(format string, args ...any) {
	x.violations = append(x.violations, fmt.Errorf(format, args...))
}

// KeyUsage ::= BIT STRING { …, keyCertSign (5), … }
func (x *extensions) parseKeyUsage(e der.Element, _ bool) error {
	if e.Tag != der.BitString {
		return e.Errorf("KeyUsage has tag %v", e.Tag)
	}
	bits, _, err := e.BitString()
	if err != nil {
		return err
	}
	x.hasKeyUsage = true
	x.keyCertSign = len(bits) > 0 && bits[0]&(0x80>>5) != 0
	return nil
}

func (x *extensions) parseSubjectAltName(e der.Element, critical bool) (err error) {
	if e.Tag != der.Sequence {
		return e.Errorf("SubjectAltName has tag %v", e.Tag)
	}
	x.hasAltNames, x.altNamesCritical = true, critical
	if x.subjectAltNames, err = parseGeneralNames(e); err != nil {
		return err
	}
	for _, name := range x.subjectAltNames {
		if name.form == formDNS && !validDNSName(name.value) {
			return errors.New("dNSName is not in the preferred name syntax (RFC 5280, Section 4.2.1.6)")
		}
		if name.form == formIP && len(name.value) != 4 && len(name.value) != 16 {
			return errors.New("iPAddress has neither 4 nor 16 octets")
		}
	}
	return nil
}

//	BasicConstraints ::= SEQUENCE {
//	    cA                  BOOLEAN DEFAULT FALSE,
//	    pathLenConstraint   INTEGER (0..MAX) OPTIONAL }
//
// Some CAs encode cA FALSE, which DER leaves out; that is accepted.
func (x *extensions) parseBasicConstraints(e der.Element, _ bool) (err error) {
	if e.Tag != der.Sequence {
		return e.Errorf("BasicConstraints has tag %v", e.Tag)
	}
	r := e.Reader()
	if isCA, ok := r.Optional(der.Boolean); ok {
		if x.basicConstraints.isCA, err = isCA.Bool(); err != nil {
			return err
		}
	}
	if pathLen, ok := r.Optional(der.Integer); ok {
		if x.basicConstraints.pathLen, err = skipCerts(pathLen); err != nil {
			return err
		}
	}
	return r.End("BasicConstraints")
}

// skipCerts reads INTEGER (0..MAX). Paths are so short that every number beyond
// 32 bits means the same.
func skipCerts(e der.Element) (int, error) {
	n, err := e.Integer()
	switch {
	case err != nil:
		return 0, err
	case n.Sign() < 0:
		return 0, e.Errorf("number of certificates is negative")
	case n.BitLen() > 31:
		return 1<<31 - 1, nil
	}
	return int(n.Int64()), nil
}

// parseDistributionPoints checks only that there are some: what they say is for
// whoever checks revocation.
func (x *extensions) parseDistributionPoints(e der.Element, _ bool) error {
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return e.Errorf("CRLDistributionPoints is not a SEQUENCE of distribution points")
	}
	return nil
}

//	AuthorityKeyIdentifier ::= SEQUENCE {
//	    keyIdentifier             [0] OCTET STRING OPTIONAL,
//	    authorityCertIssuer       [1] GeneralNames OPTIONAL,
//	    authorityCertSerialNumber [2] INTEGER OPTIONAL }
//
// The keyIdentifier is taken from package x509.
func (x *extensions) parseAuthorityKey(e der.Element, _ bool) (err error) {
	x.authorityKey, err = parseAuthorityKey(e)
	return err
}

// maxPurposes bounds how many purposes one certificate may name. Those in use name
// up to five.
const maxPurposes = 256

// ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF OBJECT IDENTIFIER
func (x *extensions) parseExtKeyUsage(e der.Element, _ bool) error {
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return e.Errorf("ExtKeyUsageSyntax is not a SEQUENCE of purposes")
	}
	x.hasExtKeyUsage = true
	r := e.Reader()
	for purpose := range r.All() {
		if len(x.extKeyUsages) == maxPurposes {
			return &der.LimitError{What: "extended key usages", Limit: maxPurposes}
		}
		id, err := purpose.ObjectID()
		if err != nil {
			return err
		}
		x.extKeyUsages = append(x.extKeyUsages, id)
	}
	return nil
}
