package signin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A RemoteRequest says what is to be signed somewhere else than in the browser.
type RemoteRequest struct {
	// Purpose is what the signature is for. If zero, SignIn.
	Purpose Purpose

	// Session is the session of this request, and Digest the SHA-256 of the text
	// that was shown or of the document. Both are required for Consent and File,
	// and neither is for SignIn.
	Session *Session
	Digest  [sha256.Size]byte
}

// A RemoteAttempt is a challenge that is signed somewhere else than in the browser
// that asked for it: on a phone, whose operator hands the answer to the service.
// It is for packages that speak to such an operator, such as fido. Between two
// requests of the browser it lives in the ChallengeStore, so any server of the
// service can go on with it.
type RemoteAttempt struct {
	ID      string // for the page, which gives it back
	Line    string // what must be signed
	Purpose Purpose
	Expiry  time.Time // of the line

	// State is what the carrying package remembers, at most a few KB. It may hold
	// personal data.
	State []byte

	value  [ChallengeSize]byte
	key    string
	origin origin
	issued pending
}

// BeginRemote issues a challenge to the browser that sent r, with the checks,
// limit and cookie of [Authenticator.Begin]. Nothing is remembered before
// [Authenticator.KeepRemote]. Errors are of type [*Error].
func (a *Authenticator) BeginRemote(w http.ResponseWriter, r *http.Request, req RemoteRequest) (*RemoteAttempt, error) {
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	if err := a.admitClient(r); err != nil {
		return nil, err
	}
	issued := pending{Purpose: req.Purpose, Host: o.host, Expiry: a.now().Add(ChallengeLife).Unix()}
	switch req.Purpose {
	case "", SignIn:
		issued.Purpose = SignIn
	default:
		if req.Session == nil {
			return nil, refuse(ReasonInternal, "purpose %s without a session", req.Purpose)
		}
		issued.Digest, issued.Session = req.Digest[:], req.Session.ID
	}
	at := &RemoteAttempt{origin: o, issued: issued}
	a.random(at.value[:])
	attempt := a.attempt(r, o)
	at.key = a.storeKey(attempt, at.value)
	if err := at.fill(a.service); err != nil {
		return nil, &Error{Reason: ReasonInternal, Err: err}
	}
	w.Header().Set("Cache-Control", "no-store")
	http.SetCookie(w, o.cookie(a.attemptCookie(o), attempt, ChallengeLife))
	return at, nil
}

// fill sets the fields that follow from what was issued.
func (at *RemoteAttempt) fill(service string) (err error) {
	at.ID = base64.RawURLEncoding.EncodeToString(at.value[:])
	at.Purpose = at.issued.Purpose
	at.Expiry = unixTime(at.issued.Expiry)
	at.Line, err = at.issued.line(service, at.value).Encode()
	return err
}

// KeepRemote remembers an attempt, with its State, until its line expires. An
// attempt that was taken can be kept again. Errors are of type [*Error].
func (a *Authenticator) KeepRemote(ctx context.Context, at *RemoteAttempt) error {
	at.issued.Remote = at.State
	encoded, err := json.Marshal(at.issued)
	if err != nil {
		return &Error{Reason: ReasonInternal, Err: err}
	}
	return storeError(a.challenges.Put(ctx, at.key, encoded, at.Expiry))
}

// TakeRemote returns the attempt that id names, if the browser that sent r is the
// one that began it at this origin and its line has not expired, and forgets it: of
// any number of calls at once, one gets it. Errors are of type [*Error].
func (a *Authenticator) TakeRemote(r *http.Request, id string) (*RemoteAttempt, error) {
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	at := &RemoteAttempt{origin: o}
	if at.value, at.key, at.issued, err = a.take(r, o, id); err != nil {
		return nil, err
	}
	switch {
	case at.issued.Remote == nil:
		return nil, refuse(ReasonChallengeUnknown, "the challenge was issued to a card")
	case at.issued.Host != o.host:
		return nil, refuse(ReasonChallengeUnknown, "issued at %s, redeemed at %s", at.issued.Host, o.host)
	case a.now().Unix() >= at.issued.Expiry:
		return nil, refuse(ReasonChallengeExpired, "expired at %d", at.issued.Expiry)
	}
	at.State = at.issued.Remote
	if err := at.fill(a.service); err != nil {
		return nil, &Error{Reason: ReasonStore, Err: err}
	}
	return at, nil
}

// A RemoteAnswer is a signature over the line of an attempt.
type RemoteAnswer struct {
	// Carrier is what the key must live in, as its certificate says.
	Carrier verify.Carrier

	// Signature is a bare PKCS#1 signature with SHA-256; with SignedData it is a
	// SignedData in DER, with the line inside or detached.
	Signature  []byte
	SignedData bool

	// Certificate is the signer's, in DER. With SignedData it may be nil; if it is
	// not, it must be the one that has signed.
	Certificate []byte

	// LastFour are the last four characters of the ID number of whoever was asked.
	// If a certificate names its own, they must be the same. If empty, whoever has
	// signed is meant.
	LastFour string
}

// FinishRemote redeems an attempt to sign in that was taken. It checks the
// signature as [Authenticator.Finish] does, and that the certificate's carrier is
// the answer's; then it sets the session cookie. Errors are of type [*Error].
func (a *Authenticator) FinishRemote(w http.ResponseWriter, r *http.Request, at *RemoteAttempt, answer RemoteAnswer) (*Session, error) {
	if at.Purpose != SignIn {
		return nil, refuse(Reason(verify.ReasonPurpose), "the challenge was issued for %q", at.Purpose)
	}
	res, err := a.verifyRemote(r.Context(), at, answer)
	if err != nil {
		return nil, err
	}
	s, err := a.holder(res)
	if err != nil {
		return nil, err
	}
	return a.enter(w, r, at.origin, s, res)
}

// FinishRemoteStatement redeems an attempt for Consent or File that was taken, in
// the session of this request. It checks the signature as FinishRemote does, for File
// with the freshness of a filing, and that whoever signed is the holder who is signed
// in, or has the same account.
// Errors are of type [*Error].
func (a *Authenticator) FinishRemoteStatement(r *http.Request, s *Session, at *RemoteAttempt, answer RemoteAnswer) (*verify.Result, error) {
	switch {
	case at.Purpose == SignIn:
		return nil, refuse(Reason(verify.ReasonPurpose), "the challenge was issued for %q", at.Purpose)
	case s == nil || at.issued.Session != s.ID:
		return nil, refuse(ReasonChallengeUnknown, "issued in another session")
	}
	res, err := a.verifyRemote(r.Context(), at, answer)
	if err != nil {
		return nil, err
	}
	if err := a.sameHolder(r, s, res); err != nil {
		return nil, err
	}
	return res, nil
}

// InsecureFinishUnsigned begins a session for a person whom the operator of a
// phone names, without a signature: all it rests on is the operator's word. person
// is the operator's name for the person, the same at each sign-in. The session has
// AssuranceMobileAuth and a subject that no certificate has, calls Config.OnSignIn
// with a nil result, and ends with its first token, since there is no certificate
// to be judged anew. Errors are of type [*Error].
func (a *Authenticator) InsecureFinishUnsigned(w http.ResponseWriter, r *http.Request, at *RemoteAttempt, person string) (*Session, error) {
	switch {
	case at.Purpose != SignIn:
		return nil, refuse(Reason(verify.ReasonPurpose), "the challenge was issued for %q", at.Purpose)
	case person == "":
		return nil, refuse(ReasonIdentity, "the person has no name")
	}
	return a.enter(w, r, at.origin, &Session{
		Subject:     a.pairwise.sum("citizencert subject without certificate", a.environment.String(), person),
		Certificate: a.pairwise.sum("citizencert no certificate", a.environment.String(), person),
		Environment: a.environment,
		Assurance:   AssuranceMobileAuth,
	}, nil)
}

func (a *Authenticator) verifyRemote(ctx context.Context, at *RemoteAttempt, answer RemoteAnswer) (res *verify.Result, err error) {
	opts := &verify.Options{Use: verify.UseSignIn, Line: at.Line}
	if at.Purpose == File {
		opts.Use = verify.UseFiling
	}
	v := &Verdict{Line: at.Line, Type: PKCS1, Signature: answer.Signature, Certificate: answer.Certificate, Options: opts, Clock: a.verifier.Now()}
	if answer.SignedData {
		v.Type, v.Detached, v.Certificate = PKCS7, true, nil
		if answer.Certificate != nil {
			opts.Certificates = [][]byte{answer.Certificate}
		}
		res, err = a.verifier.Detached(ctx, answer.Signature, bytes.NewReader([]byte(at.Line)), opts)
	} else {
		res, err = a.verifier.Signature(ctx, answer.Certificate, x509.SHA256WithRSA, []byte(at.Line), answer.Signature, opts)
	}
	v.Result, v.Refusal = res, err
	if unkept := a.tell(ctx, v); err == nil {
		err = unkept
	}
	if err != nil {
		return nil, fromVerify(err)
	}
	if len(res.Signers) != 1 {
		return nil, refuse(ReasonSigners, "%d signers, want one", len(res.Signers))
	}
	signer := res.Signers[0]
	named := signer.Identity.LastFour
	switch {
	case answer.Carrier == "" || signer.Identity.Carrier != answer.Carrier:
		return nil, refuse(Reason(verify.ReasonProfile), "the carrier is %.50q, want %q", signer.Identity.Carrier, answer.Carrier)
	case answer.Certificate != nil && !bytes.Equal(answer.Certificate, signer.Path[0].Raw):
		return nil, refuse(Reason(verify.ReasonBadSignature), "the certificate beside the SignedData is not the one that has signed")
	case answer.LastFour != "" && named != "" && subtle.ConstantTimeCompare([]byte(named), []byte(answer.LastFour)) != 1:
		return nil, refuse(ReasonOtherHolder, "the certificate is of another person than was asked")
	}
	return res, nil
}
