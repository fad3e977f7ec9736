package crl

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/distribution"
)

// covers returns the reasons for which the list covers the certificate: a serial
// number that is not on it has not been revoked for any of them. It is an error if
// the list is not about the certificate at all. RFC 5280, Section 6.3.3 (b) and (d).
func (l *List) covers(cert *x509.Certificate, opts *JudgeOptions) (distribution.Reasons, error) {
	if err := l.scope.includes(cert, opts); err != nil {
		return 0, err
	}
	points, err := distribution.Of(cert)
	if err != nil {
		return 0, fmt.Errorf("cRLDistributionPoints of the certificate: %w", err)
	}
	points = slices.DeleteFunc(points, func(p distribution.Point) bool { return !l.serves(&p, cert) })
	switch {
	case l.scope == nil:
		return l.coversAllPoints(points, cert, opts), nil
	case l.scope.point == nil:
		return l.coversAllPoints(points, cert, opts) & l.scope.reasons, nil
	}
	covered, err := l.scope.pointAmong(points, l.RawIssuer)
	return covered & l.scope.reasons, err
}

// includes checks the kind of certificate. One that is not of version 3 does not
// say what kind it is.
func (s *scope) includes(cert *x509.Certificate, opts *JudgeOptions) error {
	switch {
	case s == nil:
		return nil
	case s.indirect && !opts.SeparateCRLKeys:
		return errors.New("indirect lists are not admitted")
	case s.onlyAttributeCerts:
		return errors.New("list is for attribute certificates")
	case s.onlyCACerts && !cert.IsCA:
		return errors.New("list is for CA certificates")
	case s.onlyUserCerts && (cert.IsCA || cert.Version != 3):
		return errors.New("list is for end-entity certificates")
	}
	return nil
}

// indirect reports whether the list may be about certificates of other issuers.
func (l *List) indirect() bool { return l.scope != nil && l.scope.indirect }

// direct reports whether the list has the name of the certificate's issuer.
func (l *List) direct(cert *x509.Certificate) bool {
	return certpath.SameName(l.RawIssuer, cert.RawIssuer)
}

// serves reports whether the list is by whom the certificate's point expects: the
// issuer of the certificate, or the cRLIssuer that the point names, and then it is
// an indirect one. Section 6.3.3 (b) (1).
func (l *List) serves(p *distribution.Point, cert *x509.Certificate) bool {
	if p.CRLIssuer == nil {
		return l.direct(cert)
	}
	return l.indirect() && slices.ContainsFunc(p.CRLIssuer, distribution.DirectoryName(l.RawIssuer).Equal)
}

// pointAmong looks for the list's point among those of the certificate, and
// returns the reasons for which they lead to it. A point without a name is where
// its cRLIssuer has the list. Section 6.3.3 (b) (2).
func (s *scope) pointAmong(points []distribution.Point, crlIssuer []byte) (covered distribution.Reasons, err error) {
	found := false
	own := s.point.Names(crlIssuer)
	for _, p := range points {
		names := p.CRLIssuer
		if p.Name != nil {
			names = p.Name.Names(crlIssuer)
		}
		if distribution.Intersect(names, own) {
			found = true
			covered |= p.Reasons
		}
	}
	if !found {
		return 0, errors.New("list is for another distribution point than those of the certificate")
	}
	return covered, nil
}

// coversAllPoints decides about a list that names no point. With a scope it says
// that it is for all of them. Without one it is complete by the standard, yet a
// partition may be published the same way, so its word is not taken for it:
// either it comes from a point of the certificate, or the operator vouches for
// it. A CA whose certificates lead to no partition has none, and its list is what
// RFC 5280, Section 5.2.5 says. If all points lead to other issuers, nothing of
// this issuer's is complete; and of another issuer's list no more counts than what
// the points expect of it. A delta CRL from where freshestCRL leads covers what the
// list that it updates covers, and that list says what that is.
func (l *List) coversAllPoints(points []distribution.Point, cert *x509.Certificate, opts *JudgeOptions) distribution.Reasons {
	var expected, fetched distribution.Reasons
	partitions := false
	for _, p := range points {
		expected |= p.Reasons
		if opts.From != "" && p.LeadsTo(opts.From) {
			fetched |= p.Reasons
		}
		partitions = partitions || !p.IsEntryOf(cert.RawIssuer)
	}
	switch {
	case len(points) == 0:
		return 0
	case l.DeltaBase != nil && opts.freshest:
		return distribution.AllReasons
	case l.scope == nil && !opts.Complete && partitions:
		return fetched
	case l.direct(cert):
		return distribution.AllReasons
	}
	return expected
}
