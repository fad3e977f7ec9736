package ocspclient

import (
	"errors"
	"fmt"

	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// A ResponseStatus is why a responder gave no answer (RFC 6960, Section 4.2.1).
// It says nothing about the certificate.
type ResponseStatus int

// The statuses of a response without an answer.
const (
	MalformedRequest ResponseStatus = 1
	InternalError    ResponseStatus = 2
	TryLater         ResponseStatus = 3
	SigRequired      ResponseStatus = 5
	Unauthorized     ResponseStatus = 6 // often: not a certificate of a CA that is known here
)

var responseStatusNames = map[ResponseStatus]string{
	MalformedRequest: "malformedRequest",
	InternalError:    "internalError",
	TryLater:         "tryLater",
	SigRequired:      "sigRequired",
	Unauthorized:     "unauthorized",
}

func (s ResponseStatus) String() string {
	if name, ok := responseStatusNames[s]; ok {
		return name
	}
	return fmt.Sprintf("ResponseStatus(%d)", int(s))
}

// A ResponseError reports a response that has a status in place of an answer.
// It is unsigned, so it proves nothing.
type ResponseError struct{ Status ResponseStatus }

func (e *ResponseError) Error() string { return "responder says " + e.Status.String() }

// parseResponse reads
//
//	OCSPResponse ::= SEQUENCE {
//	    responseStatus  ENUMERATED,
//	    responseBytes   [0] EXPLICIT ResponseBytes OPTIONAL }
//	ResponseBytes ::= SEQUENCE {
//	    responseType  OBJECT IDENTIFIER,
//	    response      OCTET STRING }
func parseResponse(data []byte) (*response, error) {
	doc, err := der.Strict(data, responseLimits)
	if err != nil {
		return nil, revocation.Malformed("OCSPResponse: %w", err)
	}
	basic, err := responseBytes(doc.Root())
	if err != nil {
		if e, ok := errors.AsType[*ResponseError](err); ok {
			return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", e)
		}
		return nil, revocation.Malformed("OCSPResponse: %w", err)
	}
	if doc, err = der.Strict(basic, responseLimits); err != nil {
		return nil, revocation.Malformed("BasicOCSPResponse: %w", err)
	}
	r := &response{}
	if err := r.parse(doc.Root()); err != nil {
		return nil, revocation.Malformed("BasicOCSPResponse: %w", err)
	}
	return r, nil
}

func responseBytes(e der.Element) ([]byte, error) {
	if e.Tag != der.Sequence {
		return nil, e.Errorf("OCSPResponse has tag %v", e.Tag)
	}
	r := e.Reader()
	field, err := r.Expect(der.Enumerated, "responseStatus")
	if err != nil {
		return nil, err
	}
	code, err := field.Int()
	if err != nil {
		return nil, err
	}
	if status := ResponseStatus(code); status != 0 {
		if _, known := responseStatusNames[status]; !known {
			return nil, field.Errorf("responseStatus %d is not defined", code)
		}
		if err := r.End("OCSPResponse"); err != nil {
			return nil, err
		}
		return nil, &ResponseError{status}
	}
	inner, err := explicit(&r, 0, der.Sequence, "responseBytes")
	if err != nil {
		return nil, err
	}
	if err := r.End("OCSPResponse"); err != nil {
		return nil, err
	}
	r = inner.Reader()
	id, err := r.Expect(der.OID, "responseType")
	if err != nil {
		return nil, err
	}
	if string(id.Body) != idOCSPBasic {
		return nil, id.Errorf("responseType is not id-pkix-ocsp-basic")
	}
	value, err := r.Expect(der.OctetString, "response")
	if err != nil {
		return nil, err
	}
	return value.Body, r.End("ResponseBytes")
}
