package verify

import (
	"crypto/x509"
	"errors"
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
	return l.rule(r)
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

// attachTo gives an error the reports, and what the errors that it wraps rest on.
func (s *seenReports) attachTo(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	var all evidenceList
	for r := range s.all {
		all.addReport(r)
	}
	all.addErrors(e.Err)
	about := *e
	about.Evidence = all
	return &about
}

// An evidenceList has everything once.
type evidenceList []Evidence

func (l *evidenceList) add(kind EvidenceKind, der []byte) {
	if len(der) == 0 {
		return
	}
	for _, e := range *l {
		if &e.DER[0] == &der[0] {
			return
		}
	}
	*l = append(*l, Evidence{kind, der})
}

func (l *evidenceList) addPath(path []*x509.Certificate) {
	for _, cert := range path {
		l.add(CertificateEvidence, cert.Raw)
	}
}

func (l *evidenceList) addReport(r *StatusReport) {
	l.add(r.Kind, r.DER)
	for i := range r.With {
		l.addReport(&r.With[i])
	}
}

func (l *evidenceList) addAll(more []Evidence) {
	for _, e := range more {
		l.add(e.Kind, e.DER)
	}
}

// addErrors adds what the errors in a tree rest on.
func (l *evidenceList) addErrors(err error) {
	if e, ok := err.(*Error); ok {
		l.addAll(e.Evidence)
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

// afterFacts gives an error about a certificate's status what was learned before of
// the certificates above it.
func afterFacts(err error, facts []RevocationFact) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	var all evidenceList
	for i := range facts {
		facts[i].collect(all.add)
	}
	all.addAll(e.Evidence)
	about := *e
	about.Evidence = all
	return &about
}

// afterTokens gives an error what time-stamp tokens have or have not proven.
func (p *proof) afterTokens(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	var all evidenceList
	for _, t := range p.tokens {
		if t.Err != nil {
			all.addErrors(t.Err)
			continue
		}
		all.add(TimestampEvidence, t.DER)
		all.addPath(t.Path)
		for i := range t.Revocation {
			t.Revocation[i].collect(all.add)
		}
	}
	all.addAll(e.Evidence)
	about := *e
	about.Evidence = all
	return &about
}

// evidenceOfAll is what the verdicts on all signers of a refused message rest on.
func (j *judgement) evidenceOfAll() []Evidence {
	var signers []Signer
	for _, s := range j.passing() {
		if len(s.signer.Path) > 0 {
			signers = append(signers, s.signer)
		}
	}
	all := evidenceList(collectEvidence(signers))
	for _, e := range j.refused() {
		all.addPath(e.path)
		all.addAll(e.Evidence)
	}
	return all
}
