package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A Record says what the verification of a filing found, for the citizen and for
// whoever asks later. It is kept as JSON.
type Record struct {
	Verdict    Verdict   `json:"verdict"`
	Reason     string    `json:"reason,omitempty"` // why it is not accepted
	ReceivedAt time.Time `json:"receivedAt"`

	// What follows is there if the signature was verified, even if the filing was
	// refused because of who signed it.
	JudgedAt      time.Time           `json:"judgedAt,omitzero"`
	JudgedAtKind  verify.InstantKind  `json:"judgedAtKind,omitempty"`
	Environment   string              `json:"environment,omitempty"`
	Policy        string              `json:"policy,omitempty"`
	PolicyVersion string              `json:"policyVersion,omitempty"`
	Profile       string              `json:"profile,omitempty"`
	Generation    string              `json:"generation,omitempty"`
	Carrier       verify.Carrier      `json:"carrier,omitempty"`
	Algorithm     string              `json:"algorithm,omitempty"`
	SigningTime   time.Time           `json:"claimedSigningTime,omitzero"`
	Path          []string            `json:"path,omitempty"` // end entity first, anchor last
	Revocation    []CertificateStatus `json:"revocation,omitempty"`
}

// A CertificateStatus is what was learned of one certificate of the path.
type CertificateStatus struct {
	Certificate string    `json:"certificate"`
	Status      string    `json:"status"`
	Rung        string    `json:"rung"`
	Source      string    `json:"source"`
	ThisUpdate  time.Time `json:"thisUpdate"`
	NextUpdate  time.Time `json:"nextUpdate,omitzero"`
}

// A Verdict says what became of a filing.
type Verdict string

// The verdicts. A filing is pending if a status could not be learned: it was
// received, and can be judged later for the instant of its receipt.
const (
	Accepted Verdict = "accepted"
	Pending  Verdict = "pending"
	Refused  Verdict = "refused"
)

// The reasons of this service beside those of package verify.
const (
	reasonSigners     refusal = "signers"      // not exactly one
	reasonOtherSigner refusal = "other-signer" // not the citizen who is signed in
	reasonDuplicate   refusal = "duplicate"    // this return has been filed before
)

// judge verifies the signature of a filing over its return of an account, as received,
// and that it is the signature of the citizen whose session sent it. It writes the
// record and returns what the verdict rests on, a refusal too.
func (s *service) judge(ctx context.Context, account string, filing *Filing) (kept []byte, err error) {
	ret, err := s.store.Return(ctx, account, filing.Number)
	if err != nil {
		return nil, err
	}
	filing.Record = Record{Verdict: Accepted, ReceivedAt: filing.Record.ReceivedAt}
	rec, res, cause := s.verifier.recorder.Ask(ctx, s.question(filing), bytes.NewReader(ret.Document))
	if rec == nil {
		return nil, cause // no verdict
	}
	if kept, err = encodeEvidence(rec); err != nil {
		return nil, err
	}
	if cause == nil {
		filing.Record.describe(res)
		if cause, err = s.checkSigner(ctx, res, account, filing.Signer); err != nil {
			return nil, err
		}
	}
	if cause != nil {
		filing.Record.refuse(cause)
	}
	log := s.Logger.With("verdict", filing.Record.Verdict)
	if cause != nil {
		log.InfoContext(ctx, "filing judged", "reason", filing.Record.Reason, "cause", cause)
		return kept, nil
	}
	log.InfoContext(ctx, "filing judged")
	return kept, nil
}

// A refusal is a reason of this service.
type refusal string

func (r refusal) Error() string { return "tax: refused: " + string(r) }

// question is what the verifier is asked about a filing: a card signs the document, a
// phone a line that has its digest.
func (s *service) question(filing *Filing) evidence.Question {
	q := evidence.Question{
		Method:    evidence.Detached,
		Signature: filing.Signature,
		// Our own record of the receipt: the signer's clock proves nothing.
		Options: &verify.Options{ReceivedAt: filing.Record.ReceivedAt},
	}
	if filing.Line != "" {
		q.Method, q.Certificate, q.Host, q.Service = evidence.Statement, filing.Certificate, s.host, serviceName
		q.Options.Line = filing.Line
	}
	return q
}

// checkSigner compares the signer with the citizen who is signed in: a good
// signature is somebody's, and whose it has to be, only the service knows. That is
// the holder of the session, or another with the same account: the holder numbers of
// a citizen's card and phone are two.
func (s *service) checkSigner(ctx context.Context, res *verify.Result, account, subject string) (cause, err error) {
	if len(res.Signers) != 1 {
		return reasonSigners, nil
	}
	signer := s.Auth.Subject(res.Signers[0].Identity)
	if signer == subject {
		return nil, nil
	}
	if linked, err := s.store.Account(ctx, signer); err != nil || linked == account {
		return nil, err
	}
	return reasonOtherSigner, nil
}

// refuse writes down why a filing is not accepted.
func (r *Record) refuse(cause error) {
	r.Verdict, r.Reason = Refused, "other"
	if own, ok := errors.AsType[refusal](cause); ok {
		r.Reason = string(own)
	}
	if e, ok := errors.AsType[*verify.Error](cause); ok {
		r.Reason = string(e.Reason)
		if e.Retryable() {
			r.Verdict = Pending
		}
	}
}

// describe writes down what a result says. Of the holder it keeps nothing that
// the certificate, which is evidence, does not keep anyway.
func (r *Record) describe(res *verify.Result) {
	signer := &res.Signers[0]
	r.JudgedAt, r.JudgedAtKind = res.At, res.AtKind
	r.Environment = res.Environment.String()
	r.Policy, r.PolicyVersion, r.Profile = res.Policy, res.PolicyVersion, res.Profile
	r.Generation = signer.Identity.Generation
	r.Carrier = signer.Identity.Carrier
	r.Algorithm = signer.SignatureAlgorithm
	r.SigningTime = signer.SigningTime
	for _, cert := range signer.Path {
		r.Path = append(r.Path, nameOf(cert))
	}
	for _, fact := range signer.Revocation {
		r.Revocation = append(r.Revocation, CertificateStatus{
			Certificate: nameOf(fact.Cert),
			Status:      fact.Status.String(),
			Rung:        fact.Report.Rung.String(),
			Source:      fact.Report.Source,
			ThisUpdate:  fact.Report.ThisUpdate,
			NextUpdate:  fact.Report.NextUpdate,
		})
	}
}

// nameOf names a certificate for people: MOICA's CAs have no common name.
func nameOf(cert *x509.Certificate) string {
	if cert.Subject.CommonName != "" {
		return cert.Subject.CommonName
	}
	if units := cert.Subject.OrganizationalUnit; len(units) > 0 {
		return units[len(units)-1]
	}
	return cert.Subject.String()
}
