package ocspclient

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// NoncePolicy says how answers are bound to questions (RFC 9654).
type NoncePolicy uint8

// Never allows requests by GET, and answers that a responder has made in
// advance for everybody. An answer is then as fresh as its thisUpdate.
const (
	NonceRequired NoncePolicy = iota // sent; the answer must have the same
	NonceIfEchoed                    // sent; the answer may have none, but no other
	NonceNever                       // not sent
)

// nonceBytes is how long a nonce is (RFC 9654, Section 2.1).
const nonceBytes = 32

// check compares the nonce that was sent with the extnValue of the answer's.
func (p NoncePolicy) check(sent, got []byte) error {
	switch {
	case sent == nil:
		return nil
	case got == nil && p == NonceIfEchoed:
		return nil
	case got == nil:
		return revocation.Refuse(verify.ReasonStatusUnavailable, "nonce is missing in the response")
	case !bytes.Equal(got, marshalNonce(sent)):
		return revocation.Refuse(verify.ReasonStatusUnavailable, "nonce of the response is not the one sent")
	}
	return nil
}

func marshalNonce(nonce []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1OctetString(nonce)
	return b.BytesOrPanic()
}

// newNonce returns the nonce to send, or nil.
func (p NoncePolicy) newNonce() []byte {
	if p == NonceNever {
		return nil
	}
	nonce := make([]byte, nonceBytes)
	rand.Read(nonce)
	return nonce
}

// marshalRequest encodes a question about one certificate. Package ocsp writes it
// without extensions, so the nonce is added here.
//
//	OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest }
//	TBSRequest ::= SEQUENCE {
//	    requestList        SEQUENCE OF Request,
//	    requestExtensions  [2] EXPLICIT Extensions OPTIONAL }
//	Request ::= SEQUENCE { reqCert CertID }
//
// (RFC 6960, Section 4.1.1.) It is not signed and does not say who asks.
func marshalRequest(cert, issuer *x509.Certificate, hash crypto.Hash, nonce []byte) ([]byte, error) {
	der, err := ocsp.CreateRequest(cert, issuer, &ocsp.RequestOptions{Hash: hash})
	if err != nil {
		return nil, fmt.Errorf("encoding the request: %v", err)
	}
	if nonce == nil {
		return der, nil
	}
	input := cryptobyte.String(der)
	var request, tbs cryptobyte.String
	if !input.ReadASN1(&request, cbasn1.SEQUENCE) || !request.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return nil, errors.New("encoding the request: not an OCSPRequest")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddASN1(cbasn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { addNonce(b, nonce) })
		})
	})
	return b.Bytes()
}

func addNonce(b *cryptobyte.Builder, nonce []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(idNonce)) })
			b.AddASN1OctetString(marshalNonce(nonce))
		})
	})
}

// names reports whether the CertID is that of cert. Serial numbers are unique
// only under one key, and names are not unique at all, so all three must match.
// The name may be spelled as in cert or as in its issuer.
func (id *certID) names(cert, issuer *x509.Certificate) bool {
	if cert.SerialNumber.Cmp(id.serial) != 0 {
		return false
	}
	hash, err := algorithm.Digest(id.hash)
	if err != nil {
		return false // and so it names nothing we could recognise
	}
	return bytes.Equal(id.keyHash, digest(hash, publicKeyBits(issuer))) &&
		(bytes.Equal(id.nameHash, digest(hash, cert.RawIssuer)) || bytes.Equal(id.nameHash, digest(hash, issuer.RawSubject)))
}

func digest(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// publicKeyBits returns the contents of the BIT STRING subjectPublicKey, which
// is what the key hashes of OCSP are computed over.
//
//	SubjectPublicKeyInfo ::= SEQUENCE { algorithm, subjectPublicKey BIT STRING }
func publicKeyBits(cert *x509.Certificate) []byte {
	spki := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	var fields cryptobyte.String
	var bits asn1.BitString
	if !spki.ReadASN1(&fields, cbasn1.SEQUENCE) || !fields.SkipASN1(cbasn1.SEQUENCE) || !fields.ReadASN1BitString(&bits) {
		return nil // not reached with a certificate that package x509 has parsed
	}
	return bits.Bytes
}

// maxGET is how long an encoded request may be for a GET, URL included, so that
// intermediaries keep it (RFC 5019, Section 5).
const maxGET = 255

// getURL returns the URL that asks by GET (RFC 6960, Appendix A.1), or false if
// it would be too long.
func getURL(responder *url.URL, request []byte) (string, bool) {
	if responder.RawQuery != "" {
		return "", false // there is no place to put it
	}
	base := strings.TrimSuffix(responder.String(), "/")
	full := base + "/" + url.QueryEscape(base64.StdEncoding.EncodeToString(request))
	return full, len(full) <= maxGET
}
