package crl

import (
	"crypto/x509"
	"errors"
	"fmt"
)

// covers says whether the list is about the certificate, as far as a serial
// number on it goes, and whether it is complete: whether a serial number that is
// not on it is good. RFC 5280, Section 6.3.3 (b).
func (l *List) covers(cert *x509.Certificate, opts *JudgeOptions) (complete bool, err error) {
	if err := l.scope.includes(cert); err != nil {
		return false, err
	}
	points, err := distributionPoints(cert)
	if err != nil {
		return false, fmt.Errorf("cRLDistributionPoints of the certificate: %w", err)
	}
	if l.scope == nil || l.scope.point == nil {
		complete = l.coversAllPoints(points, opts)
	} else if complete, err = l.scope.pointAmong(points, l.RawIssuer); err != nil {
		return false, err
	}
	partial := l.DeltaBase != nil || l.scope != nil && l.scope.someReasons
	return complete && !partial, nil
}

// includes checks the kind of certificate. One that is not of version 3 does not
// say what kind it is.
func (s *scope) includes(cert *x509.Certificate) error {
	switch {
	case s == nil:
		return nil
	case s.indirect:
		return errors.New("indirect lists are not supported")
	case s.onlyAttributeCerts:
		return errors.New("list is for attribute certificates")
	case s.onlyCACerts && !cert.IsCA:
		return errors.New("list is for CA certificates")
	case s.onlyUserCerts && (cert.IsCA || cert.Version != 3):
		return errors.New("list is for end-entity certificates")
	}
	return nil
}

// pointAmong looks for the list's point among those of the certificate, and says
// whether one of them leads to it for all reasons.
func (s *scope) pointAmong(points []distributionPoint, crlIssuer []byte) (allReasons bool, err error) {
	found := false
	for _, p := range points {
		// A point with cRLIssuer leads to an indirect list, which this is not.
		if p.crlIssuer != nil || p.name == nil {
			continue
		}
		if intersect(p.name.names(crlIssuer), s.point.names(crlIssuer)) {
			found = true
			allReasons = allReasons || !p.someReasons
		}
	}
	if !found {
		return false, errors.New("list is for another distribution point than those of the certificate")
	}
	return allReasons, nil
}

// coversAllPoints decides about a list that names no point. With a scope it says
// that it is for all of them. Without one it is complete by the standard, yet a
// partition may be published the same way, so its word is not taken for it:
// either it comes from a point of the certificate, or the operator vouches for
// it. A CA whose certificates lead to no partition has none, and its list is what
// RFC 5280, Section 5.2.5 says. If all points lead to other issuers, nothing of
// this issuer's is complete.
func (l *List) coversAllPoints(points []distributionPoint, opts *JudgeOptions) bool {
	own := false
	for _, p := range points {
		if p.crlIssuer != nil {
			continue
		}
		own = true
		if p.implied {
			return true
		}
		if opts.From != "" && !p.someReasons && p.leadsTo(opts.From) {
			return true
		}
	}
	return own && (opts.Complete || l.scope != nil)
}

// leadsTo reports whether the point names the URL.
func (p *distributionPoint) leadsTo(url string) bool {
	if p.name == nil {
		return false
	}
	for _, name := range p.name.full {
		if name.form == formURI && string(name.value) == url {
			return true
		}
	}
	return false
}
