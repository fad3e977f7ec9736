package crl

import (
	"crypto/x509"
	"encoding/asn1"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
)

// Bounds on what is compared with each other.
const (
	maxPoints = 16
	maxNames  = 16
)

// A distributionPoint is one of a certificate's.
type distributionPoint struct {
	name      *pointName // or nil if absent
	reasons   reasonSet  // that it covers
	crlIssuer []generalName
}

var oidDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}

// distributionPoints reads those of a certificate. One without the extension has
// the point that RFC 5280, Section 6.3.3 assumes at the end: named like the
// issuer of the certificate.
//
//	CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
//	DistributionPoint ::= SEQUENCE {
//	    distributionPoint  [0] DistributionPointName OPTIONAL,
//	    reasons            [1] ReasonFlags OPTIONAL,
//	    cRLIssuer          [2] GeneralNames OPTIONAL }
func distributionPoints(cert *x509.Certificate) ([]distributionPoint, error) {
	ext, ok := certpath.Extension(cert, oidDistributionPoints)
	if !ok {
		return []distributionPoint{{name: &pointName{full: []generalName{{formDirectory, cert.RawIssuer}}}, reasons: allReasons}}, nil
	}
	return parsePoints(ext.Value)
}

// parsePoints reads a CRLDistributionPoints, which is also the syntax of freshestCRL.
func parsePoints(value []byte) ([]distributionPoint, error) {
	doc, err := der.Strict(value, der.Limits{})
	if err != nil {
		return nil, err
	}
	root := doc.Root()
	if root.Tag != der.Sequence || len(root.Body) == 0 {
		return nil, root.Errorf("CRLDistributionPoints is not a SEQUENCE or is empty")
	}
	var points []distributionPoint
	r := root.Reader()
	for e := range r.All() {
		if len(points) == maxPoints {
			return nil, &der.LimitError{What: "distribution points", Limit: maxPoints}
		}
		p, err := parseDistributionPoint(e)
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, nil
}

func parseDistributionPoint(e der.Element) (distributionPoint, error) {
	p := distributionPoint{reasons: allReasons}
	if e.Tag != der.Sequence {
		return p, e.Errorf("DistributionPoint has tag %v", e.Tag)
	}
	r := e.Reader()
	var err error
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		if p.name, err = parsePointName(field); err != nil {
			return p, err
		}
	}
	if field, ok := r.Optional(der.Context(1)); ok {
		if p.reasons, err = parseReasons(field); err != nil {
			return p, err
		}
	}
	if field, ok := r.Optional(der.ContextConstructed(2)); ok {
		if p.crlIssuer, err = parseGeneralNames(field); err != nil {
			return p, err
		}
	}
	return p, r.End("DistributionPoint")
}
