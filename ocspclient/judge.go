package ocspclient

import (
	"crypto/x509"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// JudgeOptions are the particulars of one [Judge] call.
type JudgeOptions struct {
	// At is the instant of judgement, at which a delegated responder must not
	// have expired. If zero, now.
	At time.Time

	// Now is the clock: an answer from after it is refused. If zero, time.Now.
	Now time.Time

	// Nonce is the nonce that was sent with the question, if any, and
	// NoncePolicy what its absence from the answer means. Without Nonce, a nonce
	// in the answer is of no concern: the answer was given to somebody else.
	Nonce       []byte
	NoncePolicy NoncePolicy

	// Algorithms says which algorithms and key sizes are accepted until when, as in
	// verify.Config: at the instant of judgement, or when the answer was produced if
	// that is later. The zero value is verify.StrictPolicy. The SHA-1 of a CertID
	// identifies and does not sign, so it needs no permission.
	Algorithms verify.AlgorithmPolicy

	// InsecureAllowSHA1 admits SHA-1 signatures and RSA keys from 1024 bits, for
	// replaying archived answers. Algorithms must be left zero.
	InsecureAllowSHA1 bool

	// Responders, if not nil, remembers the responders' certificates that have been
	// verified, for the next call.
	Responders *Responders
}

// ResponderStatus says what is known of the responder's own revocation.
type ResponderStatus string

// A responder that is not the CA itself and has no ocsp-nocheck extension (RFC
// 6960, Section 4.2.2.2.1) can have been revoked, and nobody has looked.
const (
	ResponderIsIssuer   ResponderStatus = "issuer"
	ResponderNoCheck    ResponderStatus = "no-check"
	ResponderNotChecked ResponderStatus = "not-checked"
)

// An Answer is what an authentic response says about one certificate.
type Answer struct {
	verify.StatusReport
	Responder ResponderStatus
}

// Judge decodes an OCSPResponse (RFC 6960, Section 4.2.1) in DER and returns
// what it says about cert, which was issued by issuer. It checks that
//
//   - the response is one DER value of at most [MaxResponseBytes]
//   - it is signed by issuer's key, or by a certificate in it that was issued by
//     that very key, has the purpose id-kp-OCSPSigning (anyExtendedKeyUsage is
//     not enough) and, if there is a keyUsage, digitalSignature, and is not a CA
//     (Section 4.2.2.2)
//   - the responder ID names the signer, and producedAt lies in its lifetime
//   - a single response names cert by issuer name, issuer key and serial number
//   - no critical extension is unknown, and the nonce is the one sent
//
// Of several answers about cert the worst counts: revoked, suspended, unknown,
// good. Whether the answer is recent enough is for [verify.StatusQuery.Judge],
// and so is the instant of a revocation.
//
// Every failure is a [*verify.Error], and means that nothing is known. A
// response that is an error status wraps a [*ResponseError]. The Answer keeps
// der.
func Judge(der []byte, cert, issuer *x509.Certificate, opts JudgeOptions) (*Answer, error) {
	if opts.Now.IsZero() {
		opts.Now = time.Now()
	}
	if opts.At.IsZero() {
		opts.At = opts.Now
	}
	policy, err := opts.Algorithms.Resolve(opts.InsecureAllowSHA1, opts.Now)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonAlgorithm, "JudgeOptions: %w", err)
	}
	return judge(der, cert, issuer, &opts, policy)
}

// judge is Judge with everything filled in, and the policy in place of the options'.
func judge(der []byte, cert, issuer *x509.Certificate, opts *JudgeOptions, policy algorithm.Policy) (*Answer, error) {
	resp, err := parseResponse(der)
	if err != nil {
		return nil, err
	}
	s, err := resp.about(cert, issuer)
	if err != nil {
		return nil, err
	}
	if err := resp.checkContent(s, cert, opts); err != nil {
		return nil, err
	}
	// What was made later than the instant of judgement was made with what can be
	// done then.
	at := opts.At
	if resp.producedAt.After(at) {
		at = resp.producedAt
	}
	signer, err := resp.findSigner(issuer, opts.At, policy.At(at), opts.Responders)
	if err != nil {
		return nil, err
	}
	return &Answer{
		StatusReport: verify.StatusReport{
			Rung:           verify.RungOCSP,
			Kind:           verify.OCSPEvidence,
			DER:            der,
			Signer:         signer,
			Says:           s.status,
			RevokedAt:      s.revokedAt,
			InvalidityDate: s.invalidityDate,
			ReasonCode:     s.reasonCode,
			ThisUpdate:     s.thisUpdate,
			NextUpdate:     s.nextUpdate,
			ProducedAt:     resp.producedAt,
			RetainsFrom:    s.archiveCutoff,
		},
		Responder: responderStatus(signer, issuer),
	}, nil
}

// about returns the single response for cert, or what several amount to.
func (resp *response) about(cert, issuer *x509.Certificate) (*single, error) {
	var found *single
	for _, s := range resp.singles {
		if !s.id.names(cert, issuer) {
			continue
		}
		if s.critical != "" {
			return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "critical extension %s of the single response is not known", s.critical)
		}
		if s.hasNonce {
			return nil, revocation.Refuse(verify.ReasonMalformed, "nonce in a single response")
		}
		if found != nil {
			s = found.merge(s, cert)
		}
		found = &s
	}
	if found == nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable,
			"none of %d single responses is about the certificate with serial number %x", len(resp.singles), cert.SerialNumber)
	}
	return found, nil
}

// checkContent checks what needs no key.
func (resp *response) checkContent(s *single, cert *x509.Certificate, opts *JudgeOptions) error {
	produced := resp.producedAt
	switch {
	case resp.critical != "":
		return revocation.Refuse(verify.ReasonStatusUnavailable, "critical extension %s of the response is not known", resp.critical)
	case produced.After(opts.Now.Add(verify.DefaultSkew)):
		return revocation.Refuse(verify.ReasonStatusStale, "producedAt %s is in the future", produced.Format(time.RFC3339))
	case s.thisUpdate.After(opts.Now.Add(verify.DefaultSkew)):
		return revocation.Refuse(verify.ReasonStatusStale, "thisUpdate %s is in the future", s.thisUpdate.Format(time.RFC3339))
	case produced.Before(cert.NotBefore):
		return revocation.Refuse(verify.ReasonStatusUnavailable, "producedAt %s is before the certificate began at %s",
			produced.Format(time.RFC3339), cert.NotBefore.Format(time.RFC3339))
	}
	return opts.NoncePolicy.check(opts.Nonce, resp.nonce)
}

func responderStatus(signer, issuer *x509.Certificate) ResponderStatus {
	if signer == issuer {
		return ResponderIsIssuer
	}
	if _, ok := certpath.Extension(signer, oidOCSPNoCheck); ok {
		return ResponderNoCheck
	}
	return ResponderNotChecked
}
