package crl

import (
	"crypto/x509"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// JudgeOptions say where a list comes from, which matters when it does not say
// itself what it covers.
type JudgeOptions struct {
	// From is the URL that the list was fetched from. A list without scope that
	// comes from a distribution point of the certificate covers it. By http that
	// is the word of the network: whoever controls it can serve the list of
	// another partition, and only a scope in the list tells.
	From string

	// Complete says that a list without scope is the issuer's complete list, as
	// RFC 5280, Section 5.2.5 has it, on the word of the operator. Partitions
	// published without scope look the same, so never set it for lists that came
	// with a signature. A certificate that names no distribution point needs
	// nobody's word: its CA has no partitions.
	Complete bool

	// InsecureAllowNoNumber admits lists without CRLNumber, which RFC 5280,
	// Section 5.2.3 demands and by which older lists are told from newer ones.
	InsecureAllowNoNumber bool

	// InsecureAllowSHA1 admits SHA-1 signatures and RSA keys from 1024 bits, for
	// replaying archived lists.
	InsecureAllowSHA1 bool
}

// Judge returns what the list says about cert, whose signature was verified with
// the key in issuer. It checks that
//
//   - the list has the issuer's name and was signed with that very key, and the
//     key, if it has a keyUsage, may sign lists (RFC 5280, Section 6.3.3 (f), (g))
//   - it has no critical extension that is unknown, in an entry either
//   - its scope includes cert: the kind of certificate, and a distribution point
//     that cert names (Section 6.3.3 (b))
//
// A serial number on the list is revoked, or suspended if certificateHold is all
// that the list says of it. One that is not on the list is good only if the list
// is complete for the certificate: not a delta CRL, not for some reasons only,
// and with a scope or an origin as JudgeOptions tell. Lists signed by somebody
// else for the issuer (indirect CRLs) are not supported.
//
// removeFromCRL belongs into delta CRLs (Section 5.3.1). As all that a complete
// list says of a serial number it contradicts itself, and nothing is known.
//
// Whether the list is recent enough is for [verify.StatusQuery.Judge]. Every
// failure is a [*verify.Error], and means that nothing is known.
func Judge(l *List, cert, issuer *x509.Certificate, opts JudgeOptions) (*verify.StatusReport, error) {
	complete, err := l.check(cert, issuer, &opts)
	if err != nil {
		return nil, err
	}
	report := l.report(issuer)
	found, listed := l.lookup(cert)
	switch {
	case listed && found.status() == verify.Unknown:
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable,
			"all that the list says of serial number %x is removeFromCRL", cert.SerialNumber)
	case listed:
		found.describe(report)
	case !complete:
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable,
			"serial number %x is not on the list, which is not known to cover it for all reasons", cert.SerialNumber)
	default:
		report.Says = verify.Good
	}
	return report, nil
}

// check checks everything but what the list says, the cheap things first.
func (l *List) check(cert, issuer *x509.Certificate, opts *JudgeOptions) (complete bool, err error) {
	if err := l.checkIssuer(cert, issuer); err != nil {
		return false, err
	}
	if err := l.checkProfile(opts); err != nil {
		return false, err
	}
	if complete, err = l.covers(cert, opts); err != nil {
		return false, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	}
	policy := algorithm.Policy{InsecureAllowSHA1: opts.InsecureAllowSHA1}
	return complete, l.signed.Verify(issuer.PublicKey, policy)
}

// checkIssuer checks what binds the list to the issuer, except for the signature.
func (l *List) checkIssuer(cert, issuer *x509.Certificate) error {
	switch {
	case !certpath.SameName(l.RawIssuer, issuer.RawSubject) || !certpath.SameName(l.RawIssuer, cert.RawIssuer):
		return revocation.Refuse(verify.ReasonUntrusted, "issuer of the list is not that of the certificate")
	case !l.authority.names(issuer):
		return revocation.Refuse(verify.ReasonUntrusted, "authorityKeyIdentifier of the list names another key than the issuer's")
	case !revocation.MayUse(issuer, x509.KeyUsageCRLSign):
		return revocation.Refuse(verify.ReasonUntrusted, "issuer has a keyUsage without cRLSign")
	}
	return nil
}

func (l *List) checkProfile(opts *JudgeOptions) error {
	switch {
	case l.unhandled != "":
		return revocation.Refuse(verify.ReasonStatusUnavailable, "critical extension %s of the list is not known", l.unhandled)
	case l.badProfile != "":
		return revocation.Refuse(verify.ReasonMalformed, "%s", l.badProfile)
	case l.Number == nil && !opts.InsecureAllowNoNumber:
		return revocation.Refuse(verify.ReasonMalformed, "CRLNumber is missing")
	}
	return nil
}

func (l *List) report(issuer *x509.Certificate) *verify.StatusReport {
	return &verify.StatusReport{
		Rung:        l.rung(),
		Kind:        verify.CRLEvidence,
		DER:         l.Raw,
		Signer:      issuer,
		ThisUpdate:  l.ThisUpdate,
		NextUpdate:  l.NextUpdate,
		RetainsFrom: l.RetainsFrom,
	}
}

// rung tells the list of one distribution point from a complete one.
func (l *List) rung() verify.Rung {
	if l.scope != nil && l.scope.point != nil {
		return verify.RungPartitionCRL
	}
	return verify.RungCompleteCRL
}

func (e entry) describe(report *verify.StatusReport) {
	report.Says = e.status()
	report.ReasonCode = int(e.reason)
	report.RevokedAt = time.Unix(e.revokedAt, 0).UTC()
	if e.hasInvalid {
		report.InvalidityDate = time.Unix(e.invalidFrom, 0).UTC()
	}
}
