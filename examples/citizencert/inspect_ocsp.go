package main

import (
	"fmt"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/ocspclient"
)

type ocspResponse struct {
	heading
	ResponseStatus     string           `json:"responseStatus"`
	Responder          string           `json:"responder,omitempty"` // a name, or key:hash
	ProducedAt         time.Time        `json:"producedAt,omitzero"`
	SignatureAlgorithm string           `json:"signatureAlgorithm,omitempty"`
	Responses          []singleResponse `json:"responses,omitempty"`
	Extensions         []string         `json:"extensions,omitempty"`
	Certificates       []string         `json:"certificates,omitempty"` // subjects
}

type singleResponse struct {
	Serial         string    `json:"serial"`
	HashAlgorithm  string    `json:"hashAlgorithm"`
	IssuerNameHash string    `json:"issuerNameHash"`
	IssuerKeyHash  string    `json:"issuerKeyHash"`
	Status         string    `json:"status"`
	RevokedAt      time.Time `json:"revokedAt,omitzero"`
	ReasonCode     *int      `json:"reasonCode,omitempty"`
	ThisUpdate     time.Time `json:"thisUpdate"`
	NextUpdate     time.Time `json:"nextUpdate,omitzero"`
}

// inspectOCSP reads an OCSPResponse (RFC 6960, Section 4.2.1). It shows more than
// is judged, such as answers about other certificates, and judges nothing.
func inspectOCSP(root der.Element) (inspection, error) {
	resp := &ocspResponse{heading: heading{Kind: "ocsp"}}
	r := root.Reader()
	code, err := readInt(&r, der.Enumerated, "responseStatus")
	if err != nil {
		return nil, err
	}
	if code != 0 {
		resp.ResponseStatus = ocspclient.ResponseStatus(code).String()
		return resp, nil
	}
	resp.ResponseStatus = "successful"
	responseBytes, err := explicit(&r, 0, "responseBytes")
	if err != nil {
		return nil, err
	}
	r = responseBytes.Reader()
	if _, err := r.Expect(der.OID, "responseType"); err != nil {
		return nil, err
	}
	basic, err := r.Expect(der.OctetString, "response")
	if err != nil {
		return nil, err
	}
	doc, err := der.Strict(basic.Body, der.Limits{})
	if err != nil {
		return nil, fmt.Errorf("BasicOCSPResponse: %w", err)
	}
	return resp, resp.readBasic(doc.Root().Reader())
}

// checkOCSP checks the syntax of a response.
func checkOCSP(response []byte) error {
	doc, err := der.Strict(response, der.Limits{})
	if err != nil {
		return err
	}
	_, err = inspectOCSP(doc.Root())
	return err
}

// readBasic reads BasicOCSPResponse ::= SEQUENCE { tbsResponseData,
// signatureAlgorithm, signature, certs [0] EXPLICIT SEQUENCE OF Certificate
// OPTIONAL }.
func (resp *ocspResponse) readBasic(r der.Reader) error {
	data, err := r.Expect(der.Sequence, "tbsResponseData")
	if err != nil {
		return err
	}
	if err := resp.readData(data.Reader()); err != nil {
		return err
	}
	id, _ := r.Next()
	signature, err := algorithm.ParseIdentifier(id)
	if err != nil {
		return err
	}
	resp.SignatureAlgorithm = signatureName(signature)
	r.Next() // signature
	if tag, _ := r.Peek(); tag != der.ContextConstructed(0) {
		return nil
	}
	list, err := explicit(&r, 0, "certs")
	if err != nil {
		return err
	}
	certs := list.Reader()
	for e := range certs.All() {
		cert, err := certpath.ParseCertificate(e.Raw)
		if err != nil {
			return fmt.Errorf("certs: %w", err)
		}
		resp.Certificates = append(resp.Certificates, nameText(cert.RawSubject))
	}
	return nil
}

// readData reads ResponseData ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT
// v1, responderID, producedAt, responses, responseExtensions [1] EXPLICIT OPTIONAL }.
func (resp *ocspResponse) readData(r der.Reader) (err error) {
	r.Optional(der.ContextConstructed(0)) // version
	id, _ := r.Next()
	inner := id.Reader()
	responder, _ := inner.Next()
	if responder.Tag == der.OctetString {
		resp.Responder = fmt.Sprintf("key:%x", responder.Body)
	} else {
		resp.Responder = nameText(responder.Raw)
	}
	if resp.ProducedAt, err = readTime(&r, "producedAt"); err != nil {
		return err
	}
	list, err := r.Expect(der.Sequence, "responses")
	if err != nil {
		return err
	}
	singles := list.Reader()
	for e := range singles.All() {
		single, err := readSingle(e.Reader())
		if err != nil {
			return err
		}
		resp.Responses = append(resp.Responses, single)
	}
	if tag, _ := r.Peek(); tag != der.ContextConstructed(1) {
		return nil
	}
	field, err := explicit(&r, 1, "responseExtensions")
	if err != nil {
		return err
	}
	extensions, err := revocation.AppendExtensions(nil, field)
	resp.Extensions = extensionNames(extensions)
	return err
}

// readSingle reads SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate,
// nextUpdate [0] EXPLICIT OPTIONAL, … }.
func readSingle(r der.Reader) (s singleResponse, err error) {
	certID, err := r.Expect(der.Sequence, "certID")
	if err != nil {
		return s, err
	}
	fields := certID.Reader()
	algorithmID, _ := fields.Next()
	hash, err := algorithm.ParseIdentifier(algorithmID)
	if err != nil {
		return s, err
	}
	nameHash, _ := fields.Next()
	keyHash, _ := fields.Next()
	serial, err := fields.Expect(der.Integer, "serialNumber")
	if err != nil {
		return s, err
	}
	n, err := serial.Integer()
	if err != nil {
		return s, err
	}
	s.Serial, s.HashAlgorithm = fmt.Sprintf("%x", n), digestName(hash)
	s.IssuerNameHash, s.IssuerKeyHash = fmt.Sprintf("%x", nameHash.Body), fmt.Sprintf("%x", keyHash.Body)
	certStatus, _ := r.Next()
	if err := s.readStatus(certStatus); err != nil {
		return s, err
	}
	if s.ThisUpdate, err = readTime(&r, "thisUpdate"); err != nil {
		return s, err
	}
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		inner := field.Reader()
		s.NextUpdate, err = readTime(&inner, "nextUpdate")
	}
	return s, err
}

func (s *singleResponse) readStatus(e der.Element) (err error) {
	switch e.Tag {
	case der.Context(0):
		s.Status = "good"
	case der.Context(2):
		s.Status = "unknown"
	case der.ContextConstructed(1):
		s.Status = "revoked"
		r := e.Reader()
		if s.RevokedAt, err = readTime(&r, "revocationTime"); err != nil {
			return err
		}
		if field, ok := r.Optional(der.ContextConstructed(0)); ok {
			inner := field.Reader()
			code, err := readInt(&inner, der.Enumerated, "revocationReason")
			if err != nil {
				return err
			}
			s.ReasonCode = &code
		}
	default:
		return e.Errorf("certStatus has tag %v", e.Tag)
	}
	return nil
}

func readInt(r *der.Reader, tag der.Tag, name string) (int, error) {
	e, err := r.Expect(tag, name)
	if err != nil {
		return 0, err
	}
	return e.Int()
}

func readTime(r *der.Reader, name string) (time.Time, error) {
	e, err := r.Expect(der.GeneralizedTime, name)
	if err != nil {
		return time.Time{}, err
	}
	return e.Time()
}

// explicit reads the SEQUENCE inside [n].
func explicit(r *der.Reader, n int, name string) (der.Element, error) {
	field, err := r.Expect(der.ContextConstructed(n), name)
	if err != nil {
		return field, err
	}
	inner := field.Reader()
	return inner.Expect(der.Sequence, name)
}

func (resp *ocspResponse) writeText(w *textWriter) {
	w.title("OCSP response")
	w.line("response status", "%s", resp.ResponseStatus)
	w.line("responder", "%s", resp.Responder)
	w.line("produced at", "%s", timeText(resp.ProducedAt))
	w.line("signature", "%s", resp.SignatureAlgorithm)
	w.line("extensions", "%s", joined(resp.Extensions))
	w.lines("certificates", resp.Certificates)
	for _, s := range resp.Responses {
		w.line("serial", "%s", s.Serial)
		w.nested(func() {
			w.line("status", "%s", s.Status)
			w.line("revoked at", "%s", timeText(s.RevokedAt))
			if s.ReasonCode != nil {
				w.line("reason code", "%d %s", *s.ReasonCode, crlReasons[*s.ReasonCode])
			}
			w.line("updates", "%s", period(s.ThisUpdate, s.NextUpdate))
			w.line("issuer key", "%s %s", s.HashAlgorithm, s.IssuerKeyHash)
		})
	}
	resp.writeFurther(w)
}
