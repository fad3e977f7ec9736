// Package distribution reads what certificates and revocation lists say of where lists
// are and what they are for: distribution points (RFC 5280, Section 4.2.1.13).
package distribution

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
)

// Bounds on what is compared with each other.
const (
	maxPoints = 16
	maxNames  = 16
)

// A Point is a DistributionPoint.
type Point struct {
	Name      *Name         // or nil if absent
	Reasons   Reasons       // that it covers
	CRLIssuer []GeneralName // or nil if absent: the issuer of the certificate
}

var oidDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}

// Of returns the points of a certificate. One without the extension has
// the point that RFC 5280, Section 6.3.3 assumes at the end: named like the
// issuer of the certificate.
//
//	CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
//	DistributionPoint ::= SEQUENCE {
//	    distributionPoint  [0] DistributionPointName OPTIONAL,
//	    reasons            [1] ReasonFlags OPTIONAL,
//	    cRLIssuer          [2] GeneralNames OPTIONAL }
func Of(cert *x509.Certificate) ([]Point, error) {
	ext, ok := certpath.Extension(cert, oidDistributionPoints)
	if !ok {
		return []Point{{Name: &Name{Full: []GeneralName{DirectoryName(cert.RawIssuer)}}, Reasons: AllReasons}}, nil
	}
	return ParsePoints(ext.Value)
}

// ParsePoints reads a CRLDistributionPoints, which is also the syntax of freshestCRL.
func ParsePoints(value []byte) ([]Point, error) {
	doc, err := der.Strict(value, der.Limits{})
	if err != nil {
		return nil, err
	}
	root := doc.Root()
	if root.Tag != der.Sequence || len(root.Body) == 0 {
		return nil, root.Errorf("CRLDistributionPoints is not a SEQUENCE or is empty")
	}
	var points []Point
	r := root.Reader()
	for e := range r.All() {
		if len(points) == maxPoints {
			return nil, &der.LimitError{What: "distribution points", Limit: maxPoints}
		}
		p, err := parsePoint(e)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

func parsePoint(e der.Element) (Point, error) {
	p := Point{Reasons: AllReasons}
	if e.Tag != der.Sequence {
		return p, e.Errorf("DistributionPoint has tag %v", e.Tag)
	}
	r := e.Reader()
	var err error
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		if p.Name, err = ParseName(field); err != nil {
			return p, err
		}
	}
	if field, ok := r.Optional(der.Context(1)); ok {
		if p.Reasons, err = ParseReasons(field); err != nil {
			return p, err
		}
	}
	if field, ok := r.Optional(der.ContextConstructed(2)); ok {
		if p.CRLIssuer, err = ParseGeneralNames(field); err != nil {
			return p, err
		}
	}
	return p, r.End("DistributionPoint")
}

// IsEntryOf reports whether the point is the CA's own entry in the directory, which
// is what RFC 5280, Section 6.3.3 assumes of a certificate without any point.
func (p *Point) IsEntryOf(ca []byte) bool {
	return p.Name != nil && p.CRLIssuer == nil &&
		slices.ContainsFunc(p.Name.Full, DirectoryName(ca).Equal)
}

// LeadsTo reports whether the point names the URL.
func (p *Point) LeadsTo(url string) bool {
	if p.Name == nil {
		return false
	}
	for _, name := range p.Name.Full {
		if name.Form == FormURI && string(name.Value) == url {
			return true
		}
	}
	return false
}

// Reasons is a ReasonFlags (RFC 5280, Section 4.2.1.13), with bit n of the
// standard as bit n.
type Reasons uint16

// AllReasons are keyCompromise (1) to aACompromise (8). Bit 0 is not used.
const AllReasons Reasons = 0x1fe

// ParseReasons reads a ReasonFlags, whatever tag it carries.
func ParseReasons(field der.Element) (Reasons, error) {
	octets, _, err := field.BitString()
	if err != nil {
		return 0, err
	}
	var set Reasons
	for bit := range min(8*len(octets), 9) {
		if octets[bit/8]&(0x80>>(bit%8)) != 0 {
			set |= 1 << bit
		}
	}
	return set & AllReasons, nil
}
