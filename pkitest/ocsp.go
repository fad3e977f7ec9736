package pkitest

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// OCSPOptions says how an OCSP response differs from the one that the endpoint
// serves. The zero value is a truthful answer by the CA's delegated responder.
type OCSPOptions struct {
	// Request is the DER of the request to answer: its CertIDs, and its nonce.
	// If nil, the answer is to a SHA-1 CertID without nonce.
	Request []byte

	// ResponseStatus is the status of the whole. If it is not successful (0),
	// nothing else is in the response.
	ResponseStatus int

	// Responses are the single responses. If nil, one for each CertID asked.
	Responses []SingleResponse

	// Signer signs in place of the CA's delegated responder. SignByCA has the
	// CA sign with its own key, and embeds no certificate.
	Signer   *Signer
	SignByCA bool

	// Certificates are embedded. If nil, that of the delegated responder or
	// of Signer.
	Certificates []*x509.Certificate

	// SignatureAlgorithm is what the signer signs with. If zero, SHA-256 with
	// a key of its kind.
	SignatureAlgorithm x509.SignatureAlgorithm

	// ResponderByName names the signer by its subject, not by its key.
	// RawResponderID is the DER of a whole ResponderID.
	ResponderByName bool
	RawResponderID  []byte

	// ProducedAt is when the response was signed. If zero, now.
	ProducedAt time.Time

	// Nonce is the nonce in the response. If nil, that of the request; see
	// NoNonce. It may be empty.
	Nonce   []byte
	NoNonce bool

	// Extensions are added to the responseExtensions.
	Extensions []pkix.Extension

	// ResponseType is the type of the response. If nil, id-pkix-ocsp-basic.
	ResponseType asn1.ObjectIdentifier

	// BreakSignature flips a bit of the signature, and Trailing follows the
	// response.
	BreakSignature bool
	Trailing       []byte
}

// Values of OCSPOptions.ResponseStatus (RFC 6960, Section 4.2.1).
const (
	OCSPSuccessful       = 0
	OCSPMalformedRequest = 1
	OCSPInternalError    = 2
	OCSPTryLater         = 3
	OCSPSigRequired      = 5
	OCSPUnauthorized     = 6
)

// SingleResponse is what a response says about one certificate.
type SingleResponse struct {
	// Hash, NameHash, KeyHash and Serial change the CertID that was asked
	// for. With another Hash, the two others are computed anew.
	Hash              crypto.Hash
	NameHash, KeyHash []byte
	Serial            *big.Int

	// Status is certStatus. If zero, the truth: unknown if the CA has not
	// issued such a certificate, else good or revoked. RevokedAt and Reason
	// go with OCSPRevoked; a Reason of zero is absent.
	Status    OCSPStatus
	RevokedAt time.Time
	Reason    int

	// ThisUpdate is when the status was known. If zero, now.
	ThisUpdate time.Time

	// NextUpdate is when it will be known anew. If zero, 12 hours after
	// ThisUpdate.
	NextUpdate   time.Time
	NoNextUpdate bool

	// ArchiveCutoff is the extension. If zero, absent.
	ArchiveCutoff time.Time

	// Extensions are added to the singleExtensions.
	Extensions []pkix.Extension
}

// OCSPStatus is a certStatus.
type OCSPStatus int

const (
	OCSPTruth    OCSPStatus = iota // what the CA knows
	OCSPGood                       // good
	OCSPRevoked                    // revoked
	OCSPUnknown                    // unknown
	OCSPNoStatus                   // none of the three, which is malformed
)

var (
	oidOCSPBasic     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidArchiveCutoff = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
)

// OCSP returns an OCSP response about a certificate as DER. If the options
// hold a request, that names the certificate and cert may be nil.
func (ca *CA) OCSP(cert *x509.Certificate, o OCSPOptions) ([]byte, error) {
	var request *ocspRequest
	switch {
	case o.Request != nil:
		var err error
		if request, err = parseOCSPRequest(o.Request); err != nil {
			return ocspError(OCSPMalformedRequest, o.Trailing)
		}
	case cert != nil:
		request = &ocspRequest{ids: []certID{ca.certID(crypto.SHA1, cert.SerialNumber)}}
	default:
		return nil, errors.New("pkitest: an OCSP response without certificate and without request")
	}
	if o.ResponseStatus != OCSPSuccessful {
		return ocspError(o.ResponseStatus, o.Trailing)
	}
	// Nothing is said about the certificates of other CAs. A hostile answer
	// has its own mind.
	if o.Responses == nil {
		for _, id := range request.ids {
			if !id.namesIssuer(ca.certID(id.hash, id.serial)) {
				return ocspError(OCSPUnauthorized, o.Trailing)
			}
		}
		o.Responses = make([]SingleResponse, len(request.ids))
	}
	if o.Nonce == nil {
		o.Nonce = request.nonce
	}
	return ca.basicResponse(request.ids, o)
}

// ocspError returns a response that is nothing but a status.
func ocspError(status int, trailing []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(status)) })
	b.AddBytes(trailing)
	return b.Bytes()
}

// basicResponse signs a BasicOCSPResponse and puts it in its envelope.
func (ca *CA) basicResponse(ids []certID, o OCSPOptions) ([]byte, error) {
	signer, err := ca.ocspSigner(&o)
	if err != nil {
		return nil, err
	}
	a, err := algorithmFor(signer.Key, o.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	tbs, err := ca.responseData(ids, signer, &o)
	if err != nil {
		return nil, fmt.Errorf("pkitest: encoding the OCSP response: %w", err)
	}
	signature, err := a.sign(signer.Key, tbs)
	if err != nil {
		return nil, fmt.Errorf("pkitest: signing the OCSP response: %w", err)
	}
	if o.BreakSignature {
		breakSignature(signature)
	}
	basic, err := encodeSigned(tbs, a, signature, func(b *cryptobyte.Builder) { addOCSPCertificates(b, o.Certificates) })
	if err != nil {
		return nil, err
	}
	if o.ResponseType == nil {
		o.ResponseType = oidOCSPBasic
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(OCSPSuccessful)
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(o.ResponseType)
				b.AddASN1OctetString(basic)
			})
		})
	})
	b.AddBytes(o.Trailing)
	return b.Bytes()
}

// ocspSigner returns who signs, and settles which certificates are embedded.
func (ca *CA) ocspSigner(o *OCSPOptions) (Signer, error) {
	var signer Signer
	switch {
	case o.Signer != nil:
		signer = *o.Signer
	case o.SignByCA:
		return Signer{ca.Cert, ca.Key}, nil
	default:
		delegate, err := ca.delegate()
		if err != nil {
			return Signer{}, err
		}
		signer = Signer{delegate.Cert, delegate.Key}
	}
	if o.Certificates == nil {
		o.Certificates = []*x509.Certificate{signer.Cert}
	}
	return signer, nil
}

// delegate returns the CA's responder certificate, a new one if the clock has
// left the life of the last.
func (ca *CA) delegate() (*Issued, error) {
	ca.responderMu.Lock()
	defer ca.responderMu.Unlock()
	now := ca.pki.now()
	if r := ca.responder; r != nil && now.After(r.Cert.NotBefore) && now.Before(r.Cert.NotAfter.AddDate(0, 0, -1)) {
		return r, nil
	}
	if ca.responderKey == nil {
		key, err := ca.newResponderKey()
		if err != nil {
			return nil, err
		}
		ca.responderKey = key
	}
	issued, err := ca.IssueResponder(func(t *Template) { t.Key = ca.responderKey })
	if err != nil {
		return nil, err
	}
	ca.responder = issued
	return issued, nil
}

func addOCSPCertificates(b *cryptobyte.Builder, certs []*x509.Certificate) {
	if len(certs) == 0 {
		return
	}
	b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, c := range certs {
				b.AddBytes(c.Raw)
			}
		})
	})
}

// truth returns what the CA knows about a serial number.
func (ca *CA) truth(serial *big.Int, now time.Time) (OCSPStatus, revocation) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	r, revoked := ca.revoked[serialKey(serial)]
	switch {
	case revoked && !r.at.After(now):
		return OCSPRevoked, r
	case ca.issued[serialKey(serial)]:
		return OCSPGood, revocation{}
	default:
		return OCSPUnknown, revocation{}
	}
}

// noCheck is the extension by which a responder vouches for itself.
func noCheck() []pkix.Extension {
	return []pkix.Extension{{Id: OIDOCSPNoCheck, Value: []byte{0x05, 0x00}}}
}

// certID returns the name of a certificate of this CA's.
func (ca *CA) certID(hash crypto.Hash, serial *big.Int) certID {
	hash = cmp.Or(hash, crypto.SHA1)
	name, key := CertIDHashes(ca.Cert, hash)
	return certID{hash, name, key, serial}
}
