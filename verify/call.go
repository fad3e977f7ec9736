package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
)

// A call is one question to a Verifier, with its defaults filled in.
type call struct {
	v                 *Verifier
	opts              Options
	use               Use
	now, at           time.Time
	atKind            InstantKind
	policyAt          time.Time // of the algorithm policy, if not at
	profile           *Profile
	anchorAsEndEntity bool
	evidence          []Evidence // supplied by the caller and by the message
	kept              []Evidence // of it, what is the caller's
	hints             []*x509.Certificate
	authorities       authorities
	deviations        []Deviation
	shared            bool // a certificate may be asked about more than once
	answers           knownStatus
	verdict           *verdict // as far as there is one
}

// A statusAnswer is what was learned of a certificate, or why nothing was. Signers
// share CAs: nothing is asked twice in one call.
type statusAnswer struct {
	fact RevocationFact
	err  error
}

func (v *Verifier) newCall(opts *Options, use Use) *call {
	c := new(call)
	c.begin(v, opts, use)
	return c
}

// begin fills in an empty call.
func (c *call) begin(v *Verifier, opts *Options, use Use) {
	c.v, c.use, c.now, c.profile = v, use, v.clock(), &v.scheme.Profile
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Use != UseDefault {
		c.use = c.opts.Use
	}
	if c.opts.Profile != nil {
		c.profile = c.opts.Profile
	}
	c.evidence, c.kept = c.opts.Evidence, c.opts.Evidence
	c.at, c.atKind = c.now, InstantNow
	if !c.opts.ReceivedAt.IsZero() {
		c.at, c.atKind = c.opts.ReceivedAt, InstantReceipt
	}
}

// certificates parses the certificate a call is about, and those of the options.
func (c *call) certificates(certificate []byte) (cert *x509.Certificate, hints []*x509.Certificate, err error) {
	if cert, err = c.v.parseCertificate(certificate); err != nil {
		return nil, nil, syntaxError(err)
	}
	hints, err = c.optionCertificates(nil)
	return cert, hints, err
}

// maxCertificates bounds the certificates of a call, those in the message aside.
const maxCertificates = 1024

// optionCertificates appends the certificates of the options to certs.
func (c *call) optionCertificates(certs []*x509.Certificate) ([]*x509.Certificate, error) {
	given := c.opts.Certificates
	for _, e := range c.opts.Evidence {
		if e.Kind == CertificateEvidence {
			given = append(slices.Clip(given), e.DER)
		}
	}
	if len(given) > maxCertificates {
		return nil, refuse(ReasonLimit, "%d certificates in Options, want at most %d", len(given), maxCertificates)
	}
	for i, raw := range given {
		cert, err := c.v.parseCertificate(raw)
		if err != nil {
			return nil, syntaxError(fmt.Errorf("certificate %d of Options: %w", i, err))
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// checkSignature checks a signature by the key of cert, after asking the policy
// whether algorithm and key are acceptable.
func (c *call) checkSignature(policy algorithm.Policy, used algorithm.Signature, cert *x509.Certificate, signed, signature []byte) error {
	if err := policy.CheckSignature(used, cert.PublicKey); err != nil {
		return &Error{Reason: ReasonAlgorithm, Signer: -1, Cert: cert, Err: err, Check: CheckSignature}
	}
	if err := used.Verify(c.v.keyOf(cert), signed, signature); err != nil {
		return &Error{Reason: ReasonBadSignature, Signer: -1, Cert: cert, Err: err}
	}
	return nil
}

// certify finds the path of a signer's certificate and judges its profile. What
// is left for conclude is the status of the certificates.
func (c *call) certify(cert *x509.Certificate, hints []*x509.Certificate) (Signer, error) {
	c.hints = hints
	if signer, ok := c.remembered(cert); ok {
		return signer, nil
	}
	if err := c.algorithms().CheckKey(cert.PublicKey); err != nil {
		return Signer{}, &Error{Reason: ReasonAlgorithm, Signer: -1, Cert: cert, Err: fmt.Errorf("certificate %s: %w", serialOf(cert), err), Check: CheckPath}
	}
	path, lasting, err := c.v.paths.FindLasting(cert, hints, certpath.Inputs{
		At:                     c.at,
		InitialPolicies:        c.v.inputs.InitialPolicies,
		RequireExplicitPolicy:  c.v.inputs.RequireExplicitPolicy,
		InhibitPolicyMapping:   c.v.inputs.InhibitPolicyMapping,
		InhibitAnyPolicy:       c.v.inputs.InhibitAnyPolicy,
		ExtKeyUsages:           c.profile.ExtKeyUsages,
		AllowAnchorAsEndEntity: c.anchorAsEndEntity,
		Accept:                 c.v.periods.accept(c.at),
		AlgorithmsAt:           c.policyAt,
	})
	if err != nil {
		return Signer{}, atCheck(pathError(err), CheckPath, cert)
	}
	if err := c.profile.checkIssuer(path, c.v.paths); err != nil {
		return Signer{}, atCheck(err, CheckPath, path...)
	}
	if err := c.profile.check(path); err != nil {
		return Signer{}, atCheck(err, CheckProfile, path...)
	}
	signer := Signer{Path: path, At: c.at, AtKind: c.atKind, Identity: Identity{Scheme: c.v.scheme.Name}}
	if identify := c.profile.Identify; identify != nil {
		if signer.Identity, err = identify(cert); err != nil {
			err = &Error{Reason: ReasonProfile, Signer: -1, Cert: cert, Err: fmt.Errorf("certificate %s: %w", serialOf(cert), err)}
			return Signer{}, atCheck(err, CheckProfile, path...)
		}
		signer.Identity.Scheme = c.v.scheme.Name
	}
	c.remember(&signer, lasting)
	return signer, nil
}

// conclude learns the status of every certificate and makes the result.
func (c *call) conclude(ctx context.Context, signers []Signer) (*Result, error) {
	for i := range signers {
		if err := c.settle(ctx, &signers[i]); err != nil {
			return nil, atSigner(err, i)
		}
	}
	return c.result(signers), nil
}

// result makes the result for signers that have passed everything.
func (c *call) result(signers []Signer) *Result {
	for i := range signers {
		signers[i].Deviations = append(signers[i].Deviations, c.deviations...)
	}
	at, atKind := latestInstant(signers)
	v := c.takeVerdict()
	v.Result = Result{
		Signers:           signers,
		At:                at,
		AtKind:            atKind,
		Scheme:            c.v.scheme.Name,
		Environment:       c.v.scheme.Environment,
		Policy:            c.v.algorithms.Name(),
		PolicyVersion:     algorithm.PolicyVersion,
		Profile:           c.profile.Name,
		RevocationSkipped: c.v.skipStatus,
		Evidence:          collectEvidence(v.room.evidence[:0], signers),
	}
	return &v.Result
}

// knownStatus is what has been learned in one call.
type knownStatus map[certificateAt]statusAnswer

// The ages of a use bind end entities alone.
type certificateAt struct {
	cert      *x509.Certificate
	at        time.Time
	endEntity bool
}

// checkStatus asks for the status of each certificate but the anchor, from the
// anchor downwards: a revoked CA makes what it says of others void.
func (c *call) checkStatus(ctx context.Context, signer *Signer) error {
	if c.v.skipStatus {
		return nil
	}
	rungs := c.v.ladder.of(c.use)
	signer.Revocation = c.facts(len(signer.Path) - 1)
	for i := len(signer.Path) - 2; i >= 0; i-- {
		cert := signer.Path[i]
		key := certificateAt{cert, c.at, i == 0}
		answer, ok := c.answers[key]
		if !ok {
			q := StatusQuery{Cert: cert, Issuer: signer.Path[i+1], At: c.at, Now: c.now, Fresh: rungs.CAAges, Supplied: c.evidence}
			if i == 0 {
				q.Fresh = rungs.Ages
			}
			answer.fact, answer.err = c.learnOn(ctx, q, signer.Path[len(signer.Path)-1], nil, rungs)
			if c.answers != nil {
				c.answers[key] = answer
			}
		}
		if answer.err != nil {
			return atCheck(afterFacts(answer.err, signer.Revocation[i+1:]), CheckStatus, signer.Path...)
		}
		signer.Revocation[i] = answer.fact
	}
	return nil
}

// collectEvidence appends everything the signers rest on, each once.
func collectEvidence(all []Evidence, signers []Signer) []Evidence {
	add := func(kind EvidenceKind, der []byte) {
		same := func(e Evidence) bool { return &e.DER[0] == &der[0] }
		if len(der) > 0 && !slices.ContainsFunc(all, same) {
			all = append(all, Evidence{kind, der})
		}
	}
	addPath := func(path []*x509.Certificate, facts []RevocationFact) {
		for _, cert := range path {
			add(CertificateEvidence, cert.Raw)
		}
		for i := range facts {
			facts[i].collect(add)
		}
	}
	for _, s := range signers {
		addPath(s.Path, s.Revocation)
		for _, t := range s.Timestamps {
			if t.Err == nil {
				add(TimestampEvidence, t.DER)
				addPath(t.Path, t.Revocation)
			}
		}
	}
	return all
}

// atSigner notes which SignerInfo an error is about.
func atSigner(err error, i int) error {
	if e, ok := errors.AsType[*Error](err); ok {
		about := *e
		about.Signer = i
		return &about
	}
	return err
}

// syntaxError translates errors of the parsers.
func syntaxError(err error) *Error {
	if _, ok := errors.AsType[*der.LimitError](err); ok {
		return refuse(ReasonLimit, "%w", err)
	}
	if e, ok := errors.AsType[*der.SyntaxError](err); ok && e.NotDER {
		return refuse(ReasonNotDER, "%w", err)
	}
	if e, ok := errors.AsType[*certpath.Error](err); ok {
		return pathError(e)
	}
	return refuse(ReasonMalformed, "%w", err)
}

var pathReasons = map[certpath.Kind]Reason{
	certpath.Untrusted:   ReasonUntrusted,
	certpath.Expired:     ReasonExpired,
	certpath.NotYetValid: ReasonNotYetValid,
	certpath.Algorithm:   ReasonAlgorithm,
	certpath.Constraints: ReasonConstraints,
	certpath.Policy:      ReasonPolicy,
	certpath.Profile:     ReasonProfile,
	certpath.Limit:       ReasonLimit,
	certpath.Malformed:   ReasonMalformed,
}

// pathError translates errors of path building and validation.
func pathError(err error) *Error {
	if e, ok := errors.AsType[*certpath.Error](err); ok {
		return &Error{Reason: pathReasons[e.Kind], Signer: -1, Cert: e.Cert, Err: err}
	}
	return refuse(ReasonUntrusted, "%w", err)
}
