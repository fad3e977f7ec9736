package verify

import (
	"context"
	"errors"
	"fmt"
)

// learn climbs the revocation ladder for one certificate: what every source
// already holds, then each source in turn, network allowed, until one knows.
//
// Revoked, held by anyone, wins before any good. An authority that says it does
// not know the certificate ends the climb: a list in which a certificate is
// absent cannot speak for one that was never issued.
func (v *Verifier) learn(ctx context.Context, q StatusQuery) (RevocationFact, error) {
	climb := climb{query: q}
	q.HeldOnly = true
	for _, source := range v.status {
		climb.ask(ctx, source, q)
	}
	if !climb.found {
		q.HeldOnly = false
		climb.errs = nil // each source tells again what is wrong with what it holds
		for _, source := range v.status {
			if climb.ask(ctx, source, q); climb.found {
				break
			}
		}
	}
	return climb.verdict(ctx)
}

// A climb collects what the rungs say of one certificate.
type climb struct {
	query StatusQuery
	found bool           // some evidence counts
	best  RevocationFact // of the worst status that counts
	stale bool           // some evidence was authentic but does not count
	errs  []error
}

// severity orders statuses: of several that count, the worst is the verdict.
var severity = [...]int{Unknown: 1, Good: 0, Suspended: 2, Revoked: 3}

func (c *climb) ask(ctx context.Context, source StatusSource, q StatusQuery) {
	reports, err := source.Status(ctx, q)
	if err != nil {
		c.errs = append(c.errs, err)
	}
	for i := range reports {
		c.add(&reports[i])
	}
}

func (c *climb) add(report *StatusReport) {
	status, err := c.query.Judge(report)
	if err != nil {
		c.stale = true
		c.errs = append(c.errs, fmt.Errorf("%s: %w", report.Source, err))
		return
	}
	if c.found && !c.outweighs(status, report) {
		return
	}
	c.found = true
	c.best = RevocationFact{
		Cert:               c.query.Cert,
		Status:             status,
		Report:             *report,
		Age:                c.query.At.Sub(report.ThisUpdate),
		SuspensionExcluded: c.query.Current(report),
	}
	if status == Good && (report.Says == Revoked || report.Says == Suspended) {
		c.best.RevokedAfter = report.effectiveFrom()
	}
}

// outweighs reports whether a report counts for more than the best so far: a
// worse status, or the same from evidence that also excludes a suspension.
func (c *climb) outweighs(status Status, report *StatusReport) bool {
	if severity[status] != severity[c.best.Status] {
		return severity[status] > severity[c.best.Status]
	}
	return !c.best.SuspensionExcluded && c.query.Current(report)
}

func (c *climb) verdict(ctx context.Context) (RevocationFact, error) {
	fail := func(reason Reason, err error) (RevocationFact, error) {
		return RevocationFact{}, &Error{Reason: reason, Signer: -1, Cert: c.query.Cert, Err: err}
	}
	if c.found && c.best.Status == Good {
		c.best.Failed = c.errs
		return c.best, nil
	}
	serial := serialOf(c.query.Cert)
	report := &c.best.Report
	switch {
	case !c.found && ctx.Err() != nil:
		return fail(ReasonCanceled, ctx.Err())
	case !c.found && c.stale:
		return fail(ReasonStatusStale, fmt.Errorf("certificate %s: %w", serial, errors.Join(c.errs...)))
	case !c.found:
		return fail(ReasonStatusUnavailable, fmt.Errorf("certificate %s: %w", serial, errors.Join(c.errs...)))
	case c.best.Status == Revoked:
		return fail(ReasonRevoked, fmt.Errorf("certificate %s was revoked at %s (reason %d), says %s",
			serial, report.effectiveFrom().UTC().Format(timeLayout), report.ReasonCode, report.Source))
	case c.best.Status == Suspended:
		return fail(ReasonSuspended, fmt.Errorf("certificate %s is suspended since %s, says %s",
			serial, report.effectiveFrom().UTC().Format(timeLayout), report.Source))
	}
	return fail(ReasonStatusUnknown, fmt.Errorf("certificate %s is not known to %s", serial, report.Source))
}

const timeLayout = "2006-01-02T15:04:05Z07:00"
