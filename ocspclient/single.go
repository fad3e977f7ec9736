package ocspclient

import (
	"crypto/x509"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/verify"
)

// reasonHold is certificateHold, the one revocation that may end (RFC 5280,
// Section 5.3.1).
const reasonHold = 6

func (resp *response) parseSingles(list der.Element) error {
	r := list.Reader()
	for e := range r.All() {
		if len(resp.singles) == maxSingles {
			return &der.LimitError{What: "single responses", Limit: maxSingles}
		}
		s, err := parseSingle(e)
		if err != nil {
			return err
		}
		resp.singles = append(resp.singles, s)
	}
	return nil
}

//	SingleResponse ::= SEQUENCE {
//	    certID            CertID,
//	    certStatus        CertStatus,
//	    thisUpdate        GeneralizedTime,
//	    nextUpdate        [0] EXPLICIT GeneralizedTime OPTIONAL,
//	    singleExtensions  [1] EXPLICIT Extensions OPTIONAL }
func parseSingle(e der.Element) (single, error) {
	var s single
	if e.Tag != der.Sequence {
		return s, e.Errorf("SingleResponse has tag %v", e.Tag)
	}
	r := e.Reader()
	id, err := r.Expect(der.Sequence, "certID")
	if err != nil {
		return s, err
	}
	if s.id, err = parseCertID(id); err != nil {
		return s, err
	}
	if err := s.parseStatus(&r); err != nil {
		return s, err
	}
	if s.thisUpdate, err = generalizedTime(&r, "thisUpdate"); err != nil {
		return s, err
	}
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		inner := field.Reader()
		if s.nextUpdate, err = generalizedTime(&inner, "nextUpdate"); err != nil {
			return s, err
		}
		if err := inner.End("nextUpdate"); err != nil {
			return s, err
		}
		if s.nextUpdate.Before(s.thisUpdate) {
			return s, field.Errorf("nextUpdate %s is before thisUpdate %s",
				s.nextUpdate.Format(time.RFC3339), s.thisUpdate.Format(time.RFC3339))
		}
	}
	if field, ok := r.Optional(der.ContextConstructed(1)); ok {
		if err := s.parseExtensions(field); err != nil {
			return s, err
		}
	}
	return s, r.End("SingleResponse")
}

//	CertID ::= SEQUENCE {
//	    hashAlgorithm   AlgorithmIdentifier,
//	    issuerNameHash  OCTET STRING,
//	    issuerKeyHash   OCTET STRING,
//	    serialNumber    INTEGER }
func parseCertID(e der.Element) (certID, error) {
	var id certID
	r := e.Reader()
	hash, err := r.Expect(der.Sequence, "hashAlgorithm")
	if err != nil {
		return id, err
	}
	if id.hash, err = algorithm.ParseIdentifier(hash); err != nil {
		return id, err
	}
	nameHash, err := r.Expect(der.OctetString, "issuerNameHash")
	if err != nil {
		return id, err
	}
	keyHash, err := r.Expect(der.OctetString, "issuerKeyHash")
	if err != nil {
		return id, err
	}
	serial, err := r.Expect(der.Integer, "serialNumber")
	if err != nil {
		return id, err
	}
	id.nameHash, id.keyHash = nameHash.Body, keyHash.Body
	if id.serial, err = serial.Integer(); err != nil {
		return id, err
	}
	return id, r.End("CertID")
}

//	CertStatus ::= CHOICE {
//	    good     [0] IMPLICIT NULL,
//	    revoked  [1] IMPLICIT RevokedInfo,
//	    unknown  [2] IMPLICIT NULL }
//
//	RevokedInfo ::= SEQUENCE {
//	    revocationTime    GeneralizedTime,
//	    revocationReason  [0] EXPLICIT CRLReason OPTIONAL }
func (s *single) parseStatus(r *der.Reader) error {
	e, ok := r.Next()
	if !ok {
		return &der.SyntaxError{Msg: "certStatus is missing"}
	}
	switch e.Tag {
	case der.Context(0):
		s.status = verify.Good
	case der.Context(2):
		s.status = verify.Unknown
	case der.ContextConstructed(1):
		return s.parseRevoked(e)
	default:
		return e.Errorf("certStatus has tag %v", e.Tag)
	}
	if len(e.Body) != 0 {
		return e.Errorf("certStatus is not a NULL")
	}
	return nil
}

func (s *single) parseRevoked(e der.Element) error {
	r := e.Reader()
	var err error
	if s.revokedAt, err = generalizedTime(&r, "revocationTime"); err != nil {
		return err
	}
	s.status = verify.Revoked
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		reason, err := only(field, der.Enumerated, "revocationReason")
		if err != nil {
			return err
		}
		if s.reasonCode, err = reason.Int(); err != nil {
			return err
		}
		if s.reasonCode == reasonHold {
			s.status = verify.Suspended
		}
	}
	return r.End("RevokedInfo")
}

// parseExtensions reads archiveCutoff and, of the CRL entry extensions that may
// stand here too (RFC 6960, Section 4.4.5), invalidityDate. Both have the syntax
// GeneralizedTime.
func (s *single) parseExtensions(field der.Element) error {
	_, list, err := extensionsIn(field, "singleExtensions")
	if err != nil {
		return err
	}
	for _, x := range list {
		switch {
		case string(x.ID) == idArchiveCutoff:
			s.archiveCutoff, err = x.Time()
		case string(x.ID) == idInvalidityDate:
			s.invalidityDate, err = x.Time()
		case string(x.ID) == idNonce:
			s.hasNonce = true
		case x.Critical:
			s.critical = x.Name()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// severity orders contradictory answers about one certificate: the worst counts.
func (s *single) severity() int {
	switch s.status {
	case verify.Revoked:
		return 3
	case verify.Suspended:
		return 2
	case verify.Unknown:
		return 1
	}
	return 0
}

// merge returns what two answers about cert amount to: the worse of them. A
// revocation takes effect when the first of two does, and for an authority that
// says in the same breath not to know the certificate, from its beginning.
func (s single) merge(t single, cert *x509.Certificate) single {
	if a, b := s.severity(), t.severity(); b > a || a == b && t.thisUpdate.Before(s.thisUpdate) {
		s, t = t, s
	}
	first, also := effective(s.revokedAt, s.invalidityDate), effective(t.revokedAt, t.invalidityDate)
	switch {
	case s.severity() < 2: // neither is a revocation
	case t.severity() >= 2 && also.Before(first):
		s.invalidityDate = also
	case t.status == verify.Unknown:
		s.invalidityDate = cert.NotBefore
	}
	return s
}

// effective returns since when a certificate must not be relied on.
func effective(revokedAt, invalidityDate time.Time) time.Time {
	if !invalidityDate.IsZero() && invalidityDate.Before(revokedAt) {
		return invalidityDate
	}
	return revokedAt
}
