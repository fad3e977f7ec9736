package verify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// learn climbs the revocation ladder for one certificate: what every source
// already holds, then each source in turn, network allowed, until one knows.
//
// Revoked, held by anyone, wins before any good. An authority that says it does
// not know the certificate ends the climb: a list in which a certificate is
// absent cannot speak for one that was never issued.
//
// With q.HeldOnly it stops before the network. What others than the issuer have
// signed counts after by has looked into who they are.
func (v *Verifier) learn(ctx context.Context, q StatusQuery, by *learning) (RevocationFact, error) {
	climb := climb{query: q, by: by}
	heldOnly := q.HeldOnly
	q.HeldOnly = true
	for _, source := range v.status {
		climb.ask(ctx, source, q)
	}
	if !climb.found && !heldOnly {
		q.HeldOnly = false
		climb.errs = nil // each source tells again what is wrong with what it holds
		for _, source := range v.status {
			if climb.ask(ctx, source, q); climb.found {
				break
			}
		}
	}
	climb.errs = append(climb.errs, by.refusals...)
	return climb.verdict(ctx)
}

// A climb collects what the rungs say of one certificate.
type climb struct {
	query StatusQuery
	by    *learning
	found bool           // some evidence counts
	best  RevocationFact // of the worst status that counts
	stale bool           // some evidence was authentic but does not count
	errs  []error

	revokedAfter time.Time // the first that any evidence says, or zero
}

// severity orders statuses: of several that count, the worst is the verdict.
var severity = [...]int{Unknown: 1, Good: 0, Suspended: 2, Revoked: 3}

func (c *climb) ask(ctx context.Context, source StatusSource, q StatusQuery) {
	reports, err := source.Status(ctx, q)
	if err != nil {
		c.errs = append(c.errs, err)
	}
	for i := range reports {
		c.add(ctx, &reports[i], q.HeldOnly)
	}
}

func (c *climb) add(ctx context.Context, report *StatusReport, held bool) {
	status, err := c.by.judge(report)
	if err != nil {
		c.noteLater(status, report)
		c.stale = true
		c.errs = append(c.errs, fmt.Errorf("%s: %w", report.Source, err))
		return
	}
	// A refusal is not put off until the network may be used.
	authorities, err := c.by.vouch(ctx, c.query, report, held && status == Good)
	if discards(status, err) {
		c.errs = append(c.errs, fmt.Errorf("%s: %w", report.Source, err))
		return
	}
	c.noteLater(status, report)
	if c.found && !c.outweighs(status, report) {
		return
	}
	c.found = true
	c.best = RevocationFact{
		Cert:               c.query.Cert,
		Status:             status,
		Report:             *report,
		Authorities:        authorities,
		Age:                c.query.At.Sub(report.ThisUpdate),
		SuspensionExcluded: c.query.Current(report),
	}
}

// noteLater notes a revocation or suspension after the instant of judgement. A
// revocation is one even if the evidence proves nothing for that instant, since
// nobody takes it back.
func (c *climb) noteLater(status Status, report *StatusReport) {
	from := report.effectiveFrom()
	later := report.Says == Revoked || report.Says == Suspended && status == Good
	known := !report.ThisUpdate.After(c.query.Now.Add(DefaultSkew))
	if later && known && from.After(c.query.At) && (c.revokedAfter.IsZero() || from.Before(c.revokedAfter)) {
		c.revokedAfter = from
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
		c.best.RevokedAfter, c.best.Failed = c.revokedAfter, c.errs
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
