package verify

import (
	"cmp"
	"errors"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
)

// An AlgorithmPolicy says which digests and which kinds and sizes of keys are
// accepted, and until when. It is asked about every signature and every
// certificate of a path, as it is at the instant of judgement. The zero value is
// [StrictPolicy].
//
// Policies are those of this package, by name: another one comes with a new
// version of it, so that name and version say which rules a result was reached by.
type AlgorithmPolicy struct {
	rules      algorithm.Policy
	historical bool
	before     time.Time
}

// An AlgorithmRule accepts one algorithm.
type AlgorithmRule struct {
	Algorithm        string    // a digest ("SHA-256"), or a kind of key ("RSA", "P-256", "Ed25519")
	MinBits, MaxBits int       // of an RSA modulus; otherwise 0
	Until            time.Time // the first instant at which it is not accepted; zero: no end
}

// StrictPolicy accepts SHA-256, SHA-384 and SHA-512, RSA of 2048 to 8192 bits,
// P-256, P-384, P-521 and Ed25519, and sets none of them an end: until when a
// national PKI issues RSA-2048 is for that PKI to say.
func StrictPolicy() AlgorithmPolicy { return AlgorithmPolicy{} }

// SP80057Policy is StrictPolicy with the end that NIST SP 800-57 Part 1 Rev. 5
// sets: RSA below 3072 bits is accepted at instants before 2031.
func SP80057Policy() AlgorithmPolicy { return AlgorithmPolicy{rules: algorithm.SP80057()} }

// HistoricalPolicy is StrictPolicy that also admits SHA-1, and RSA keys from
// 1024 bits, at instants of judgement before the one given. It is for documents
// that are proven to have existed by then: give that proof's instant as
// [Options].ReceivedAt. [New] refuses an instant that is zero or in the future,
// so that nothing signed today is ever judged by it.
//
// How early the instant should be depends on what is verified. Collisions of
// SHA-1 can be made since 2017: from then on, whoever wrote a document may have
// written a second one with the same digest.
func HistoricalPolicy(before time.Time) AlgorithmPolicy {
	return AlgorithmPolicy{rules: algorithm.Historical(before), historical: true, before: before}
}

// Name returns the name that results carry, such as "citizencert-strict".
func (p AlgorithmPolicy) Name() string { return p.rules.Name() }

// Version returns the edition of the rules, which results carry too.
func (p AlgorithmPolicy) Version() string { return algorithm.PolicyVersion }

// Rules returns what the policy accepts, for people and for evidence. It is a
// copy.
func (p AlgorithmPolicy) Rules() []AlgorithmRule {
	var rules []AlgorithmRule
	for _, r := range p.rules.Rules() {
		rules = append(rules, AlgorithmRule(r))
	}
	return rules
}

// Resolve is for the packages of this module that take a policy along with an
// InsecureAllowSHA1. It returns the rules, and refuses a policy that the other
// contradicts, or a historical one whose instant has not passed by now.
func (p AlgorithmPolicy) Resolve(insecureAllowSHA1 bool, now time.Time) (algorithm.Policy, error) {
	switch {
	case insecureAllowSHA1 && p != StrictPolicy():
		return p.rules, errors.New("policy Algorithms and InsecureAllowSHA1 contradict each other")
	case insecureAllowSHA1:
		return algorithm.Policy{InsecureAllowSHA1: true}, nil
	case p.historical && (p.before.IsZero() || p.before.After(now)):
		return p.rules, errors.New("policy Algorithms is a historical policy, whose instant must have passed")
	}
	return p.rules, nil
}

// algorithms returns the policy as it is at the instant of judgement, or at the
// instant that policyAt gives in its place.
func (c *call) algorithms() algorithm.Policy { return c.v.algorithms.At(cmp.Or(c.policyAt, c.at)) }

// policyFor returns the policy for the algorithms of a SignerInfo, before it is
// known at which instant the signature is judged. If time-stamp tokens may move
// that, and the policy has dates, it is what the policy accepts at one instant or
// another; [proof.checkAlgorithms] asks again when the instant is settled.
func (j *judgement) policyFor(s *signerInfo) algorithm.Policy {
	movable := j.v.timestamping != nil && j.use != UseSignIn && j.v.algorithms.Dated()
	if movable && len(j.collectTokens(s.UnsignedAttributes)) > 0 {
		return j.v.algorithms.AtAnyTime()
	}
	return j.algorithms()
}

// checkAlgorithms judges digest, signature and key at the instant that has been
// settled.
func (p *proof) checkAlgorithms(c *call) error {
	if p.info == nil { // a bare signature, whose algorithm was judged at the instant of the call
		return nil
	}
	policy := c.algorithms()
	if err := policy.CheckHash(p.info.digest); err != nil {
		return refuse(ReasonAlgorithm, "digestAlgorithm: %w", err)
	}
	if err := policy.CheckSignature(p.info.signature, p.cert.PublicKey); err != nil {
		return &Error{Reason: ReasonAlgorithm, Signer: -1, Cert: p.cert, Err: err, Check: CheckSignature}
	}
	return nil
}
