package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Reason says to the operator which check refused. The list is these and the
// reasons of package verify; the texts are stable.
type Reason string

// The reasons beside those of package verify.
const (
	ReasonRequest          Reason = "request"           // not what the page should send
	ReasonHost             Reason = "host"              // sent to a host that is not configured
	ReasonCrossOrigin      Reason = "cross-origin"      // sent by a page of another origin
	ReasonComponent        Reason = "component"         // the component reports a failure
	ReasonChallengeUnknown Reason = "challenge-unknown" // never issued, another browser's, or redeemed
	ReasonChallengeExpired Reason = "challenge-expired"
	ReasonSigners          Reason = "signers"  // more than one signer
	ReasonIdentity         Reason = "identity" // the certificate does not say enough of its holder
	ReasonRefused          Reason = "refused"  // by Config.OnSignIn
	ReasonStoreFull        Reason = "store-full"
	ReasonStore            Reason = "store"    // a store failed
	ReasonAccounts         Reason = "accounts" // Config.Accounts failed
	ReasonInternal         Reason = "internal"

	ReasonNoSession        Reason = "no-session"      // no session cookie, or several
	ReasonTokenForm        Reason = "token-form"      // not a compact JWS of at most MaxToken bytes
	ReasonTokenHeader      Reason = "token-header"    // not the header of our key
	ReasonTokenSignature   Reason = "token-signature" // does not verify
	ReasonTokenClaims      Reason = "token-claims"    // not claims as they are issued
	ReasonTokenIssuer      Reason = "token-issuer"
	ReasonTokenAudience    Reason = "token-audience"
	ReasonTokenEnvironment Reason = "token-environment"
	ReasonTokenNotYetValid Reason = "token-not-yet-valid"
	ReasonTokenExpired     Reason = "token-expired"
	ReasonSessionEnded     Reason = "session-ended" // logged out, or ended by the service

	ReasonSessionAge       Reason = "session-age"       // signed in longer ago than a Requirement allows
	ReasonSessionAssurance Reason = "session-assurance" // not signed in with what a Requirement asks for
	ReasonRateLimited      Reason = "rate-limited"      // too many challenges for one client
	ReasonConsentText      Reason = "consent-text"      // not the text that was shown
	ReasonOtherHolder      Reason = "other-holder"      // consent by somebody else than who is signed in
	ReasonPhone            Reason = "phone"             // the phone, or its operator, gave no answer or a bad one
)

// An Error reports which check refused a request. Its text is for the operator;
// the citizen gets [Error.Problem].
type Error struct {
	Reason Reason

	// ReturnCode and LastError are the component's, if Reason is ReasonComponent.
	ReturnCode ReturnCode
	LastError  ReturnCode

	// Phone is what the citizen is told, if Reason is ReasonPhone.
	Phone *Problem

	// RetryAfter is how long to wait, if Reason is ReasonRateLimited.
	RetryAfter time.Duration

	Err error // underlying cause
}

func (e *Error) Error() string { return fmt.Sprintf("signin: %s: %v", e.Reason, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// A Problem is what the citizen's browser gets: a code for the page and a
// sentence in both languages. Reasons that an attacker could tell apart, and a
// citizen would not act on, share one code.
type Problem struct {
	Status    int    `json:"-"` // of HTTP
	Code      Code   `json:"code"`
	Message   Text   `json:"message"`
	Retryable bool   `json:"retryable"`        // the same request may succeed later
	Detail    string `json:"detail,omitempty"` // the component's code, for the help desk

	RetryAfter time.Duration `json:"-"` // if Retryable
}

// A Text is one sentence in the two languages of the pages.
type Text struct {
	ZhTW string `json:"zh-TW"`
	En   string `json:"en"`
}

// Problem returns what may be told to the browser.
func (e *Error) Problem() Problem {
	code, ok := codes[e.Reason]
	if !ok {
		code = CodeInternal
	}
	if e.Reason == ReasonPhone && e.Phone != nil {
		return *e.Phone
	}
	var p Problem
	if e.Reason == ReasonComponent {
		code = componentCode(e.ReturnCode, e.LastError)
		p.Detail = e.ReturnCode.String()
	}
	p.Code, p.Message = code, sentences[code]
	switch code {
	case CodeRequest:
		p.Status = http.StatusBadRequest
	case CodeSession, CodeSignInAgain, CodeAssurance:
		p.Status = http.StatusUnauthorized
	case CodeTooMany:
		p.Status, p.Retryable, p.RetryAfter = http.StatusTooManyRequests, true, e.RetryAfter
	case CodeHost:
		p.Status = http.StatusMisdirectedRequest
	case CodeBusy, CodeUnavailable:
		p.Status, p.Retryable, p.RetryAfter = http.StatusServiceUnavailable, true, 10*time.Second
	case CodeInternal:
		p.Status = http.StatusInternalServerError
	default:
		p.Status = http.StatusForbidden
	}
	return p
}

// codes says what the browser is told for each reason.
var codes = map[Reason]Code{
	ReasonRequest:          CodeRequest,
	ReasonHost:             CodeHost,
	ReasonCrossOrigin:      CodeCrossOrigin,
	ReasonComponent:        CodeCardFailed,
	ReasonChallengeUnknown: CodeChallenge,
	ReasonChallengeExpired: CodeChallenge,
	ReasonSigners:          CodeSignature,
	ReasonIdentity:         CodeCertificate,
	ReasonRefused:          CodeRefused,
	ReasonStoreFull:        CodeBusy,
	ReasonStore:            CodeUnavailable,
	ReasonAccounts:         CodeUnavailable,
	ReasonInternal:         CodeInternal,

	ReasonNoSession:        CodeSession,
	ReasonTokenForm:        CodeSession,
	ReasonTokenHeader:      CodeSession,
	ReasonTokenSignature:   CodeSession,
	ReasonTokenClaims:      CodeSession,
	ReasonTokenIssuer:      CodeSession,
	ReasonTokenAudience:    CodeSession,
	ReasonTokenEnvironment: CodeSession,
	ReasonTokenNotYetValid: CodeSession,
	ReasonTokenExpired:     CodeSession,
	ReasonSessionEnded:     CodeSession,

	ReasonSessionAge:       CodeSignInAgain,
	ReasonSessionAssurance: CodeAssurance,
	ReasonRateLimited:      CodeTooMany,
	ReasonConsentText:      CodeTextChanged,
	ReasonOtherHolder:      CodeOtherHolder,
	ReasonPhone:            CodeUnavailable,

	Reason(verify.ReasonLimit):             CodeSignature,
	Reason(verify.ReasonMalformed):         CodeSignature,
	Reason(verify.ReasonNotDER):            CodeSignature,
	Reason(verify.ReasonNoSigner):          CodeSignature,
	Reason(verify.ReasonContentType):       CodeSignature,
	Reason(verify.ReasonContentMissing):    CodeSignature,
	Reason(verify.ReasonSignedAttributes):  CodeSignature,
	Reason(verify.ReasonDigestMismatch):    CodeSignature,
	Reason(verify.ReasonBadSignature):      CodeSignature,
	Reason(verify.ReasonPurpose):           CodeSignature,
	Reason(verify.ReasonAlgorithm):         CodeCertificate,
	Reason(verify.ReasonUntrusted):         CodeCertificate,
	Reason(verify.ReasonConstraints):       CodeCertificate,
	Reason(verify.ReasonProfile):           CodeCertificate,
	Reason(verify.ReasonPolicy):            CodeCertificate,
	Reason(verify.ReasonEnvironment):       CodeCertificate,
	Reason(verify.ReasonStatusUnknown):     CodeCertificate,
	Reason(verify.ReasonExpired):           CodeExpired,
	Reason(verify.ReasonNotYetValid):       CodeNotYetValid,
	Reason(verify.ReasonRevoked):           CodeRevoked,
	Reason(verify.ReasonSuspended):         CodeSuspended,
	Reason(verify.ReasonStatusUnavailable): CodeUnavailable,
	Reason(verify.ReasonStatusStale):       CodeUnavailable,
	Reason(verify.ReasonCanceled):          CodeUnavailable,
}

// write answers with the problem as JSON.
func (p Problem) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.Retryable {
		seconds := (p.RetryAfter + time.Second - 1) / time.Second // whole ones, rounded up
		h.Set("Retry-After", strconv.FormatInt(int64(max(seconds, 1)), 10))
	}
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // an error means that the browser is gone
}

// asError returns err as an *Error.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Reason: ReasonInternal, Err: err}
}
