package ocspclient

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

var oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

// findSigner returns the certificate whose key signed the response and who may
// do so (RFC 6960, Section 4.2.2.2): the issuer, or one that the issuer
// certified for it and that is in the response. The issuer is tried first, since
// a CA may embed its own certificate, which is then no delegate of its own.
//
// A locally configured responder, the third possibility of the RFC, is left out:
// it would let one key speak for every CA.
//
// Of a delegate that is known, only the signature over its certificate is not
// verified again.
func (resp *response) findSigner(issuer *x509.Certificate, at time.Time, policy algorithm.Policy, known *Responders) (*x509.Certificate, error) {
	var causes []error
	if resp.responder.is(issuer) {
		err := resp.Verify(issuer.PublicKey, policy)
		if err == nil {
			return issuer, checkLifetime(issuer, resp.producedAt, at)
		}
		causes = append(causes, err)
	}
	for _, data := range resp.certs {
		delegate := known.find(data, issuer, policy)
		verified := delegate != nil
		var err error
		if !verified {
			delegate, err = certpath.ParseCertificate(bytes.Clone(data)) // which may outlive the response
		}
		if err != nil || !resp.responder.is(delegate) {
			continue // not who is said to have signed
		}
		if !verified {
			if err = checkDelegate(delegate, issuer, policy); err == nil {
				known.add(delegate, issuer)
			}
		}
		if err == nil {
			err = resp.Verify(delegate.PublicKey, policy)
		}
		if err == nil {
			return delegate, checkLifetime(delegate, resp.producedAt, at)
		}
		causes = append(causes, err)
	}
	if len(causes) == 0 {
		return nil, revocation.Refuse(verify.ReasonUntrusted, "responder ID names neither the issuer nor a certificate in the response")
	}
	return nil, worstCause(causes)
}

// worstCause returns the causes as one error with the reason of the last one,
// which is about the certificate that looked most like the responder's.
func worstCause(causes []error) error {
	if len(causes) == 1 {
		return causes[0]
	}
	reason := verify.ReasonUntrusted
	if e, ok := errors.AsType[*verify.Error](causes[len(causes)-1]); ok {
		reason = e.Reason
	}
	return revocation.Refuse(reason, "%w", errors.Join(causes...))
}

// is reports whether the responder ID names the certificate.
func (id *responderID) is(cert *x509.Certificate) bool {
	if id.name != nil {
		return certpath.SameName(id.name, cert.RawSubject)
	}
	sum := sha1.Sum(publicKeyBits(cert))
	return bytes.Equal(id.keyHash, sum[:])
}

// checkDelegate checks that the issuer has certified the delegate to sign OCSP
// responses. That is what keeps any holder of a certificate of the CA from
// vouching for any other.
func checkDelegate(delegate, issuer *x509.Certificate, policy algorithm.Policy) error {
	switch {
	case !slices.Contains(delegate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return untrusted("responder certificate has not the purpose id-kp-OCSPSigning")
	case !revocation.MayUse(delegate, x509.KeyUsageDigitalSignature):
		return untrusted("responder certificate has a keyUsage without digitalSignature")
	case delegate.IsCA:
		return untrusted("responder certificate is that of a CA")
	case len(delegate.UnhandledCriticalExtensions) > 0:
		return untrusted("responder certificate has the unknown critical extension " + delegate.UnhandledCriticalExtensions[0].String())
	case !certpath.SameName(delegate.RawIssuer, issuer.RawSubject) || !certpath.MatchesKeyIdentifier(delegate, issuer):
		return untrusted("responder certificate was not issued by the issuer of the certificate")
	}
	if err := certpath.CheckSignature(delegate, issuer, policy); err != nil {
		return revocation.Refuse(verify.ReasonUntrusted, "responder certificate was not issued by the issuer of the certificate: %w", err)
	}
	return nil
}

func untrusted(msg string) error { return revocation.Refuse(verify.ReasonUntrusted, "%s", msg) }

// checkLifetime checks that the signer's certificate was valid when it signed,
// and at the instant of judgement unless that lies before the signature: what is
// produced later speaks for itself, and an expired key for nobody.
func checkLifetime(signer *x509.Certificate, producedAt, at time.Time) error {
	if producedAt.After(at) {
		at = producedAt
	}
	switch {
	case producedAt.Before(signer.NotBefore):
		return revocation.Refuse(verify.ReasonNotYetValid, "producedAt %s is before the responder's certificate began at %s",
			producedAt.Format(time.RFC3339), signer.NotBefore.Format(time.RFC3339))
	case at.After(signer.NotAfter):
		return revocation.Refuse(verify.ReasonExpired, "responder's certificate ended at %s", signer.NotAfter.Format(time.RFC3339))
	}
	return nil
}
