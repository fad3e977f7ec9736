package verify

import (
	"context"
	"errors"
	"time"
)

// An Observer is told how statuses are learned, for metrics and alarms. Each func
// may be nil. They are called on the goroutine of the call, from several at once,
// and should return quickly. Nothing they get tells of whom it is about.
type Observer struct {
	// Status is told of each certificate whose status was to be learned.
	Status func(context.Context, StatusOutcome)

	// Source is told of each time a source was asked.
	Source func(context.Context, SourceOutcome)
}

// A StatusOutcome is what came out of one climb of the ladder.
type StatusOutcome struct {
	Use Use
	CA  bool // the certificate is that of a CA

	// Reason is why the certificate is refused, and empty if it is good.
	Reason Reason

	// Rung, Kind and Age are those of the evidence that decided, if it was good.
	Rung Rung
	Kind EvidenceKind
	Age  time.Duration

	Failed int // how many errors there were on the way
	Took   time.Duration
}

// A SourceOutcome is what one source has said to one question.
type SourceOutcome struct {
	Kind    EvidenceKind // OCSPEvidence for a responder, else CRLEvidence: see RungOrder
	Held    bool         // it was asked for what it holds
	Reports int

	// Reason is that of the first error, if there were any.
	Reason Reason
	Took   time.Duration
}

// askSource asks a source, and tells of it.
func (v *Verifier) askSource(ctx context.Context, source StatusSource, q StatusQuery) ([]StatusReport, error) {
	if v.observer.Source == nil {
		return source.Status(ctx, q)
	}
	start := time.Now()
	reports, err := source.Status(ctx, q)
	outcome := SourceOutcome{Kind: CRLEvidence, Held: q.HeldOnly, Reports: len(reports), Reason: reasonOf(err), Took: time.Since(start)}
	if isResponder(source) {
		outcome.Kind = OCSPEvidence
	}
	v.observer.Source(ctx, outcome)
	return reports, err
}

// observed tells of a climb that began at start.
func (l *learning) observed(ctx context.Context, q *StatusQuery, fact *RevocationFact, err error, failed int, start time.Time) {
	outcome := StatusOutcome{Use: l.use, CA: q.Cert.IsCA, Reason: reasonOf(err), Failed: failed, Took: time.Since(start)}
	if err == nil {
		outcome.Rung, outcome.Kind, outcome.Age = fact.Report.Rung, fact.Report.Kind, fact.Age
	}
	l.v.observer.Status(ctx, outcome)
}

// reasonOf returns the reason of an error, which for one from elsewhere is that
// nothing could be learned.
func reasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ReasonStatusUnavailable
}
