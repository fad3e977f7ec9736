package verify

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"
)

// A Status is what the authorities say of a certificate at an instant. The
// zero value is the one that refuses.
type Status uint8

// Suspended is certificateHold (RFC 5280, Section 5.3.1): refused like
// Revoked, but it may end.
const (
	Unknown Status = iota
	Good
	Suspended
	Revoked
)

var statusNames = [...]string{"unknown", "good", "suspended", "revoked"}

func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText returns the name of the status.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Rung is a step of the revocation ladder, in the order they are tried.
type Rung uint8

// The rungs: evidence that is already held, the responder, the list of the
// certificate's partition, the complete list, and evidence that does not count any
// more ([Rungs].InsecureLastKnownGood).
const (
	RungHeld Rung = iota + 1
	RungOCSP
	RungPartitionCRL
	RungCompleteCRL
	RungLastKnownGood
)

var rungNames = [...]string{"none", "held", "ocsp", "partition-crl", "complete-crl", "last-known-good"}

func (r Rung) String() string {
	if int(r) < len(rungNames) {
		return rungNames[r]
	}
	return fmt.Sprintf("Rung(%d)", uint8(r))
}

// MarshalText returns the name of the rung.
func (r Rung) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// An EvidenceKind says what the bytes of an Evidence are.
type EvidenceKind string

// The kinds of evidence.
const (
	CertificateEvidence EvidenceKind = "certificate" // a Certificate (RFC 5280)
	OCSPEvidence        EvidenceKind = "ocsp"        // an OCSPResponse (RFC 6960)
	CRLEvidence         EvidenceKind = "crl"         // a CertificateList (RFC 5280)
	TimestampEvidence   EvidenceKind = "timestamp"   // a TimeStampToken (RFC 3161)
)

// Evidence is something signed by an authority that a verdict rests on, in DER.
type Evidence struct {
	Kind EvidenceKind
	DER  []byte
}

// Freshness says how old the evidence of a certificate's status may be at the
// instant of judgement. Zero means until its nextUpdate, and then evidence
// without nextUpdate does not count.
type Freshness struct {
	OCSP time.Duration
	CRL  time.Duration
}

// A StatusQuery asks for the status of one certificate.
type StatusQuery struct {
	Cert   *x509.Certificate
	Issuer *x509.Certificate // holds the key that verified Cert's signature
	At     time.Time         // the instant of judgement
	Now    time.Time         // the clock; evidence from after it is refused
	Fresh  Freshness

	// SeparateCRLKeys is that of the [Scheme]. CRLIssuers are then certificates
	// besides Issuer whose keys may sign lists about Cert: each has cRLSign, a valid
	// path to the trust anchor of Cert's path and a good status.
	SeparateCRLKeys bool
	CRLIssuers      []*x509.Certificate

	// ListsOnly asks for revocation lists and no OCSP answers. It is set when Cert
	// is a responder's own: responders do not vouch for each other.
	ListsOnly bool

	// HeldOnly asks for what the source holds, without waiting for the network. A
	// source may learn anew in the background.
	HeldOnly bool

	// Supplied is evidence that came with the signature. It is a hint from
	// whoever sent it: a source judges it like any other, and it does not keep the
	// source from asking.
	Supplied []Evidence
}

// A StatusSource knows the status of certificates: an OCSP client, a store of
// revocation lists. Methods may be called concurrently.
type StatusSource interface {
	// Status returns what the source could learn, best evidence first. Every
	// report is authentic and about q.Cert: signed by q.Issuer's key, by one of
	// q.CRLIssuers, or by a responder that q.Issuer's key has certified; in scope. Whether a report counts at q.At is for
	// [StatusQuery.Judge]. Reports and an error may be returned together: the
	// error tells what could not be learned or was discarded. The reports may be
	// shared, and are not modified.
	Status(ctx context.Context, q StatusQuery) ([]StatusReport, error)
}

// SourceSupplied is the source of evidence that came with the question.
const SourceSupplied = "supplied"

// A StatusReport is what one piece of authentic evidence says about one
// certificate, times unjudged.
type StatusReport struct {
	Rung   Rung         // where in the ladder it was learned
	Kind   EvidenceKind // OCSPEvidence or CRLEvidence
	Source string       // a URL, SourceSupplied or another place, for people
	DER    []byte       // the signed original

	// Signer holds the key that signed. If it is not the query's issuer, its own
	// status is for the Verifier to learn. Nil stands for the issuer.
	Signer *x509.Certificate

	// With are the further lists without which DER does not prove what the report
	// says: a delta CRL, lists for other reasons. The times below are those for
	// which all of them speak.
	With []StatusReport

	// Says is Good when the evidence covers the certificate and does not list
	// it, Unknown when the authority says that it does not know.
	Says           Status
	RevokedAt      time.Time // revocationDate, also of a hold
	InvalidityDate time.Time // RFC 5280, Section 5.3.2; zero if absent
	ReasonCode     int       // RFC 5280, Section 5.3.1; 0 if absent

	ThisUpdate time.Time
	NextUpdate time.Time // zero if absent
	ProducedAt time.Time // of an OCSP answer

	// RetainsFrom is archiveCutoff (RFC 6960, Section 4.4.4) or
	// expiredCertsOnCRL (X.509, Section 9.5.2.8): certificates that expired at
	// or after it are still covered. Zero if absent.
	RetainsFrom time.Time
}

// DefaultSkew is how far the clock of an authority may run ahead of ours.
const DefaultSkew = 5 * time.Minute

// Judge decides what a report proves about q.Cert at q.At. A Good or an
// undecided status may come with evidence that does not count, and then the
// error is an [*Error] whose Reason is ReasonStatusStale.
//
// A certificate is revoked at T if min(revocationDate, invalidityDate) ≤ T,
// however old the list that says so; a date that is still to come counts as q.Now.
// Otherwise evidence counts if it was current at T, or if it is later and still
// covered the certificate: thisUpdate ≤ notAfter, or the authority retains the
// certificate. A hold is proven only by evidence that counts.
func (q StatusQuery) Judge(r *StatusReport) (Status, error) {
	if r.ThisUpdate.After(q.Now.Add(DefaultSkew)) {
		return Unknown, stale("thisUpdate %s is in the future", r.ThisUpdate.Format(time.RFC3339))
	}
	began := r.effectiveFrom()
	if began.After(q.Now) { // by a clock that is ahead of ours: who says so has done it
		began = q.Now
	}
	if r.Says == Revoked && !began.After(q.At) {
		return Revoked, nil
	}
	if err := q.counts(r); err != nil {
		return Unknown, err
	}
	switch {
	case r.Says == Suspended && !began.After(q.At):
		return Suspended, nil
	case r.Says == Unknown:
		return Unknown, nil
	}
	return Good, nil
}

// effectiveFrom returns since when the certificate must not be relied on.
func (r *StatusReport) effectiveFrom() time.Time {
	if !r.InvalidityDate.IsZero() && r.InvalidityDate.Before(r.RevokedAt) {
		return r.InvalidityDate
	}
	return r.RevokedAt
}

// Current reports whether the evidence was current at q.At, which is what it
// takes to exclude a suspension at that instant.
func (q StatusQuery) Current(r *StatusReport) bool { return q.lapse(r) == current }

// counts says whether the evidence tells about q.At at all.
func (q StatusQuery) counts(r *StatusReport) error {
	if why := q.lapse(r); why == endless || why != current && r.ThisUpdate.Before(q.At) {
		return q.lapsed(why, r)
	}
	// What is current by DefaultSkew alone may be from after the end, too.
	retained := !r.RetainsFrom.IsZero() && !q.Cert.NotAfter.Before(r.RetainsFrom)
	if r.ThisUpdate.After(q.Cert.NotAfter) && !retained {
		return stale("thisUpdate %s is after the certificate expired, and expired certificates may have been dropped",
			r.ThisUpdate.Format(time.RFC3339))
	}
	return nil
}

func (q StatusQuery) maxAge(r *StatusReport) time.Duration {
	if r.Kind == OCSPEvidence {
		return q.Fresh.OCSP
	}
	return q.Fresh.CRL
}

// A lapse is why evidence was not current at an instant.
type lapse int

const (
	current  lapse = iota
	notYet         // from after it
	endless        // without an end, and none is set
	outdated       // nextUpdate was over
	tooOld         // older than is accepted
)

// lapse is asked of all evidence that is found, and mostly of no consequence: what there
// is to say about one is written when it is needed.
func (q StatusQuery) lapse(r *StatusReport) lapse {
	maxAge := q.maxAge(r)
	switch {
	case r.NextUpdate.IsZero() && maxAge == 0:
		return endless
	case r.ThisUpdate.After(q.At.Add(DefaultSkew)):
		return notYet
	case !r.NextUpdate.IsZero() && !q.At.Before(r.NextUpdate):
		return outdated
	case maxAge != 0 && q.At.Sub(r.ThisUpdate) > maxAge:
		return tooOld
	}
	return current
}

func (q StatusQuery) lapsed(why lapse, r *StatusReport) error {
	this, next, at := r.ThisUpdate.Format(time.RFC3339), r.NextUpdate.Format(time.RFC3339), q.At.Format(time.RFC3339)
	switch why {
	case notYet:
		return stale("thisUpdate %s is after %s", this, at)
	case endless:
		return stale("nextUpdate is absent and no maximum age is set")
	case outdated:
		return stale("nextUpdate %s has passed at %s", next, at)
	default:
		return stale("thisUpdate %s is more than %v before %s", this, q.maxAge(r), at)
	}
}

func stale(format string, args ...any) error {
	return &Error{Reason: ReasonStatusStale, Signer: -1, Err: fmt.Errorf(format, args...)}
}
