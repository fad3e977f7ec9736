package crl

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/distribution"
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

	// SeparateCRLKeys admits indirect lists, and lists signed with the keys of
	// CRLIssuers. It is for PKIs in which no two CAs share a name, as the
	// generations of MOICA do: see verify.Scheme.SeparateCRLKeys.
	SeparateCRLKeys bool

	// CRLIssuers are certificates besides the issuer's. Whoever names them has found
	// that each has a valid path to the trust anchor of the certificate and has not
	// been revoked.
	CRLIssuers []*x509.Certificate

	// InsecureAllowNoNumber admits lists without CRLNumber, which RFC 5280,
	// Section 5.2.3 demands and by which older lists are told from newer ones.
	InsecureAllowNoNumber bool

	// Algorithms says which signatures are accepted, as they are at the instant of
	// judgement At. Of a policy with dates, what has one is refused if At is zero.
	Algorithms verify.AlgorithmPolicy
	At         time.Time

	// InsecureAllowSHA1 admits SHA-1 signatures and RSA keys from 1024 bits, for
	// replaying archived lists. Algorithms must be left zero.
	InsecureAllowSHA1 bool

	policy   *algorithm.Policy // in place of both, if not nil
	freshest bool              // From is where a freshestCRL leads
}

// signatures returns the policy as it is at the instant of judgement.
func (opts *JudgeOptions) signatures() (algorithm.Policy, error) {
	policy := opts.policy
	if policy == nil {
		chosen, err := opts.Algorithms.Resolve(opts.InsecureAllowSHA1, time.Now())
		if err != nil {
			return chosen, revocation.Refuse(verify.ReasonAlgorithm, "JudgeOptions: %w", err)
		}
		policy = &chosen
	}
	if policy.Dated() {
		return policy.At(opts.At), nil
	}
	return *policy, nil
}

// Judge returns what the list says about cert, whose signature was verified with
// the key in issuer. It checks that
//
//   - the list has the issuer's name and was signed with that very key, and the
//     key, if it has a keyUsage, may sign lists (RFC 5280, Section 6.3.3 (f), (g));
//     or, with JudgeOptions.SeparateCRLKeys, it was signed with the key of one of
//     CRLIssuers, which has cRLSign, and whose name is the issuer's or, for an
//     indirect list, that of a cRLIssuer in a distribution point of cert
//   - it has no critical extension that is unknown, in an entry either
//   - its scope includes cert: the kind of certificate, and a distribution point
//     that cert names (Section 6.3.3 (b))
//
// A serial number on the list is revoked, or suspended if certificateHold is all
// that the list says of it. One that is not on the list is good only if the list
// is complete for the certificate: not a delta CRL, not for some reasons only,
// and with a scope or an origin as JudgeOptions tell. In an indirect list, an entry
// is about the issuer that its certificateIssuer, or the nearest before it, names.
//
// removeFromCRL belongs into delta CRLs (Section 5.3.1). As all that a complete
// list says of a serial number it contradicts itself, and nothing is known.
//
// What several lists prove only together is for a [Store]. Whether the list is
// recent enough is for [verify.StatusQuery.Judge]. Every failure is a
// [*verify.Error], and means that nothing is known.
func Judge(l *List, cert, issuer *x509.Certificate, opts JudgeOptions) (*verify.StatusReport, error) {
	r, err := l.read(cert, issuer, &opts)
	if err != nil {
		return nil, err
	}
	return r.conclude(cert)
}

// A reading is what one authentic list says about one certificate.
type reading struct {
	list    *List
	report  verify.StatusReport  // Says is Good if the list has no entry
	removed bool                 // all that the list says is removeFromCRL
	reasons distribution.Reasons // for which the list covers the certificate
}

func (l *List) read(cert, issuer *x509.Certificate, opts *JudgeOptions) (*reading, error) {
	signer, reasons, err := l.check(cert, issuer, opts)
	if err != nil {
		return nil, err
	}
	r := &reading{list: l, report: *l.times(signer), reasons: reasons}
	found, listed, err := l.lookup(cert)
	if err == nil {
		r.report.DER, err = l.bytes()
	}
	switch {
	case err != nil:
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	case !listed:
		r.report.Says = verify.Good
	case found.status() == verify.Unknown:
		r.removed = true
	default:
		found.describe(&r.report)
	}
	return r, nil
}

// conclude returns what the reading proves by itself.
func (r *reading) conclude(cert *x509.Certificate) (*verify.StatusReport, error) {
	switch {
	case r.removed:
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable,
			"all that the list says of serial number %x is removeFromCRL", cert.SerialNumber)
	case r.report.Says == verify.Good && (r.reasons != distribution.AllReasons || r.list.DeltaBase != nil):
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable,
			"serial number %x is not on the list, which is not known to cover it for all reasons", cert.SerialNumber)
	}
	return &r.report, nil
}

// check checks everything but what the list says, the cheap things first.
func (l *List) check(cert, issuer *x509.Certificate, opts *JudgeOptions) (signer *x509.Certificate, covered distribution.Reasons, err error) {
	if _, err := l.signers(cert, issuer, opts); err != nil {
		return nil, 0, err
	}
	if err := l.checkProfile(opts); err != nil {
		return nil, 0, err
	}
	if covered, err = l.covers(cert, opts); err != nil {
		return nil, 0, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	}
	signer, err = l.authenticate(cert, issuer, opts)
	return signer, covered, err
}

// authenticate checks who has signed the list, and that it can be used at all.
func (l *List) authenticate(cert, issuer *x509.Certificate, opts *JudgeOptions) (signer *x509.Certificate, err error) {
	signers, err := l.signers(cert, issuer, opts)
	if err != nil {
		return nil, err
	}
	if err := l.checkProfile(opts); err != nil {
		return nil, err
	}
	policy, err := opts.signatures()
	if err != nil {
		return nil, err
	}
	for _, signer := range signers {
		if err = l.signed.Verify(signer.PublicKey, policy); err == nil {
			return signer, nil
		}
	}
	return nil, err
}

// signers returns the certificates with whose keys the list may have been signed,
// or why there are none. The names and key identifiers bind the list to them; which
// of them it is, the signature tells.
func (l *List) signers(cert, issuer *x509.Certificate, opts *JudgeOptions) (fit []*x509.Certificate, err error) {
	if !l.direct(cert) && !l.namedBy(cert) {
		return nil, revocation.Refuse(verify.ReasonUntrusted, "issuer of the list is not that of the certificate")
	}
	refusal := revocation.Refuse(verify.ReasonUntrusted, "issuer of the list is not that of the certificate, and its certificate is not at hand")
	candidates := []*x509.Certificate{issuer}
	if opts.SeparateCRLKeys {
		candidates = append(candidates, opts.CRLIssuers...)
	}
	for i, signer := range candidates {
		switch {
		case !certpath.SameName(l.RawIssuer, signer.RawSubject):
			continue
		case !l.authority.names(signer):
			err = revocation.Refuse(verify.ReasonUntrusted, "authorityKeyIdentifier of the list names another key than the issuer's")
		case !revocation.MayUse(signer, x509.KeyUsageCRLSign) || i > 0 && signer.KeyUsage&x509.KeyUsageCRLSign == 0:
			err = revocation.Refuse(verify.ReasonUntrusted, "issuer has a keyUsage without cRLSign")
		default:
			fit = append(fit, signer)
			continue
		}
		if i == 0 {
			refusal = err
		}
	}
	if len(fit) == 0 {
		return nil, refusal
	}
	return fit, nil
}

// namedBy reports whether the certificate expects an indirect list by the issuer
// of this one.
func (l *List) namedBy(cert *x509.Certificate) bool {
	if !l.indirect() {
		return false
	}
	points, err := distribution.Of(cert)
	return err == nil && slices.ContainsFunc(points, func(p distribution.Point) bool {
		return p.CRLIssuer != nil && l.serves(&p, cert)
	})
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

// times returns a report without what the list says, and without the list.
func (l *List) times(issuer *x509.Certificate) *verify.StatusReport {
	return &verify.StatusReport{
		Rung:        l.rung(),
		Kind:        verify.CRLEvidence,
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
