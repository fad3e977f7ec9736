package crl

import (
	"bytes"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/distribution"
	"github.com/citizencert/citizencert/verify"
)

// combine returns what the lists prove, one by one and together, and why those that
// prove nothing do not. Only readings that are current at the instant of judgement
// go together: what one list says of it must not be said for the past or the future
// of another.
func combine(q verify.StatusQuery, readings []*reading) (reports []verify.StatusReport, errs []error) {
	readings = withDeltas(q, readings)
	for _, r := range readings {
		if report, err := r.conclude(q.Cert); err == nil {
			reports = append(reports, *report)
		} else {
			errs = append(errs, err)
		}
	}
	if whole := forAllReasons(q, readings); whole != nil {
		reports = append(reports, whole.report)
	}
	return reports, errs
}

// withDeltas adds what lists say after delta CRLs have updated them (RFC 5280,
// Section 6.3.3 (c), (i) to (k)). A hold that a delta has removed is no longer said.
// A revocation for another reason stays one, whatever a delta says, and a
// certificate that a delta lists is told of by the delta itself.
func withDeltas(q verify.StatusQuery, readings []*reading) []*reading {
	var all []*reading
	for _, base := range readings {
		delta, held := base.newestDelta(q, readings), true
		switch {
		case delta == nil:
		case base.report.Says == verify.Good && (delta.removed || delta.report.Says == verify.Good):
			all = append(all, base.updated(delta))
		case base.report.Says == verify.Suspended && delta.removed:
			all = append(all, base.updated(delta))
			held = false
		}
		if held {
			all = append(all, base)
		}
	}
	return all
}

// newestDelta returns the newest delta CRL to a list, or nil. What an older one says
// may no longer be so.
func (base *reading) newestDelta(q verify.StatusQuery, readings []*reading) (newest *reading) {
	for _, delta := range readings {
		if delta.updates(base, q) && (newest == nil || delta.list.Number.Cmp(newest.list.Number) > 0) {
			newest = delta
		}
	}
	return newest
}

// updates reports whether a delta CRL is about what the other list is about, from
// the same key, and picks up where that one ends: Section 6.3.3 (c), 5.2.4.
func (delta *reading) updates(base *reading, q verify.StatusQuery) bool {
	d, b := delta.list, base.list
	switch {
	case d.DeltaBase == nil || b.DeltaBase != nil || d.Number == nil || b.Number == nil:
		return false
	case b.Number.Cmp(d.DeltaBase) < 0 || b.Number.Cmp(d.Number) >= 0 || d.ThisUpdate.Before(b.ThisUpdate):
		return false
	case !certpath.SameName(d.RawIssuer, b.RawIssuer) || !d.scope.equal(b.scope):
		return false
	case !bytes.Equal(delta.report.Signer.RawSubjectPublicKeyInfo, base.report.Signer.RawSubjectPublicKeyInfo):
		return false
	}
	return q.Current(&delta.report) && q.Current(&base.report)
}

// equal reports whether two lists have the same issuingDistributionPoint, or none.
func (s *scope) equal(other *scope) bool {
	if s == nil || other == nil {
		return s == other
	}
	return bytes.Equal(s.der, other.der)
}

// updated returns the reading of a list after a delta CRL to it. Both together are
// what a complete list issued with the delta would be.
func (r *reading) updated(delta *reading) *reading {
	u := &reading{list: r.list, report: r.report, reasons: r.reasons & delta.reasons}
	u.report.Says, u.report.RevokedAt, u.report.InvalidityDate, u.report.ReasonCode = verify.Good, time.Time{}, time.Time{}, 0
	u.report.ThisUpdate = delta.report.ThisUpdate
	join(&u.report, &delta.report)
	return u
}

// forAllReasons returns what the lists say together that each cover some reasons,
// or nil if reasons are left: Section 6.3.3 (d), (e) and the end.
func forAllReasons(q verify.StatusQuery, readings []*reading) *reading {
	var whole *reading
	for _, r := range readings {
		if r.report.Says != verify.Good || r.list.DeltaBase != nil || r.reasons == distribution.AllReasons || !q.Current(&r.report) {
			continue
		}
		switch {
		case whole == nil:
			first := *r
			whole = &first
		case r.reasons&^whole.reasons != 0:
			whole.reasons |= r.reasons
			if r.report.ThisUpdate.Before(whole.report.ThisUpdate) {
				whole.report.ThisUpdate = r.report.ThisUpdate
			}
			join(&whole.report, &r.report)
		}
	}
	if whole == nil || whole.reasons != distribution.AllReasons {
		return nil
	}
	return whole
}

// join makes a report rest on another one too, and last no longer than that does.
func join(report, other *verify.StatusReport) {
	if other.NextUpdate.IsZero() || !report.NextUpdate.IsZero() && other.NextUpdate.Before(report.NextUpdate) {
		report.NextUpdate = other.NextUpdate
	}
	if other.RetainsFrom.IsZero() || !report.RetainsFrom.IsZero() && other.RetainsFrom.After(report.RetainsFrom) {
		report.RetainsFrom = other.RetainsFrom
	}
	report.With = append(slices.Clip(report.With), *other)
}
