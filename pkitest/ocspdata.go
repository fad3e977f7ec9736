package pkitest

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// certID names a certificate by its issuer's name, its issuer's key and its
// number (RFC 6960, Section 4.1.1).
type certID struct {
	hash              crypto.Hash
	nameHash, keyHash []byte
	serial            *big.Int
}

// CertIDHashes returns the two hashes by which a CertID names an issuer.
func CertIDHashes(issuer *x509.Certificate, hash crypto.Hash) (name, key []byte) {
	return digest(hash, issuer.RawSubject), digest(hash, subjectPublicKey(issuer.RawSubjectPublicKeyInfo))
}

// namesIssuer reports whether two CertIDs have the same issuer.
func (id certID) namesIssuer(other certID) bool {
	return bytes.Equal(id.nameHash, other.nameHash) && bytes.Equal(id.keyHash, other.keyHash)
}

// ocspRequest is what matters of an OCSPRequest.
type ocspRequest struct {
	ids   []certID
	nonce []byte // nil if there is none
}

// parseOCSPRequest reads
//
//	OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] OPTIONAL }
//	TBSRequest  ::= SEQUENCE { version [0] DEFAULT v1, requestorName [1] OPTIONAL,
//	                           requestList SEQUENCE OF Request, requestExtensions [2] OPTIONAL }
//	Request     ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] OPTIONAL }
//
// A signature is ignored.
func parseOCSPRequest(der []byte) (*ocspRequest, error) {
	malformed := errors.New("pkitest: malformed OCSP request")
	var outer, tbs, list, extensions cryptobyte.String
	var hasExtensions bool
	in := cryptobyte.String(der)
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() ||
		!outer.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!tbs.SkipOptionalASN1(cbasn1.Tag(1).ContextSpecific().Constructed()) ||
		!tbs.ReadASN1(&list, cbasn1.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&extensions, &hasExtensions, cbasn1.Tag(2).ContextSpecific().Constructed()) {
		return nil, malformed
	}
	r := &ocspRequest{}
	for !list.Empty() {
		var request cryptobyte.String
		var id certID
		if !list.ReadASN1(&request, cbasn1.SEQUENCE) || !readCertID(&request, &id) {
			return nil, malformed
		}
		r.ids = append(r.ids, id)
	}
	if len(r.ids) == 0 || hasExtensions && !r.readNonce(extensions) {
		return nil, malformed
	}
	return r, nil
}

func readCertID(in *cryptobyte.String, id *certID) bool {
	var body, algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	id.serial = new(big.Int)
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) ||
		!body.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!body.ReadASN1Bytes(&id.nameHash, cbasn1.OCTET_STRING) ||
		!body.ReadASN1Bytes(&id.keyHash, cbasn1.OCTET_STRING) ||
		!body.ReadASN1Integer(id.serial) {
		return false
	}
	for hash, name := range hashOIDs {
		if name.Equal(oid) {
			id.hash = hash
			return true
		}
	}
	return false
}

// readNonce finds the nonce among the request's extensions. RFC 9654 has an
// OCTET STRING inside the extension's own.
func (r *ocspRequest) readNonce(explicit cryptobyte.String) bool {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() {
		var e, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !list.ReadASN1(&e, cbasn1.SEQUENCE) ||
			!e.ReadASN1ObjectIdentifier(&oid) ||
			!e.SkipOptionalASN1(cbasn1.BOOLEAN) ||
			!e.ReadASN1(&value, cbasn1.OCTET_STRING) {
			return false
		}
		if oid.Equal(oidOCSPNonce) && !value.ReadASN1Bytes(&r.nonce, cbasn1.OCTET_STRING) {
			return false
		}
	}
	return true
}

func (id certID) marshal(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addAlgorithmIdentifier(b, hashOIDs[id.hash], true)
		b.AddASN1OctetString(id.nameHash)
		b.AddASN1OctetString(id.keyHash)
		b.AddASN1BigInt(id.serial)
	})
}

// responseData encodes what is signed:
//
//	ResponseData ::= SEQUENCE { responderID ResponderID, producedAt GeneralizedTime,
//	                            responses SEQUENCE OF SingleResponse,
//	                            responseExtensions [1] EXPLICIT Extensions OPTIONAL }
//
// The i-th single response is about the i-th certificate asked for; when there
// are more of them, the rest are about the last.
func (ca *CA) responseData(ids []certID, signer Signer, o *OCSPOptions) ([]byte, error) {
	now := ca.pki.now()
	extensions := given(o.Extensions)
	if o.Nonce != nil && !o.NoNonce {
		nonce := extension{oidOCSPNonce, false, func(b *cryptobyte.Builder) { b.AddASN1OctetString(o.Nonce) }}
		extensions = append([]extension{nonce}, extensions...)
	}
	if o.ProducedAt.IsZero() {
		o.ProducedAt = now
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		o.addResponderID(b, signer.Cert)
		addGeneralizedTime(b, o.ProducedAt)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for i, r := range o.Responses {
				ca.settle(&r, now, ids[min(i, len(ids)-1)]).marshal(b)
			}
		})
		addExtensions(b, 1, extensions)
	})
	return b.Bytes()
}

func (o *OCSPOptions) addResponderID(b *cryptobyte.Builder, signer *x509.Certificate) {
	if o.RawResponderID != nil {
		b.AddBytes(o.RawResponderID)
		return
	}
	if o.ResponderByName {
		b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(signer.RawSubject) })
		return
	}
	b.AddASN1(cbasn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(keyID(signer.RawSubjectPublicKeyInfo))
	})
}

// settled is a SingleResponse with all questions answered.
type settled struct {
	SingleResponse
	id certID
}

// settle fills in what a single response leaves open.
func (ca *CA) settle(r *SingleResponse, now time.Time, id certID) settled {
	s := settled{*r, id}
	if s.Hash != 0 && s.Hash != id.hash {
		s.id = ca.certID(s.Hash, id.serial)
	}
	if s.NameHash != nil {
		s.id.nameHash = s.NameHash
	}
	if s.KeyHash != nil {
		s.id.keyHash = s.KeyHash
	}
	s.id.serial = cmp.Or(s.Serial, s.id.serial)
	if s.Status == OCSPTruth {
		var known revocation
		s.Status, known = ca.truth(s.id.serial, now)
		s.RevokedAt, s.Reason = known.at, known.reason
	}
	if s.RevokedAt.IsZero() {
		s.RevokedAt = now
	}
	if s.ThisUpdate.IsZero() {
		s.ThisUpdate = now
	}
	if s.NextUpdate.IsZero() {
		s.NextUpdate = s.ThisUpdate.Add(12 * time.Hour)
	}
	return s
}

func (s settled) marshal(b *cryptobyte.Builder) {
	extensions := given(s.Extensions)
	if !s.ArchiveCutoff.IsZero() {
		cutoff := extension{oidArchiveCutoff, false, func(b *cryptobyte.Builder) { addGeneralizedTime(b, s.ArchiveCutoff) }}
		extensions = append([]extension{cutoff}, extensions...)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		s.id.marshal(b)
		s.addStatus(b)
		addGeneralizedTime(b, s.ThisUpdate)
		if !s.NoNextUpdate {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				addGeneralizedTime(b, s.NextUpdate)
			})
		}
		addExtensions(b, 1, extensions)
	})
}

// addStatus adds
//
//	CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo, unknown [2] IMPLICIT NULL }
func (s settled) addStatus(b *cryptobyte.Builder) {
	switch s.Status {
	case OCSPGood:
		b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
	case OCSPUnknown:
		b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
	case OCSPRevoked:
		b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			addGeneralizedTime(b, s.RevokedAt)
			if s.Reason != 0 {
				b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					b.AddASN1Enum(int64(s.Reason))
				})
			}
		})
	}
}

func addGeneralizedTime(b *cryptobyte.Builder, t time.Time) {
	b.AddASN1GeneralizedTime(t.UTC())
}
