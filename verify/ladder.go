package verify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// learn climbs the revocation ladder for one certificate: what every source
// already holds and the caller has kept, then each source in turn, network allowed,
// until one knows.
//
// What the signer has sent along is his choice among all that is still within its
// time, and may be from before he was revoked: it keeps nobody from being asked, and
// counts where nobody else knows.
//
// Revoked, held by anyone, wins before any good. An authority that says it does
// not know the certificate ends the climb: a list in which a certificate is
// absent cannot speak for one that was never issued.
//
// With q.HeldOnly it stops before the network. What others than the issuer have
// signed counts after by has looked into who they are.
func (v *Verifier) learn(ctx context.Context, q StatusQuery, by *learning) (RevocationFact, error) {
	if v.observer.Status == nil {
		fact, _, err := v.climb(ctx, q, by)
		return fact, err
	}
	start := time.Now()
	fact, failed, err := v.climb(ctx, q, by)
	by.observed(ctx, &q, &fact, err, failed, start)
	return fact, err
}

// climb is learn, and returns how many errors there were on the way.
func (v *Verifier) climb(ctx context.Context, q StatusQuery, by *learning) (fact RevocationFact, failed int, err error) {
	climb := &by.climb
	climb.query, climb.by = q, by
	sources := by.rungs.arrange(v.status)
	heldOnly, supplied := q.HeldOnly, q.Supplied
	q.HeldOnly, q.Supplied = true, by.kept
	for _, source := range sources {
		climb.ask(ctx, source, q)
	}
	if !climb.done() && !heldOnly {
		q.HeldOnly, q.Supplied = false, supplied
		climb.errs = nil // each source tells again what is wrong with what it holds
		climb.network = true
		for _, source := range sources {
			if climb.ask(ctx, source, q); climb.done() {
				break
			}
		}
	}
	climb.errs = append(climb.errs, by.refusals...)
	fact, err = climb.verdict(ctx)
	return fact, len(climb.errs), err
}

// A climb collects what the rungs say of one certificate.
type climb struct {
	query StatusQuery
	by    *learning
	found bool // some evidence counts
	own   bool // and not by the choice of the signer

	network bool            // may be asked; before that, what is supplied is the caller's
	best    RevocationFact  // of the worst status that counts
	other   *RevocationFact // with RequireBoth: good evidence of the other kind, or nil
	stale   bool            // some evidence was authentic but does not count
	last    *RevocationFact // of that, the newest, if it may stand in, or nil
	errs    []error

	revokedAfter time.Time // the first that any evidence says, or zero
}

// severity orders statuses: of several that count, the worst is the verdict.
var severity = [...]int{Unknown: 1, Good: 0, Suspended: 2, Revoked: 3}

// done reports whether further rungs can add nothing.
func (c *climb) done() bool {
	return c.found && (c.best.Status != Good || c.own && !c.missesOther())
}

// missesOther reports whether evidence of both kinds is wanted and there is one.
func (c *climb) missesOther() bool { return c.by.rungs.RequireBoth && c.other == nil }

func (c *climb) ask(ctx context.Context, source StatusSource, q StatusQuery) {
	reports, err := c.by.v.askSource(ctx, source, q)
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
		c.keepLast(ctx, report, held)
		return
	}
	// A refusal is not put off until the network may be used.
	authorities, err := c.by.vouch(ctx, c.query, report, held && status == Good)
	if discards(status, err) {
		c.errs = append(c.errs, fmt.Errorf("%s: %w", report.Source, err))
		return
	}
	c.noteLater(status, report)
	otherKind := c.found && c.by.rungs.RequireBoth && c.best.Report.Kind != report.Kind
	if !c.found || c.outweighs(status, report) {
		if otherKind && c.best.Status == Good {
			other := c.best
			c.other = &other
		}
		c.best = c.fact(status, report, authorities)
	} else if otherKind && status == Good {
		other := c.fact(status, report, authorities)
		c.other = &other
	}
	c.found = true
	c.own = c.own || !c.network || report.Source != SourceSupplied
}

func (c *climb) fact(status Status, report *StatusReport, authorities []Authority) RevocationFact {
	return RevocationFact{
		Cert:               c.query.Cert,
		Status:             status,
		Report:             *report,
		Authorities:        authorities,
		Age:                c.query.At.Sub(report.ThisUpdate),
		SuspensionExcluded: c.query.Current(report),
	}
}

// keepLast keeps evidence that does not count for InsecureLastKnownGood: the newest,
// whatever it says.
func (c *climb) keepLast(ctx context.Context, report *StatusReport, held bool) {
	if c.by.rungs.InsecureLastKnownGood == 0 || report.ThisUpdate.After(c.query.Now.Add(DefaultSkew)) {
		return
	}
	if c.last != nil {
		newer := report.ThisUpdate.Compare(c.last.Report.ThisUpdate)
		if newer < 0 || newer == 0 && severity[report.Says] <= severity[c.last.Status] {
			return
		}
	}
	authorities, err := c.by.vouch(ctx, c.query, report, held)
	if discards(report.Says, err) {
		return
	}
	last := c.fact(report.Says, report, authorities)
	last.Report.Rung = RungLastKnownGood
	c.last = &last
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
	if !c.found {
		return c.withoutEvidence(ctx)
	}
	report := &c.best.Report
	if c.best.Status == Good && !c.missesOther() {
		c.best.RevokedAfter, c.best.Failed, c.best.Other = c.revokedAfter, c.errs, c.other
		return c.best, nil
	}
	serial := serialOf(c.query.Cert)
	switch c.best.Status {
	case Good:
		return c.refuse(c.unavailable(), fmt.Errorf("certificate %s: evidence of one kind alone (%s) says that it is good, want both: %w",
			serial, report.Kind, errors.Join(c.errs...)))
	case Revoked:
		return c.refuse(ReasonRevoked, fmt.Errorf("certificate %s was revoked at %s (reason %d), says %s",
			serial, report.effectiveFrom().UTC().Format(timeLayout), report.ReasonCode, report.Source))
	case Suspended:
		return c.refuse(ReasonSuspended, fmt.Errorf("certificate %s is suspended since %s, says %s",
			serial, report.effectiveFrom().UTC().Format(timeLayout), report.Source))
	}
	return c.refuse(ReasonStatusUnknown, fmt.Errorf("certificate %s is not known to %s", serial, report.Source))
}

// withoutEvidence is the verdict where nothing counts.
func (c *climb) withoutEvidence(ctx context.Context) (RevocationFact, error) {
	if ctx.Err() != nil {
		return c.refuse(ReasonCanceled, ctx.Err())
	}
	if c.last != nil && c.last.Status == Good && c.last.Age <= c.by.rungs.InsecureLastKnownGood && c.last.Age >= -DefaultSkew {
		c.last.RevokedAfter, c.last.Failed = c.revokedAfter, c.errs
		return *c.last, nil
	}
	return c.refuse(c.unavailable(), fmt.Errorf("certificate %s: %w", serialOf(c.query.Cert), errors.Join(c.errs...)))
}

// unavailable is the reason why a status could not be learned.
func (c *climb) unavailable() Reason {
	if c.stale {
		return ReasonStatusStale
	}
	return ReasonStatusUnavailable
}

func (c *climb) refuse(reason Reason, err error) (RevocationFact, error) {
	return RevocationFact{}, &Error{Reason: reason, Signer: -1, Cert: c.query.Cert, Err: err}
}

const timeLayout = "2006-01-02T15:04:05Z07:00"
