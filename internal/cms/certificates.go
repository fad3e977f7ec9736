package cms

import (
	"fmt"

	"github.com/citizencert/citizencert/internal/der"
)

// parseCertificates reads
//
//	CertificateSet ::= SET OF CertificateChoices
//
//	CertificateChoices ::= CHOICE {
//	    certificate          Certificate,
//	    extendedCertificate  [0] IMPLICIT ExtendedCertificate,  -- Obsolete
//	    v1AttrCert           [1] IMPLICIT AttributeCertificateV1,  -- Obsolete
//	    v2AttrCert           [2] IMPLICIT AttributeCertificateV2,
//	    other                [3] IMPLICIT OtherCertificateFormat }
//
// (RFC 5652, Section 10.2.2 and 10.2.3).
func (s *SignedData) parseCertificates(e der.Element, limits Limits) error {
	if len(e.Body) > 0 {
		s.Certificates = s.room.certificates[:0]
	}
	r := e.Reader()
	for member := range r.All() {
		n := len(s.Certificates) + s.OtherCertificates
		if n == limits.MaxCertificates {
			return &der.LimitError{What: "certificates", Limit: limits.MaxCertificates}
		}
		switch member.Tag {
		case der.Sequence:
			if err := member.Strict(); err != nil {
				return fmt.Errorf("certificates[%d]: %w", n, err)
			}
			s.Certificates = append(s.Certificates, member.Raw)
		case der.ContextConstructed(0), der.ContextConstructed(1), der.ContextConstructed(2), der.ContextConstructed(3):
			s.OtherCertificates++
		default:
			return member.Errorf("certificates[%d] has tag %v", n, member.Tag)
		}
	}
	return nil
}

// id-ri-ocsp-response (RFC 5940, Section 2.1).
const oidOCSPResponse = "1.3.6.1.5.5.7.16.2"

// parseRevocationInfos reads
//
//	RevocationInfoChoices ::= SET OF RevocationInfoChoice
//
//	RevocationInfoChoice ::= CHOICE {
//	    crl    CertificateList,
//	    other  [1] IMPLICIT OtherRevocationInfoFormat }
//
// (RFC 5652, Section 10.2.1). What it finds is evidence offered by the sender,
// which whoever judges it parses for himself: its encoding is not looked at.
func (s *SignedData) parseRevocationInfos(e der.Element, limits Limits) error {
	r := e.Reader()
	n := 0
	for member := range r.All() {
		if n == limits.MaxRevocationInfos {
			return &der.LimitError{What: "CRLs and OCSP responses", Limit: limits.MaxRevocationInfos}
		}
		switch member.Tag {
		case der.Sequence:
			s.CRLs = append(s.CRLs, member.Raw)
		case der.ContextConstructed(1):
			if err := s.parseOtherRevocationInfo(member); err != nil {
				return fmt.Errorf("crls[%d]: %w", n, err)
			}
		default:
			return member.Errorf("crls[%d] has tag %v", n, member.Tag)
		}
		n++
	}
	return nil
}

// parseOtherRevocationInfo reads
//
//	OtherRevocationInfoFormat ::= SEQUENCE {
//	    otherRevInfoFormat  OBJECT IDENTIFIER,
//	    otherRevInfo        ANY DEFINED BY otherRevInfoFormat }
func (s *SignedData) parseOtherRevocationInfo(e der.Element) error {
	r := e.Reader()
	format, err := readObjectID(&r, "otherRevInfoFormat")
	if err != nil {
		return err
	}
	info, ok := r.Next()
	if !ok {
		return e.Errorf("otherRevInfo is missing")
	}
	switch {
	case format != oidOCSPResponse:
		s.OtherRevocationInfos++
	case info.Tag != der.Sequence:
		return info.Errorf("OCSPResponse has tag %v", info.Tag)
	default:
		s.OCSPResponses = append(s.OCSPResponses, info.Raw)
	}
	return r.End("OtherRevocationInfoFormat")
}
