package verify

import (
	"errors"
	"slices"
)

// What a refusal rests on is kept as well as what a verdict does: whoever is asked
// later why a filing was refused shows the list that says revoked.

// seenInline is how many reports about one certificate are noted without
// allocating: one or two is what sources return.
const seenInline = 4

// seenReports are the reports that sources have given about one certificate.
type seenReports struct {
	first [seenInline]*StatusReport
	n     int
	more  []*StatusReport
}

func (s *seenReports) add(r *StatusReport) {
	if s.n < len(s.first) {
		s.first[s.n] = r
		s.n++
		return
	}
	s.more = append(s.more, r)
}

func (s *seenReports) all(yield func(*StatusReport) bool) {
	for _, r := range s.first[:s.n] {
		if !yield(r) {
			return
		}
	}
	for _, r := range s.more {
		if !yield(r) {
			return
		}
	}
}

// judge says what a report proves, and notes it.
func (l *learning) judge(r *StatusReport) (Status, error) {
	l.seen.add(r)
	if l.rule != nil {
		return l.rule(r)
	}
	return l.query.Judge(r)
}

// complete adds to what was learned the reports it rests on besides its own.
func (l *learning) complete(fact RevocationFact, err error) (RevocationFact, error) {
	if err != nil {
		return fact, l.seen.attachTo(err)
	}
	if !fact.RevokedAfter.IsZero() && !fact.Report.effectiveFrom().Equal(fact.RevokedAfter) {
		for r := range l.seen.all {
			if r.effectiveFrom().Equal(fact.RevokedAfter) {
				fact.Later = r
				break
			}
		}
	}
	return fact, nil
}

// attachTo gives an error the reports, and those of the errors that it wraps.
func (s *seenReports) attachTo(err error) error {
	return withReports(err, func(all *reportList, e *Error) {
		for r := range s.all {
			all.add(r)
		}
		all.addErrors(e.Err)
	})
}

// afterFacts gives an error about a certificate's status what was learned before of
// the certificates above it.
func afterFacts(err error, facts []RevocationFact) error {
	return withReports(err, func(all *reportList, _ *Error) { all.addFacts(facts) })
}

// afterTokens gives an error what was learned of those who signed time-stamp tokens.
func (p *proof) afterTokens(err error) error {
	return withReports(err, func(all *reportList, _ *Error) {
		for _, t := range p.tokens {
			all.addErrors(t.Err)
			all.addFacts(t.Revocation)
		}
	})
}

// withReports returns the error with further reports before its own.
func withReports(err error, add func(*reportList, *Error)) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	var all reportList
	add(&all, e)
	all.addAll(e.Reports)
	about := *e
	about.Reports = all
	return &about
}

// reportsOfAll are those of the verdicts on all signers of a refused message.
func (j *judgement) reportsOfAll() []StatusReport {
	var all reportList
	for s := range j.passing() {
		all.addFacts(s.signer.Revocation)
		for i := range s.signer.Timestamps {
			all.addFacts(s.signer.Timestamps[i].Revocation)
		}
	}
	for _, e := range j.refused() {
		all.addAll(e.Reports)
	}
	return all
}

// A reportList has each piece of evidence once.
type reportList []StatusReport

func (l *reportList) add(r *StatusReport) {
	known := func(other StatusReport) bool { return &other.DER[0] == &r.DER[0] }
	if len(r.DER) > 0 && !slices.ContainsFunc(*l, known) {
		*l = append(*l, *r)
	}
}

func (l *reportList) addAll(reports []StatusReport) {
	for i := range reports {
		l.add(&reports[i])
	}
}

func (l *reportList) addFacts(facts []RevocationFact) {
	for i := range facts {
		f := &facts[i]
		l.add(&f.Report)
		if f.Other != nil {
			l.add(&f.Other.Report)
		}
		if f.Later != nil {
			l.add(f.Later)
		}
		for j := range f.Authorities {
			l.addFacts(f.Authorities[j].Revocation)
		}
	}
}

// addErrors adds the reports of the errors in a tree.
func (l *reportList) addErrors(err error) {
	if e, ok := err.(*Error); ok {
		l.addAll(e.Reports)
	}
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		l.addErrors(wrapper.Unwrap())
	case interface{ Unwrap() []error }:
		for _, cause := range wrapper.Unwrap() {
			l.addErrors(cause)
		}
	}
}
