// Package verify decides whether a signature is good, whose it is, and how we
// know.
//
// A [Verifier] holds a relying party's policy. For most filings,
//
//	res, err := v.Detached(ctx, signature, file, nil)
//
// is the one call to make: it checks the SignedData against the content, the
// signer's certification path up to a pinned anchor, the profile of its
// certificate, the algorithms, and that no certificate in the path is revoked.
// A [Result] exists only if all of that passed; every failure is an [*Error]
// with a [Reason].
//
// [Verifier.SignedData] is for content inside the SignedData, [Verifier.CopyUnverified]
// for such a message of any size, and [Verifier.Statement] for a document of which a
// client has signed the digest.
//
// The caller still owns: what the signer may do (a certificate holder is not an
// account), that a filing is not a second copy of another one (compare content
// and signer, never signature bytes, which are not unique), and when a filing
// was received ([Options].ReceivedAt).
//
// The instant of judgement is the earliest at which the signature is proven to
// have existed: now, the receipt that the caller states, or, with
// [Config].Timestamping, what a time-stamp token proves. What happened to a
// certificate after it leaves the verdict as it is, and is reported.
//
// Out of scope: making signatures, and trusting system roots.
//
// # The order of the checks
//
// Bounds, syntax, the signer by its identifier, algorithms, signature over the
// signed attributes, path, profile, content, and revocation last. Nothing on the
// network is asked before everything else has passed. Counter-signatures are looked
// at when the verdict on the signers is out. [Result.Explain] and [Error.Explain]
// tell the checks one by one, and [Error.Sentence] tells a citizen.
//
// # The status of certificates
//
// A [Ladder] says how it is learned, for each [Use]: from what is held, from
// responders, from lists, in which order and how old they may be. Revoked is final,
// whoever says so, and what nobody knows is refused. [RevocationFact] tells which rung
// answered and what the others said; an [Observer] counts.
//
// # Other cards, other times
//
// A [Profile] is what the certificates of one card are like. That of another
// country's is written as a value: see the example of Profile, which does it for
// a card shaped like PIV. An [AlgorithmPolicy] is which algorithms are accepted
// until when, and an [AnchorPeriod] when a root is trusted, by the instant of
// judgement.
package verify

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
)

// MaxSize is the largest message, and the largest content in memory, in bytes.
// Content from a reader may be of any size.
const MaxSize = 64 << 20

// A Verifier verifies signatures under one policy. It is safe for concurrent
// use. It remembers the certificates of up to 2048 signers it has accepted, with
// their paths, but never that they are in force or what their status is.
type Verifier struct {
	scheme     Scheme
	status     []StatusSource
	ladder     Ladder
	observer   Observer
	inputs     PathInputs
	clock      func() time.Time
	paths      *certpath.Set
	periods    anchorPeriods
	algorithms algorithm.Policy
	tolerated  map[Deviation]bool
	skipStatus bool
	leaves     leaves
	judgements sync.Pool // of *judgement, all zero
	contents   sync.Pool // of *readerContent, all zero

	timestamping *timestamping // nil if tokens are not used
}

// New returns a Verifier. It refuses a configuration that would leave a check
// out without saying so.
func New(cfg Config) (*Verifier, error) {
	switch {
	case len(cfg.Scheme.Anchors) == 0:
		return nil, errors.New("verify: Config.Scheme has no trust anchors")
	case cfg.Scheme.Environment < Production || cfg.Scheme.Environment > Custom:
		return nil, errors.New("verify: Config.Scheme.Environment is not set")
	case len(cfg.Status) == 0 && !cfg.InsecureSkipRevocation:
		return nil, errors.New("verify: Config.Status is empty: give a source of revocation status, or set InsecureSkipRevocation")
	case len(cfg.Status) > 0 && cfg.InsecureSkipRevocation:
		return nil, errors.New("verify: Config.Status and InsecureSkipRevocation contradict each other")
	}
	if cfg.Scheme.SeparateCRLKeys {
		if err := checkNames(&cfg.Scheme); err != nil {
			return nil, err
		}
	}
	v := &Verifier{
		scheme:   cfg.Scheme,
		status:   append([]StatusSource(nil), cfg.Status...),
		observer: cfg.Observer,
		inputs:   cfg.PathInputs,
		clock:    cfg.Clock,
		tolerated: map[Deviation]bool{
			DeviationMixedHashes:        cfg.InsecureAllowMixedHashes,
			DeviationUnsortedAttributes: cfg.InsecureAllowUnsortedAttributes,
			DeviationNoSignedAttributes: cfg.InsecureAllowNoSignedAttributes,
			DeviationUTF16Line:          cfg.InsecureAllowUTF16Line,
		},
		skipStatus: cfg.InsecureSkipRevocation,
	}
	if v.clock == nil {
		v.clock = time.Now
	}
	var err error
	if v.ladder, err = cfg.Ladder.complete(); err != nil {
		return nil, err
	}
	if v.algorithms, err = cfg.Algorithms.Resolve(cfg.InsecureAllowSHA1, v.clock()); err != nil {
		return nil, fmt.Errorf("verify: Config: %w", err)
	}
	if v.periods, err = cfg.Scheme.anchorPeriods(); err != nil {
		return nil, err
	}
	if v.paths, err = certpath.NewSet(cfg.Scheme.Anchors, cfg.Scheme.Intermediates, v.algorithms); err != nil {
		return nil, fmt.Errorf("verify: Config.Scheme: %w", err)
	}
	if cfg.Timestamping != nil {
		if v.timestamping, err = newTimestamping(&cfg, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Environment returns the environment of the verifier's scheme.
func (v *Verifier) Environment() Environment { return v.scheme.Environment }

// SignedData verifies a SignedData (RFC 5652, Section 5.1), in DER or BER, that
// has its content inside. It checks that
//
//   - der is exactly one value, within bounds, with at least one SignerInfo
//   - each SignerInfo has signedAttrs in DER, with content-type and
//     message-digest once each, matching the content (Sections 5.3, 11.1, 11.2)
//   - its signature covers those attributes as received (Section 5.4)
//   - a certification path reaches a trust anchor (RFC 5280, Section 6.1)
//   - the certificate fits the profile
//   - no certificate in the path is revoked or suspended (Section 6.3)
//
// for every signer: [Options].InsecureMinSigners is the way to ask for fewer. The
// content of the Result aliases der.
func (v *Verifier) SignedData(ctx context.Context, der []byte, opts *Options) (result *Result, refusal error) {
	defer func() { result, refusal = v.describe(askedSignedData, der, opts, result, refusal) }()
	j, err := v.parse(ctx, der, opts)
	if err != nil {
		return nil, err
	}
	defer v.release(j)
	if j.message.Detached {
		return nil, refuse(ReasonContentMissing, "the SignedData has no content inside: use Detached")
	}
	content := j.message.Content.Bytes()
	if err := j.checkLine(content); err != nil {
		return nil, err
	}
	res, err := j.judge(func(hashes []crypto.Hash) (digests, error) {
		return j.digestBytes(content, hashes), nil
	})
	if err != nil {
		return nil, err
	}
	res.Content = content
	return res, nil
}

// Detached verifies a SignedData whose content is given apart, with the checks
// of [Verifier.SignedData]. content is read once, to its end, in constant
// memory, and only after everything that does not need it has passed. If the
// SignedData has its content inside all the same, the two must be equal.
func (v *Verifier) Detached(ctx context.Context, der []byte, content io.Reader, opts *Options) (result *Result, refusal error) {
	defer func() { result, refusal = v.describe(askedDetached, der, opts, result, refusal) }()
	if content == nil {
		return nil, atCheck(refuse(ReasonContentMissing, "no content was given; empty content is an empty reader"), CheckSyntax)
	}
	j, err := v.parse(ctx, der, opts)
	if err != nil {
		return nil, err
	}
	defer v.release(j)
	return j.judge(func(hashes []crypto.Hash) (digests, error) {
		given, err := j.digestReader(ctx, content, hashes, j.guard)
		if err != nil {
			return nil, atCheck(err, CheckPurpose)
		}
		return given, j.compareInside(given)
	})
}

// Digest verifies a detached SignedData from digests of its content that were
// computed before. Each digest algorithm that a signer uses must be among them.
// With [Options].Line they must be those of the line. Otherwise the caller answers
// for the content: that it is not a statement line is checked only if the SignedData
// has it inside all the same. A SignerInfo without signedAttrs is refused under
// every policy, since what its signature covers cannot be looked at.
func (v *Verifier) Digest(ctx context.Context, der []byte, sums map[crypto.Hash][]byte, opts *Options) (result *Result, refusal error) {
	defer func() { result, refusal = v.describe(askedDigest, der, opts, result, refusal) }()
	j, err := v.parse(ctx, der, opts)
	if err != nil {
		return nil, err
	}
	defer v.release(j)
	j.guard = nil
	return j.judge(func(hashes []crypto.Hash) (digests, error) {
		given, err := givenDigests(sums, hashes)
		if err != nil {
			return nil, err
		}
		if err := j.checkLineBy(given); err != nil {
			return nil, err
		}
		return given, j.compareInside(given)
	})
}

// Signature verifies a bare signature over signed, as the card reader component
// (PKCS#1) and TW FidO deliver it. certificate is in DER and is not covered by
// the signature: its path is. alg is what was asked for, never what the answer
// claims. A set of signed attributes is refused with ReasonPurpose: its signature
// may have been taken out of a SignedData over something else.
func (v *Verifier) Signature(ctx context.Context, certificate []byte, alg x509.SignatureAlgorithm, signed, signature []byte, opts *Options) (result *Result, refusal error) {
	defer func() { result, refusal = v.describe(askedSignature, certificate, opts, result, refusal) }()
	c := v.newCall(opts, UseSignIn)
	return v.signature(ctx, certificate, alg, signed, signature, c, func() error { return nil })
}

// signature is Signature, with a further check before the status of the
// certificates is asked for.
func (v *Verifier) signature(ctx context.Context, certificate []byte, alg x509.SignatureAlgorithm, signed, signature []byte, c *call, last func() error) (*Result, error) {
	if err := c.checkLine(signed); err != nil {
		return nil, err
	}
	if isAttributes(signed) {
		return nil, refuse(ReasonPurpose, "what was signed is a set of signed attributes: the signature may be that of a SignedData")
	}
	cert, hints, err := c.certificates(certificate)
	if err != nil {
		return nil, atCheck(err, CheckSyntax)
	}
	used, err := algorithm.FromX509(alg)
	if err != nil {
		return nil, refuse(ReasonAlgorithm, "%w", err)
	}
	if err := c.checkSignature(c.algorithms(), used, cert, signed, signature); err != nil {
		return nil, err
	}
	signer, err := c.certifySigned(cert, hints, signature, nil)
	if err != nil {
		return nil, err
	}
	signer.SignatureAlgorithm = used.String()
	if used.Hash != 0 {
		signer.DigestAlgorithm = used.Hash.String()
	}
	if err := last(); err != nil {
		return nil, err
	}
	return c.conclude(ctx, []Signer{signer})
}

// Certificate verifies a certificate alone, in DER: its path, profile and
// status. It says nothing about who presents it. A certificate equal to an anchor
// is a path of one, if the profile allows a CA.
func (v *Verifier) Certificate(ctx context.Context, certificate []byte, opts *Options) (result *Result, refusal error) {
	defer func() { result, refusal = v.describe(askedCertificate, certificate, opts, result, refusal) }()
	c := v.newCall(opts, UseSignIn)
	c.anchorAsEndEntity = true
	cert, hints, err := c.certificates(certificate)
	if err != nil {
		return nil, atCheck(err, CheckSyntax)
	}
	signer, err := c.certify(cert, hints)
	if err != nil {
		return nil, err
	}
	return c.conclude(ctx, []Signer{signer})
}
