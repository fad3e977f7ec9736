package verify

import (
	"context"
	"crypto"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/cms"
)

// A TimestampAuthority says whose time-stamp tokens (RFC 3161) prove when a
// signature existed. It is no part of the scheme: who vouches for time need not
// be who vouches for citizens.
type TimestampAuthority struct {
	// Anchors are the certificates at which the path of an authority may end.
	// Required. Intermediates are CAs known beforehand, as in [Scheme].
	Anchors       []*x509.Certificate
	Intermediates []*x509.Certificate

	// Status are the sources of the status of the authority's certificates. If
	// nil, those of [Config].
	Status []StatusSource

	// Policies are the policies under which tokens are accepted (TSAPolicyId), in
	// dotted notation. Empty accepts any.
	Policies []string
}

// DefaultTimestampAccuracy is taken as the accuracy of a token that states none:
// what RFC 3628 asks of an authority at least.
const DefaultTimestampAccuracy = time.Second

// A Timestamp is a time-stamp token over a signature, with its verdict. If Err is
// not nil the token proves nothing, and nothing that it says is in here.
type Timestamp struct {
	DER []byte // the token as received, which may be BER; aliases the input
	Err error  // an *Error, or nil: the signature existed at Latest

	Time         time.Time     // genTime
	Accuracy     time.Duration // to either side of Time
	Policy       string        // TSAPolicyId, dotted
	SerialNumber *big.Int      // of the token

	// Path is the certification path of the authority, end entity first, and
	// Revocation the status of each of its certificates but the anchor.
	Path       []*x509.Certificate
	Revocation []RevocationFact
}

// Latest returns the latest instant that the token can mean: at this one the
// signature certainly existed.
func (t *Timestamp) Latest() time.Time { return t.Time.Add(t.Accuracy) }

const (
	oidTSTInfo        = "1.2.840.113549.1.9.16.1.4"  // RFC 3161, Section 2.4.2
	oidTimeStampToken = "1.2.840.113549.1.9.16.2.14" // RFC 3161, Appendix A
	oidTimeStamping   = "1.3.6.1.5.5.7.3.8"          // RFC 3161, Section 2.3
)

// maxToken bounds a token, in bytes. They have some thousand, and revocation
// lists inside can make them grow.
const maxToken = 1 << 20

// timestamping is a TimestampAuthority made ready: a verifier whose scheme it is.
type timestamping struct {
	*Verifier
	policies []string
}

func newTimestamping(cfg *Config, v *Verifier) (*timestamping, error) {
	a := cfg.Timestamping
	if len(a.Anchors) == 0 {
		return nil, errors.New("verify: Config.Timestamping has no trust anchors")
	}
	if len(a.Status) > 0 && v.skipStatus {
		return nil, errors.New("verify: Config.Timestamping.Status and InsecureSkipRevocation contradict each other")
	}
	status := v.status
	if len(a.Status) > 0 {
		status = slices.Clone(a.Status)
	}
	paths, err := certpath.NewSet(a.Anchors, a.Intermediates, v.algorithms)
	if err != nil {
		return nil, fmt.Errorf("verify: Config.Timestamping: %w", err)
	}
	return &timestamping{policies: slices.Clone(a.Policies), Verifier: &Verifier{
		scheme: Scheme{
			Name:        "timestamp",
			Environment: v.scheme.Environment,
			Profile: Profile{
				Name:             "timestamp-authority",
				KeyUsage:         x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
				KeyUsageOptional: true,
				ExtKeyUsages:     []string{oidTimeStamping},
				Identify:         identifyAuthority,
			},
		},
		status:     status,
		ladder:     v.ladder,
		observer:   v.observer,
		clock:      v.clock,
		paths:      paths,
		algorithms: v.algorithms,
		skipStatus: v.skipStatus,
	}}, nil
}

// identifyAuthority refuses a certificate whose key may do anything but stamp:
// the extension "MUST contain only one instance of id-kp-timeStamping" and "MUST
// be critical" (RFC 3161, Section 2.3).
func identifyAuthority(cert *x509.Certificate) (Identity, error) {
	ext, ok := certpath.Extension(cert, oidExtKeyUsage)
	switch {
	case !ok:
		return Identity{}, errors.New("extended key usage is absent")
	case !ext.Critical:
		return Identity{}, errors.New("extended key usage is not critical")
	case len(cert.UnknownExtKeyUsage) > 0 || !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}):
		return Identity{}, errors.New("extended key usage is not timeStamping alone")
	}
	return Identity{}, nil
}

// A token is a Timestamp in the making.
type token struct {
	Timestamp
	latest    time.Time // Latest, kept if the status of the authority cannot be learned
	authority *call     // judges the authority; nil if the token was refused before any arithmetic
}

// readToken judges all of a token but the status of its authority, for which the
// network may be needed. hints are certificates that came with the signature.
func (c *call) readToken(raw, signature []byte, hints []*x509.Certificate) *token {
	t := &token{Timestamp: Timestamp{DER: raw}}
	if err := t.read(c, signature, hints); err != nil {
		t.Timestamp = Timestamp{DER: raw, Err: err}
	}
	return t
}

func (t *token) read(c *call, signature []byte, hints []*x509.Certificate) error {
	if len(t.DER) > maxToken {
		return refuse(ReasonLimit, "the time-stamp token is larger than %d bytes", maxToken)
	}
	message, err := cms.Parse(t.DER, cms.Limits{})
	if err != nil {
		return syntaxError(err)
	}
	info, err := c.readInfo(message, signature)
	if err != nil {
		return err
	}
	a := c.v.timestamping
	// The algorithms are judged as of now: whoever can forge with an old one can
	// write any genTime.
	j := &judgement{message: message, call: call{
		v: a.Verifier, now: c.now, at: info.genTime, atKind: InstantTimestamp, policyAt: c.now, profile: &a.scheme.Profile, evidence: c.evidence, kept: c.kept,
	}}
	t.authority = &j.call
	signer, err := j.authenticateToken(hints)
	if err != nil {
		return err
	}
	t.Time, t.Accuracy, t.Policy, t.SerialNumber = info.genTime, info.accuracy, info.policy, info.serial
	if !info.accurate {
		t.Accuracy = DefaultTimestampAccuracy
	}
	t.Path, t.latest = signer.Path, t.Latest()
	return nil
}

// readInfo checks what a token says, before any arithmetic.
func (c *call) readInfo(message *cms.SignedData, signature []byte) (*tstInfo, error) {
	switch {
	case message.ContentType != oidTSTInfo:
		return nil, refuse(ReasonContentType, "eContentType of the time-stamp token is %s, want id-ct-TSTInfo", message.ContentType)
	case message.Detached:
		return nil, refuse(ReasonContentMissing, "the time-stamp token has no TSTInfo inside")
	case len(message.SignerInfos) == 0:
		return nil, refuse(ReasonNoSigner, "the time-stamp token has no SignerInfo")
	case len(message.SignerInfos) > 1: // RFC 3161, Section 2.4.2
		return nil, refuse(ReasonMalformed, "the time-stamp token has %d signers, want the authority alone", len(message.SignerInfos))
	}
	info, err := parseTSTInfo(message.Content.Bytes())
	if err != nil {
		return nil, syntaxError(err)
	}
	// By the policy of today, as all of the token: who can find another signature
	// with this imprint now can pass it off as older.
	if err := c.v.algorithms.At(c.now).CheckHash(info.hash); err != nil {
		return nil, refuse(ReasonAlgorithm, "messageImprint: %w", err)
	}
	h := info.hash.New()
	h.Write(signature)
	if subtle.ConstantTimeCompare(h.Sum(nil), info.imprint) != 1 {
		return nil, refuse(ReasonDigestMismatch, "messageImprint is not the %v of the signature", info.hash)
	}
	if policies := c.v.timestamping.policies; len(policies) > 0 && !slices.Contains(policies, info.policy) {
		return nil, refuse(ReasonPolicy, "the time-stamp token was issued under policy %s, want one of %v", info.policy, policies)
	}
	if info.genTime.After(c.now.Add(DefaultSkew)) {
		return nil, refuse(ReasonNotYetValid, "genTime %s is in the future", info.genTime.Format(time.RFC3339))
	}
	return info, nil
}

// authenticateToken finds the authority that signed a token, and its path at
// genTime. Its certificate must be named by hash in a signed attribute (RFC 3161,
// Section 2.4.1; RFC 5816, Section 2.2.1), so that no other certificate of the
// same key can take its place.
func (j *judgement) authenticateToken(hints []*x509.Certificate) (Signer, error) {
	s := signerInfo{SignerInfo: &j.message.SignerInfos[0]}
	if err := j.readAlgorithms(&s); err != nil {
		return Signer{}, err
	}
	if err := j.readAttributes(&s); err != nil {
		return Signer{}, err
	}
	_, v1 := s.attribute(oidSigningCertificate)
	_, v2 := s.attribute(oidSigningCertificateV2)
	if !v1 && !v2 {
		return Signer{}, refuse(ReasonSignedAttributes, "the time-stamp token has no signing-certificate attribute")
	}
	sums, err := digestContent(&j.message.Content, []crypto.Hash{s.digest}, nil)
	if err != nil {
		return Signer{}, err
	}
	if !equalDigests(sums.of(s.digest), s.messageDigest) {
		return Signer{}, refuse(ReasonDigestMismatch, "message-digest is not the %v of the TSTInfo", s.digest)
	}
	for i, raw := range j.message.Certificates {
		cert, err := j.v.parseCertificate(raw)
		if err != nil {
			return Signer{}, syntaxError(fmt.Errorf("certificates[%d] of the time-stamp token: %w", i, err))
		}
		j.certs = append(j.certs, cert)
	}
	j.certs = append(j.certs, hints...)
	j.supplyEvidence()
	if err := j.authenticate(&s); err != nil {
		return Signer{}, err
	}
	return s.signer, nil
}

// checkStatus learns the status of the authority. What a token says depends on its
// key having been kept until today: whoever gets hold of it later can write any
// genTime. So the status is not asked for at genTime but now, or, of a certificate
// that has expired, for the end of its life, by evidence of then or by later
// evidence that still covers it.
func (t *token) checkStatus(ctx context.Context) {
	if t.Err != nil || t.authority.v.skipStatus {
		return
	}
	facts := make([]RevocationFact, len(t.Path)-1)
	for i := len(facts) - 1; i >= 0; i-- {
		cert := t.Path[i]
		q := StatusQuery{Cert: cert, Issuer: t.Path[i+1], At: t.authority.now, Now: t.authority.now, Supplied: t.authority.evidence}
		if cert.NotAfter.Before(q.At) {
			q.At = cert.NotAfter
		}
		var err error
		facts[i], err = t.authority.learnBy(ctx, q, t.Path[len(t.Path)-1], func(r *StatusReport) (Status, error) {
			return q.judgeAuthority(r, t.latest)
		})
		if err != nil {
			t.Timestamp = Timestamp{DER: t.DER, Err: err}
			return
		}
	}
	t.Revocation = facts
}

// judgeAuthority is Judge for a certificate that tokens rest on. A revocation
// voids them whatever its date, unless its reason says that the key was not
// compromised: then tokens from before it remain valid (RFC 3161, Section 4,
// items 1 and 2, which without a reason assumes the worse). The RFC counts
// unspecified among the harmless ones; lists that follow RFC 5280, Section 5.3.1
// do not write it, so that it cannot be told from no reason.
func (q StatusQuery) judgeAuthority(r *StatusReport, latest time.Time) (Status, error) {
	if r.Says != Revoked || r.ThisUpdate.After(q.Now.Add(DefaultSkew)) {
		return q.Judge(r)
	}
	const affiliationChanged, superseded, cessationOfOperation = 3, 4, 5
	switch r.ReasonCode {
	case affiliationChanged, superseded, cessationOfOperation:
		if !r.effectiveFrom().After(latest) {
			return Revoked, nil
		}
		// An authority may learn of a compromise later and change the reason.
		if err := q.counts(r); err != nil {
			return Unknown, err
		}
		return Good, nil
	}
	return Revoked, nil
}
