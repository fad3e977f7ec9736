package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/cms"
)

// The instant of judgement is the earliest at which the signature is proven to
// have existed: now, the caller's receipt, or the latest instant that a good
// time-stamp token can mean (the best-signature-time of ETSI EN 319 102-1, Section
// 5.5). A later proof takes nothing away from an earlier one, so the order in
// which they come does not matter, and going back is safe: a certificate that was
// revoked when the signature was made is revoked at every later instant, and an
// earlier instant only ever brings the judgement closer to that moment. The one
// refusal that an earlier instant adds is not-yet-valid, and it is right: a
// signature value from before the certificate was not made under it.
//
// A token can be taken off or added by anyone, so one that fails neither refuses
// nor helps. It is asked for the status of its authority after all that needs no
// network has passed, and until then it is enough that the signer has a path at
// one of the instants that may come out.

// An instant is when a signature is judged, and how that is known.
type instant struct {
	at   time.Time
	kind InstantKind
}

// maxTimestamps bounds the tokens over one signature whose own is verified: each
// costs as much as a signer. Tokens over something else do not count.
const maxTimestamps = 4

// A proof is what may prove that a signature existed, until it is settled.
type proof struct {
	cert   *x509.Certificate
	hints  []*x509.Certificate
	tokens []*token
	info   *signerInfo // nil for a bare signature
}

// judgedAt returns the call with another instant of judgement. What is known of
// those who sign evidence was learned for the former one, and is left behind.
func (c *call) judgedAt(i instant) *call {
	at := *c
	at.at, at.atKind = i.at, i.kind
	at.authorities = authorities{}
	return &at
}

// certifySigned is certify for a certificate whose key has made a signature, with
// time-stamp tokens in its unsigned attributes. It fails if there is no path at
// any instant that settle may arrive at. A signer whom no anchor vouches for at
// any time is refused before anything is done about tokens.
func (c *call) certifySigned(cert *x509.Certificate, hints []*x509.Certificate, signature []byte, unsigned []cms.Attribute) (Signer, error) {
	signer, err := c.certify(cert, hints)
	raws := c.collectTokens(unsigned)
	if e, ok := errors.AsType[*Error](err); len(raws) == 0 || ok && e.Reason == ReasonUntrusted {
		return signer, err
	}
	p := &proof{cert: cert, hints: hints, tokens: c.readTokens(raws, signature, hints)}
	for _, t := range p.tokens {
		if err == nil {
			break
		}
		if t.Err == nil && t.latest.Before(c.at) {
			if early, refused := c.judgedAt(instant{t.latest, InstantTimestamp}).certify(cert, hints); refused == nil {
				signer, err = early, nil
			}
		}
	}
	if err != nil {
		return Signer{}, p.explain(err)
	}
	signer.proof = p
	return signer, nil
}

// collectTokens returns the tokens of the caller and of the message, in this
// order.
func (c *call) collectTokens(unsigned []cms.Attribute) [][]byte {
	raws := slices.Clip(c.opts.Timestamps)
	for _, e := range c.opts.Evidence {
		if e.Kind == TimestampEvidence {
			raws = append(raws, e.DER)
		}
	}
	for _, a := range unsigned {
		if a.Type != oidTimeStampToken {
			continue
		}
		for _, value := range a.Values {
			raws = append(raws, value.Raw)
		}
	}
	return raws
}

// readTokens judges tokens, each once.
func (c *call) readTokens(raws [][]byte, signature []byte, hints []*x509.Certificate) []*token {
	var tokens []*token
	verified := 0
	for _, raw := range raws {
		if slices.ContainsFunc(tokens, func(t *token) bool { return bytes.Equal(t.DER, raw) }) {
			continue
		}
		var refused *Error
		switch {
		case c.v.timestamping == nil:
			refused = refuse(ReasonUntrusted, "time-stamp tokens are not used: Config.Timestamping is not set")
		case c.use == UseSignIn:
			refused = refuse(ReasonPurpose, "time-stamp tokens are not used: a sign-in is judged when it happens")
		case verified == maxTimestamps:
			refused = refuse(ReasonLimit, "more than %d time-stamp tokens over one signature", maxTimestamps)
		default:
			t := c.readToken(raw, signature, hints)
			if t.authority != nil {
				verified++
			}
			tokens = append(tokens, t)
			continue
		}
		tokens = append(tokens, &token{Timestamp: Timestamp{DER: raw, Err: refused}})
	}
	return tokens
}

// settle learns which tokens count, and judges path and status of the signer at
// the instant that follows.
func (c *call) settle(ctx context.Context, signer *Signer) error {
	p := signer.proof
	signer.proof = nil
	if c.answers == nil && (c.shared || p != nil) && !c.v.skipStatus {
		c.answers = make(knownStatus) // shared with the calls of other instants
	}
	if p == nil {
		return c.checkStatus(ctx, signer)
	}
	best := instant{c.at, c.atKind}
	for _, t := range p.tokens {
		if t.checkStatus(ctx); t.Err == nil && t.latest.Before(best.at) {
			best = instant{t.latest, InstantTimestamp}
		}
		signer.Timestamps = append(signer.Timestamps, t.Timestamp)
	}
	err := p.judge(ctx, c.judgedAt(best), signer)
	if err == nil {
		return nil
	}
	err = p.afterTokens(err)
	// If a token would have saved the signature, had its authority's status been
	// known, the refusal is not final.
	for _, t := range p.tokens {
		e, ok := errors.AsType[*Error](t.Err)
		if !ok || !e.Retryable() || t.latest.IsZero() || !t.latest.Before(best.at) {
			continue
		}
		again := *signer
		if p.judge(ctx, c.judgedAt(instant{t.latest, InstantTimestamp}), &again) == nil {
			about := &Error{Reason: e.Reason, Signer: -1, Cert: e.Cert, Err: fmt.Errorf("of the time-stamp authority: %w (without its token: %v)", e.Err, err)}
			return p.afterTokens(about)
		}
	}
	return p.explain(err)
}

// judge judges path and status of the signer at the instant of the call.
func (p *proof) judge(ctx context.Context, c *call, signer *Signer) error {
	if err := p.checkAlgorithms(c); err != nil {
		return err
	}
	if !signer.At.Equal(c.at) {
		again, err := c.certify(p.cert, p.hints)
		if err != nil {
			return err
		}
		signer.Path, signer.Identity = again.Path, again.Identity
	}
	signer.At, signer.AtKind = c.at, c.atKind
	return c.checkStatus(ctx, signer)
}

// explain adds to a refusal why tokens did not help.
func (p *proof) explain(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	told := *e
	for i, t := range p.tokens {
		if t.Err != nil {
			told.Err = fmt.Errorf("%w (time-stamp token %d of %d: %v)", told.Err, i+1, len(p.tokens), t.Err)
		}
	}
	return &told
}

// latestInstant returns the last of the signers' instants.
func latestInstant(signers []Signer) (time.Time, InstantKind) {
	last := signers[0]
	for _, s := range signers[1:] {
		if s.At.After(last.At) {
			last = s
		}
	}
	return last.At, last.AtKind
}
