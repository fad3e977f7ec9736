package verify

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
)

// A Reason says which check refused. The list is closed; the texts are stable
// and are what JSON carries.
type Reason string

// The reasons, in the order of the checks.
const (
	ReasonLimit             Reason = "limit"             // larger, deeper or more numerous than accepted
	ReasonMalformed         Reason = "malformed"         // not what its standard says it is
	ReasonNotDER            Reason = "not-der"           // signed bytes are not in DER
	ReasonNoSigner          Reason = "no-signer"         // no SignerInfo, or its certificate is not at hand
	ReasonContentType       Reason = "content-type"      // eContentType not accepted, or not the signed one
	ReasonContentMissing    Reason = "content-missing"   // detached, and no content given
	ReasonSignedAttributes  Reason = "signed-attributes" // absent, repeated or contradictory
	ReasonDigestMismatch    Reason = "digest-mismatch"   // the content is not what was signed
	ReasonAlgorithm         Reason = "algorithm"         // digest, signature or key not acceptable
	ReasonBadSignature      Reason = "bad-signature"     // the signature does not verify
	ReasonUntrusted         Reason = "untrusted"         // no certification path to a trust anchor
	ReasonExpired           Reason = "expired"           // a certificate of the path, at the instant of judgement
	ReasonNotYetValid       Reason = "not-yet-valid"     // likewise
	ReasonConstraints       Reason = "constraints"       // the path breaks RFC 5280, Section 6.1: not a CA, pathLen, names, critical extension
	ReasonProfile           Reason = "profile"           // the certificate is not one for this use
	ReasonPolicy            Reason = "policy"            // certificate policy
	ReasonEnvironment       Reason = "environment"       // test and production mixed
	ReasonPurpose           Reason = "purpose"           // signed for something else
	ReasonRevoked           Reason = "revoked"
	ReasonSuspended         Reason = "suspended"
	ReasonStatusUnknown     Reason = "status-unknown"     // an authority said it does not know the certificate
	ReasonStatusUnavailable Reason = "status-unavailable" // could not be learned
	ReasonStatusStale       Reason = "status-stale"       // all that could be learned is too old, or not yet in force
	ReasonCanceled          Reason = "canceled"           // the caller's context ended, or its reader failed
)

// Reasons returns the whole list, for whoever has to have an answer to each.
func Reasons() []Reason {
	return []Reason{
		ReasonLimit, ReasonMalformed, ReasonNotDER, ReasonNoSigner, ReasonContentType, ReasonContentMissing,
		ReasonSignedAttributes, ReasonDigestMismatch, ReasonAlgorithm, ReasonBadSignature, ReasonUntrusted, ReasonExpired,
		ReasonNotYetValid, ReasonConstraints, ReasonProfile, ReasonPolicy, ReasonEnvironment, ReasonPurpose,
		ReasonRevoked, ReasonSuspended, ReasonStatusUnknown, ReasonStatusUnavailable, ReasonStatusStale, ReasonCanceled,
	}
}

// An Error reports which check refused a signature or a certificate.
type Error struct {
	Reason Reason
	Signer int               // index of the SignerInfo at fault, or -1
	Cert   *x509.Certificate // certificate at fault, or nil
	Err    error             // underlying cause

	// Check is the check that refused: set in every error of a Verifier's.
	Check Check

	// Reports are the authentic statements of status that were looked at before it
	// was refused, those that did not count too. They are what a record of the
	// refusal rests on.
	Reports []StatusReport

	path    []*x509.Certificate // as far as it had been established
	setting setting             // what was asked, for Explain

	// Signers has, if a message has several SignerInfos, what was wrong with each
	// that was refused, in the order of the message. The Error itself is the one
	// of them that decided.
	Signers []*Error
}

func (e *Error) Error() string {
	where := ""
	if e.Signer > 0 {
		where = fmt.Sprintf("signer %d: ", e.Signer)
	}
	if e.Err == nil {
		return "verify: " + where + string(e.Reason)
	}
	return fmt.Sprintf("verify: %s%s: %v", where, e.Reason, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Path returns the certification path of the certificate at fault, end entity first,
// as far as it had been established.
func (e *Error) Path() []*x509.Certificate { return e.path }

// Retryable reports whether the same question may get another answer later:
// what was refused because a status could not be learned, not because it is bad.
func (e *Error) Retryable() bool {
	switch e.Reason {
	case ReasonStatusUnavailable, ReasonStatusStale, ReasonCanceled:
		return true
	}
	return false
}

// MarshalJSON returns {"reason", "message", "retryable", "indication",
// "subIndication"}.
func (e *Error) MarshalJSON() ([]byte, error) {
	indication, subIndication := e.Indication()
	return json.Marshal(struct {
		Reason        Reason        `json:"reason"`
		Message       string        `json:"message"`
		Retryable     bool          `json:"retryable"`
		Indication    Indication    `json:"indication"`
		SubIndication SubIndication `json:"subIndication"`
	}{e.Reason, e.Error(), e.Retryable(), indication, subIndication})
}

// refuse returns an *Error that is not about one signer or certificate.
func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Signer: -1, Err: fmt.Errorf(format, args...)}
}
