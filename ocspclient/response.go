package ocspclient

import (
	"math/big"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// Bounds on a response. Real ones take one to three kilobytes, one or two
// certificates and one single response.
const (
	MaxResponseBytes = 64 << 10
	maxCertificates  = 16
	maxSingles       = 64
)

var responseLimits = der.Limits{Bytes: MaxResponseBytes}

// Contents of object identifiers under id-pkix-ocsp, 1.3.6.1.5.5.7.48.1.
const (
	idOCSPBasic      = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"
	idNonce          = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"
	idArchiveCutoff  = "\x2b\x06\x01\x05\x05\x07\x30\x01\x06"
	idInvalidityDate = "\x55\x1d\x18" // 2.5.29.24
)

// A response is a BasicOCSPResponse as it was received.
type response struct {
	revocation.Signed
	responder  responderID
	producedAt time.Time
	singles    []single
	nonce      []byte // extnValue, or nil if absent
	certs      [][]byte

	// critical names a critical extension of the response that is not processed.
	critical string
}

// A responderID names the responder by one of the two.
type responderID struct {
	name    []byte // DER of the Name
	keyHash []byte // SHA-1 of the public key
}

// A single is what the response says about one certificate.
type single struct {
	id                     certID
	status                 verify.Status
	revokedAt              time.Time
	reasonCode             int
	thisUpdate, nextUpdate time.Time
	archiveCutoff          time.Time
	invalidityDate         time.Time
	hasNonce               bool   // which belongs elsewhere
	critical               string // a critical extension that is not processed
}

// A certID names a certificate (RFC 6960, Section 4.1.1).
type certID struct {
	hash              algorithm.Identifier
	nameHash, keyHash []byte
	serial            *big.Int
}

// explicit reads the mandatory element inside [n].
func explicit(r *der.Reader, n int, tag der.Tag, name string) (der.Element, error) {
	e, err := r.Expect(der.ContextConstructed(n), name)
	if err != nil {
		return e, err
	}
	return only(e, tag, name)
}

// only returns the one element inside e.
func only(e der.Element, tag der.Tag, name string) (der.Element, error) {
	r := e.Reader()
	inner, err := r.Expect(tag, name)
	if err != nil {
		return inner, err
	}
	return inner, r.End(name)
}

// extensionsIn reads the Extensions that are all a field holds.
func extensionsIn(field der.Element, name string) (der.Element, []revocation.Extension, error) {
	e, err := only(field, der.Sequence, name)
	if err != nil {
		return e, nil, err
	}
	list, err := revocation.AppendExtensions(nil, e)
	return e, list, err
}

//	BasicOCSPResponse ::= SEQUENCE {
//	    tbsResponseData     ResponseData,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signature           BIT STRING,
//	    certs               [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
func (resp *response) parse(e der.Element) error {
	if e.Tag != der.Sequence {
		return e.Errorf("has tag %v", e.Tag)
	}
	r := e.Reader()
	data, err := r.Expect(der.Sequence, "tbsResponseData")
	if err != nil {
		return err
	}
	resp.TBS = data.Raw
	if err := resp.parseData(data); err != nil {
		return err
	}
	if err := resp.ParseSignature(&r); err != nil {
		return err
	}
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		list, err := only(field, der.Sequence, "certs")
		if err != nil {
			return err
		}
		certs := list.Reader()
		for cert := range certs.All() {
			if len(resp.certs) == maxCertificates {
				return &der.LimitError{What: "certificates", Limit: maxCertificates}
			}
			resp.certs = append(resp.certs, cert.Raw)
		}
	}
	return r.End("BasicOCSPResponse")
}

//	ResponseData ::= SEQUENCE {
//	    version             [0] EXPLICIT INTEGER DEFAULT v1(0),
//	    responderID         ResponderID,
//	    producedAt          GeneralizedTime,
//	    responses           SEQUENCE OF SingleResponse,
//	    responseExtensions  [1] EXPLICIT Extensions OPTIONAL }
//
// An encoded version 1, which DER leaves out, is accepted: responders emit it.
func (resp *response) parseData(e der.Element) error {
	r := e.Reader()
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		version, err := only(field, der.Integer, "version")
		if err != nil {
			return err
		}
		if n, err := version.Int(); err != nil || n != 0 {
			return version.Errorf("version is not 1")
		}
	}
	if err := resp.parseResponderID(&r); err != nil {
		return err
	}
	var err error
	if resp.producedAt, err = generalizedTime(&r, "producedAt"); err != nil {
		return err
	}
	list, err := r.Expect(der.Sequence, "responses")
	if err != nil {
		return err
	}
	if err := resp.parseSingles(list); err != nil {
		return err
	}
	if field, ok := r.Optional(der.ContextConstructed(1)); ok {
		if err := resp.parseExtensions(field); err != nil {
			return err
		}
	}
	return r.End("ResponseData")
}

//	ResponderID ::= CHOICE {
//	    byName  [1] EXPLICIT Name,
//	    byKey   [2] EXPLICIT OCTET STRING }  -- SHA-1 of the public key
func (resp *response) parseResponderID(r *der.Reader) error {
	e, ok := r.Next()
	if !ok {
		return &der.SyntaxError{Msg: "responderID is missing"}
	}
	switch e.Tag {
	case der.ContextConstructed(1):
		name, err := only(e, der.Sequence, "byName")
		resp.responder.name = name.Raw
		return err
	case der.ContextConstructed(2):
		hash, err := only(e, der.OctetString, "byKey")
		resp.responder.keyHash = hash.Body
		return err
	}
	return e.Errorf("responderID has tag %v", e.Tag)
}

func (resp *response) parseExtensions(field der.Element) error {
	e, list, err := extensionsIn(field, "responseExtensions")
	if err != nil {
		return err
	}
	for _, x := range list {
		switch {
		case string(x.ID) == idNonce:
			resp.nonce = x.Value
			if err := checkNonce(&x, e); err != nil {
				return err
			}
		case x.Critical:
			resp.critical = x.Name()
		}
	}
	return nil
}

// checkNonce reads Nonce ::= OCTET STRING (SIZE (1..128)), RFC 9654, Section 2.1.
func checkNonce(x *revocation.Extension, at der.Element) error {
	nonce, err := x.Parse()
	if err != nil || nonce.Tag != der.OctetString || len(nonce.Body) < 1 || len(nonce.Body) > 128 {
		return at.Errorf("nonce is not an OCTET STRING of 1 to 128 octets")
	}
	return nil
}

// generalizedTime reads a time, which in OCSP is never a UTCTime.
func generalizedTime(r *der.Reader, name string) (time.Time, error) {
	e, err := r.Expect(der.GeneralizedTime, name)
	if err != nil {
		return time.Time{}, err
	}
	return e.Time()
}
