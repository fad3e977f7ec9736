package verify

import (
	"errors"
	"iter"
)

// each has every signer that has passed so far checked, and ends the judgement
// when too few are left: what comes next costs more than what was before.
func (j *judgement) each(check func(*signerInfo) error) error {
	passing := 0
	for i := range j.signers {
		s := &j.signers[i]
		if s.refusal != nil {
			continue
		}
		if err := check(s); err != nil {
			s.refusal = j.refusalOf(err, i)
			continue
		}
		passing++
	}
	if missing := j.wanted() - passing; missing > 0 {
		return j.refusal(missing)
	}
	return nil
}

func (j *judgement) refusalOf(err error, i int) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = refuse(ReasonMalformed, "%w", err) // checks return nothing else
	}
	about := *e
	about.Signer, about.Check = i, e.checkOrUsual()
	return &about
}

// wanted is how many signers must pass.
func (j *judgement) wanted() int {
	if j.opts.InsecureMinSigners > 0 {
		return j.opts.InsecureMinSigners
	}
	return len(j.signers)
}

// passing iterates over the signers that no check has refused.
func (j *judgement) passing() iter.Seq[*signerInfo] {
	return func(yield func(*signerInfo) bool) {
		for i := range j.signers {
			if s := &j.signers[i]; s.refusal == nil && !yield(s) {
				return
			}
		}
	}
}

// refused returns what was wrong with the other signers.
func (j *judgement) refused() []*Error {
	var all []*Error
	for i := range j.signers {
		if e := j.signers[i].refusal; e != nil {
			all = append(all, e)
		}
	}
	return all
}

// refusal makes the error of a message of which so many signers are missing. If
// enough might pass another time, the first for which that is so decides, and
// otherwise the first for which it is not.
func (j *judgement) refusal(missing int) error {
	refused := j.refused()
	if len(refused) == 0 {
		return refuse(ReasonNoSigner, "the message has %d signers, want %d", len(j.signers), j.wanted())
	}
	retryable := 0
	for _, e := range refused {
		if e.Retryable() {
			retryable++
		}
	}
	hope := retryable >= missing
	decided := refused[0]
	for _, e := range refused {
		if e.Retryable() == hope {
			decided = e
			break
		}
	}
	if len(j.signers) == 1 {
		return decided
	}
	about := *decided
	about.Signers, about.Reports = refused, j.reportsOfAll()
	return &about
}

// checkHolders checks that enough different holders have signed, where not all
// SignerInfos have to pass: one who signs twice is not two. Certificates of one
// holder have one serialNumber in their subjects, if the scheme knows such.
func (j *judgement) checkHolders() error {
	if j.opts.InsecureMinSigners <= 0 {
		return nil
	}
	type holder struct{ identity, certificate string }
	holders := make(map[holder]bool)
	for s := range j.passing() {
		h := holder{identity: s.signer.Identity.SerialNumber}
		if h.identity == "" {
			h.certificate = string(s.signer.Path[0].Raw)
		}
		holders[h] = true
	}
	if len(holders) < j.opts.InsecureMinSigners {
		err := refuse(ReasonNoSigner, "signatures of %d holders pass, want %d", len(holders), j.opts.InsecureMinSigners)
		err.Signers = j.refused()
		return err
	}
	return nil
}

// checkContent compares the digest that was signed with that of the content.
func (s *signerInfo) checkContent(sums digests) error {
	if !equalDigests(sums.of(s.digest), s.messageDigest) {
		return refuse(ReasonDigestMismatch, "message-digest is not the %v of the content", s.digest)
	}
	return nil
}

// finish makes the result, after everything that needs the network has passed.
func (j *judgement) finish() (*Result, error) {
	if err := j.checkHolders(); err != nil {
		return nil, err
	}
	budget := maxCounterSignatures - len(j.signers)
	signers := j.takeVerdict().room.signers[:0]
	for s := range j.passing() {
		s.signer.CounterSignatures = j.counterSignatures(s, &budget)
		signers = append(signers, s.signer)
	}
	res := j.result(signers)
	res.Refused = j.refused()
	return res, nil
}
