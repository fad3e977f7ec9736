package ocspclient

import (
	"math/big"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// Unverified is what a response holds, for display. Anybody can have made it:
// only [Judge] says what is true of a certificate.
type Unverified struct {
	ProducedAt   time.Time
	Responder    []byte // DER of the Name, or the SHA-1 of the public key
	Singles      []UnverifiedSingle
	Certificates [][]byte // DER
}

// UnverifiedSingle is what a response holds about one certificate.
type UnverifiedSingle struct {
	SerialNumber           *big.Int
	Says                   verify.Status
	RevokedAt              time.Time // zero if not revoked
	ReasonCode             int
	ThisUpdate, NextUpdate time.Time // NextUpdate is zero if absent
}

// ParseUnverified decodes an OCSPResponse in DER and checks nothing but its
// syntax. Errors are those of [Judge] for responses that it cannot decode.
func ParseUnverified(der []byte) (*Unverified, error) {
	resp, err := parseResponse(der)
	if err != nil {
		return nil, err
	}
	u := &Unverified{ProducedAt: resp.producedAt, Responder: resp.responder.name, Certificates: resp.certs}
	if u.Responder == nil {
		u.Responder = resp.responder.keyHash
	}
	for _, s := range resp.singles {
		u.Singles = append(u.Singles, UnverifiedSingle{
			SerialNumber: s.id.serial,
			Says:         s.status,
			RevokedAt:    s.revokedAt,
			ReasonCode:   s.reasonCode,
			ThisUpdate:   s.thisUpdate,
			NextUpdate:   s.nextUpdate,
		})
	}
	return u, nil
}
