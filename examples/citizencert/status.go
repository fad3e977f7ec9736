package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/verify"
)

// A question is what ocsp and crl are asked: their common flags. The instant of
// judgement is also the present for them, so that evidence from after it is
// refused; verify and certificate take it as of later.
type question struct {
	certFile, issuerFile string
	at                   time.Time
	maxAge               time.Duration
	allowSHA1            bool
}

func (q *question) register(fs *flag.FlagSet) {
	fs.StringVar(&q.certFile, "cert", "", "`FILE` with the certificate that is asked about (required)")
	fs.StringVar(&q.issuerFile, "issuer", "", "`FILE` with the certificate of its issuer, which is taken as valid (required)")
	atVar(fs, &q.at)
	fs.DurationVar(&q.maxAge, "max-age", 0, "`duration` such as 168h after thisUpdate at which the answer is too old;\nwithout it, an answer without nextUpdate is")
	allowSHA1Var(fs, &q.allowSHA1)
}

// query reads the two certificates. The key of the issuer must have signed the
// certificate: with another CA's, an authentic list of that CA would say of a
// certificate it never issued that it is good.
func (q *question) query(in *files) (verify.StatusQuery, error) {
	var query verify.StatusQuery
	switch {
	case q.certFile == "" || q.issuerFile == "":
		return query, errors.New("-cert FILE and -issuer FILE are required")
	case q.maxAge < 0:
		return query, fmt.Errorf("-max-age %v is negative", q.maxAge)
	}
	cert, err := in.certificate(q.certFile)
	if err != nil {
		return query, err
	}
	issuer, err := in.certificate(q.issuerFile)
	if err != nil {
		return query, err
	}
	if err := checkIssued(cert, issuer, algorithm.Policy{InsecureAllowSHA1: q.allowSHA1}); err != nil {
		return query, err
	}
	at := q.at
	if at.IsZero() {
		at = time.Now()
	}
	return verify.StatusQuery{
		Cert: cert, Issuer: issuer, At: at, Now: at,
		Fresh: verify.Freshness{OCSP: q.maxAge, CRL: q.maxAge},
	}, nil
}

func checkIssued(cert, issuer *x509.Certificate, policy algorithm.Policy) error {
	if !certpath.SameName(cert.RawIssuer, issuer.RawSubject) {
		return refusal(verify.ReasonUntrusted, "-cert was not issued by -issuer: the names differ")
	}
	err := certpath.CheckSignature(cert, issuer, policy)
	if e, ok := errors.AsType[*certpath.Error](err); ok && e.Kind == certpath.Algorithm {
		return refusal(verify.ReasonAlgorithm, "%w", err)
	} else if err != nil {
		return refusal(verify.ReasonUntrusted, "-cert was not issued by -issuer: %w", err)
	}
	return nil
}

// A status is the report of ocsp and crl.
type status struct {
	Status    verify.Status `json:"status"`
	Reason    verify.Reason `json:"reason"` // empty if good
	Message   string        `json:"message"`
	Retryable bool          `json:"retryable"`

	Serial         string    `json:"serial,omitempty"`
	At             time.Time `json:"at,omitzero"`
	ThisUpdate     time.Time `json:"thisUpdate,omitzero"`
	NextUpdate     time.Time `json:"nextUpdate,omitzero"`
	ProducedAt     time.Time `json:"producedAt,omitzero"`
	RevokedAt      time.Time `json:"revokedAt,omitzero"`
	InvalidityDate time.Time `json:"invalidityDate,omitzero"`
	ReasonCode     *int      `json:"reasonCode,omitempty"`

	Responder       string                     `json:"responder,omitempty"` // who signed, RFC 4514
	ResponderStatus ocspclient.ResponderStatus `json:"responderStatus,omitempty"`
}

// newStatus judges a report of evidence for a query. An error that is no verdict
// is returned as it is.
func newStatus(query verify.StatusQuery, evidence *verify.StatusReport, err error) (*status, error) {
	s := &status{}
	if query.Cert != nil {
		s.Serial, s.At = fmt.Sprintf("%x", query.Cert.SerialNumber), query.At.UTC()
	}
	if err == nil {
		s.describe(evidence)
		s.Status, err = query.Judge(evidence)
	}
	if err != nil {
		unknown, ok := errors.AsType[*verify.Error](err)
		if !ok {
			return nil, err
		}
		s.Reason, s.Message, s.Retryable = unknown.Reason, err.Error(), unknown.Retryable()
		return s, nil
	}
	switch s.Status {
	case verify.Revoked:
		s.Reason, s.Message = verify.ReasonRevoked, "the certificate has been revoked"
	case verify.Suspended:
		s.Reason, s.Message = verify.ReasonSuspended, "the certificate is suspended"
	case verify.Unknown:
		s.Reason, s.Message = verify.ReasonStatusUnknown, "the authority does not know the certificate"
	}
	return s, nil
}

func (s *status) describe(r *verify.StatusReport) {
	s.ThisUpdate, s.NextUpdate, s.ProducedAt = r.ThisUpdate.UTC(), r.NextUpdate.UTC(), r.ProducedAt.UTC()
	s.Responder = nameText(r.Signer.RawSubject)
	if r.Says == verify.Revoked || r.Says == verify.Suspended {
		s.RevokedAt, s.InvalidityDate = r.RevokedAt.UTC(), r.InvalidityDate.UTC()
		s.ReasonCode = &r.ReasonCode
	}
}

func (s *status) exitCode() int {
	if s.Status == verify.Good {
		return exitGood
	}
	return exitRefused
}

func (s *status) writeText(w *textWriter) {
	if s.Reason == "" {
		w.title("%v", s.Status)
	} else {
		w.title("%v: %s", s.Status, s.Reason)
	}
	w.line("because", "%s", s.Message)
	w.line("serial", "%s", s.Serial)
	if !s.ThisUpdate.IsZero() {
		w.line("evidence", "%s", period(s.ThisUpdate, s.NextUpdate))
	}
	w.line("produced at", "%s", timeText(s.ProducedAt))
	w.line("revoked at", "%s", timeText(s.RevokedAt))
	w.line("invalid since", "%s", timeText(s.InvalidityDate))
	if s.ReasonCode != nil {
		w.line("reason code", "%d %s", *s.ReasonCode, crlReasons[*s.ReasonCode])
	}
	w.line("signed by", "%s", s.Responder)
	if s.ResponderStatus == ocspclient.ResponderNotChecked {
		w.line("", "whose own status has not been checked")
	}
	w.line("judged at", "%s", timeText(s.At))
}

// crlReasons are the names of reason codes (RFC 5280, Section 5.3.1).
var crlReasons = map[int]string{
	1:  "keyCompromise",
	2:  "cACompromise",
	3:  "affiliationChanged",
	4:  "superseded",
	5:  "cessationOfOperation",
	6:  "certificateHold",
	8:  "removeFromCRL",
	9:  "privilegeWithdrawn",
	10: "aACompromise",
}
