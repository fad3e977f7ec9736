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
	profile           *Profile
	anchorAsEndEntity bool
	evidence          []Evidence // supplied by the caller and by the message
}

func (v *Verifier) newCall(opts *Options, use Use) *call {
	c := &call{v: v, use: use, now: v.clock(), profile: &v.scheme.Profile}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Use != UseDefault {
		c.use = c.opts.Use
	}
	if c.opts.Profile != nil {
		c.profile = c.opts.Profile
	}
	c.evidence = c.opts.Evidence
	c.at, c.atKind = c.now, InstantNow
	if !c.opts.ReceivedAt.IsZero() {
		c.at, c.atKind = c.opts.ReceivedAt, InstantReceipt
	}
	return c
}

// certificates parses the certificate a call is about, and those of the options.
func (c *call) certificates(certificate []byte) (cert *x509.Certificate, hints []*x509.Certificate, err error) {
	if cert, err = c.v.parseCertificate(certificate); err != nil {
		return nil, nil, syntaxError(err)
	}
	hints, err = c.optionCertificates()
	return cert, hints, err
}

// maxCertificates bounds the certificates of a call, those in the message aside.
const maxCertificates = 1024

func (c *call) optionCertificates() ([]*x509.Certificate, error) {
	if len(c.opts.Certificates) > maxCertificates {
		return nil, refuse(ReasonLimit, "%d certificates in Options, want at most %d", len(c.opts.Certificates), maxCertificates)
	}
	certs := make([]*x509.Certificate, 0, len(c.opts.Certificates)+4) // and those of a message
	for i, raw := range c.opts.Certificates {
		cert, err := c.v.parseCertificate(raw)
		if err != nil {
			return nil, syntaxError(fmt.Errorf("Options.Certificates[%d]: %w", i, err))
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// checkSignature checks a signature by the key of cert, after asking the policy
// whether algorithm and key are acceptable.
func (v *Verifier) checkSignature(used algorithm.Signature, cert *x509.Certificate, signed, signature []byte) error {
	if err := v.algorithms.CheckSignature(used, cert.PublicKey); err != nil {
		return &Error{Reason: ReasonAlgorithm, Signer: -1, Cert: cert, Err: err}
	}
	if err := used.Verify(cert.PublicKey, signed, signature); err != nil {
		return &Error{Reason: ReasonBadSignature, Signer: -1, Cert: cert, Err: err}
	}
	return nil
}

// certify finds the path of a signer's certificate and judges its profile. What
// is left for conclude is the status of the certificates.
func (c *call) certify(cert *x509.Certificate, hints []*x509.Certificate) (Signer, error) {
	if signer, ok := c.remembered(cert); ok {
		return signer, nil
	}
	if err := c.v.algorithms.CheckKey(cert.PublicKey); err != nil {
		return Signer{}, &Error{Reason: ReasonAlgorithm, Signer: -1, Cert: cert, Err: fmt.Errorf("certificate %s: %w", serialOf(cert), err)}
	}
	path, lasting, err := c.v.paths.FindLasting(cert, hints, certpath.Inputs{
		At:                     c.at,
		InitialPolicies:        c.v.inputs.InitialPolicies,
		RequireExplicitPolicy:  c.v.inputs.RequireExplicitPolicy,
		InhibitPolicyMapping:   c.v.inputs.InhibitPolicyMapping,
		InhibitAnyPolicy:       c.v.inputs.InhibitAnyPolicy,
		ExtKeyUsages:           c.profile.ExtKeyUsages,
		AllowAnchorAsEndEntity: c.anchorAsEndEntity,
	})
	if err != nil {
		return Signer{}, pathError(err)
	}
	if err := c.profile.check(path); err != nil {
		return Signer{}, err
	}
	signer := Signer{Path: path, Identity: Identity{Scheme: c.v.scheme.Name}}
	if identify := c.profile.Identify; identify != nil {
		if signer.Identity, err = identify(cert); err != nil {
			return Signer{}, &Error{Reason: ReasonProfile, Signer: -1, Cert: cert, Err: fmt.Errorf("certificate %s: %w", serialOf(cert), err)}
		}
		signer.Identity.Scheme = c.v.scheme.Name
	}
	c.remember(&signer, lasting)
	return signer, nil
}

// conclude learns the status of every certificate and makes the result.
func (c *call) conclude(ctx context.Context, signers []Signer) (*Result, error) {
	if !c.v.skipStatus {
		for i := range signers {
			if err := c.checkStatus(ctx, &signers[i], signers[:i]); err != nil {
				return nil, atSigner(err, i)
			}
		}
	}
	return &Result{
		Signers:           signers,
		At:                c.at,
		AtKind:            c.atKind,
		Scheme:            c.v.scheme.Name,
		Environment:       c.v.scheme.Environment,
		Policy:            c.v.algorithms.Name(),
		PolicyVersion:     algorithm.PolicyVersion,
		Profile:           c.profile.Name,
		RevocationSkipped: c.v.skipStatus,
		Evidence:          collectEvidence(signers),
	}, nil
}

// checkStatus asks for the status of each certificate but the anchor, from the
// anchor downwards: a revoked CA makes what it says of others void. Of those in
// the paths of the signers before it has been learned already.
func (c *call) checkStatus(ctx context.Context, signer *Signer, before []Signer) error {
	signer.Revocation = make([]RevocationFact, len(signer.Path)-1)
	for i := len(signer.Path) - 2; i >= 0; i-- {
		cert := signer.Path[i]
		fact, ok := learned(before, cert, i == 0)
		if !ok {
			q := StatusQuery{Cert: cert, Issuer: signer.Path[i+1], At: c.at, Now: c.now, Supplied: c.evidence}
			if i == 0 {
				// The lists of roots live longer than a day, so that the ages of a
				// use bind the end entity alone.
				q.Fresh = c.use.freshness()
			}
			var err error
			if fact, err = c.v.learn(ctx, q); err != nil {
				return err
			}
		}
		signer.Revocation[i] = fact
	}
	return nil
}

// learned returns what has been learned of a certificate for another signer, in
// the same place: the ages of a use bind end entities alone.
func learned(signers []Signer, cert *x509.Certificate, endEntity bool) (RevocationFact, bool) {
	for _, s := range signers {
		for i := range s.Revocation {
			if s.Path[i] == cert && (i == 0) == endEntity {
				return s.Revocation[i], true
			}
		}
	}
	return RevocationFact{}, false
}

// collectEvidence lists everything the signers rest on, each once.
func collectEvidence(signers []Signer) []Evidence {
	size := 0
	for _, s := range signers {
		size += len(s.Path) + len(s.Revocation)
	}
	all := make([]Evidence, 0, size)
	add := func(kind EvidenceKind, der []byte) {
		same := func(e Evidence) bool { return &e.DER[0] == &der[0] }
		if len(der) > 0 && !slices.ContainsFunc(all, same) {
			all = append(all, Evidence{kind, der})
		}
	}
	for _, s := range signers {
		for _, cert := range s.Path {
			add(CertificateEvidence, cert.Raw)
		}
		for _, fact := range s.Revocation {
			add(fact.Report.Kind, fact.Report.DER)
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
