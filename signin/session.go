package signin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Session is a citizen who is signed in.
type Session struct {
	// Subject names the holder of the certificate to this service and to no
	// other. It is not a person nor an account: one person may hold several, and
	// whether the number it is made from survives a new card is not documented.
	Subject string

	// ID is the session's own, new at each sign-in.
	ID string

	// Certificate names the certificate to this service and to no other.
	Certificate string

	// Account is what Config.Accounts says of Subject, or "".
	Account string

	AuthTime    time.Time // when the signature was verified, and the session began
	IssuedAt    time.Time // when the token was issued: at AuthTime, and at each renewal
	Expiry      time.Time // of the token, unless it is renewed
	Environment verify.Environment
	Assurance   Assurance
}

// LogValue leaves out what belongs to a person.
func (s *Session) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", s.ID),
		slog.String("environment", s.Environment.String()),
		slog.String("assurance", string(s.Assurance)),
	)
}

// An Assurance is an authentication context class (acr): what was signed with.
type Assurance string

// The classes.
const (
	AssuranceCard   Assurance = "urn:citizencert:card"
	AssuranceMobile Assurance = "urn:citizencert:mobile"

	// AssuranceMobileAuth is a phone of which the operator says that its holder has
	// approved, without a signature. Sessions have it by
	// [Authenticator.InsecureFinishUnsigned] alone.
	AssuranceMobileAuth Assurance = "urn:citizencert:mobile-auth"
)

// methods are the authentication methods (RFC 8176) that go with a class: of a
// card, the chip and its PIN; of a phone, possession of the key, or, without a
// signature, no more than that there was a second channel. Nil if the class is not
// known.
func (a Assurance) methods() []string {
	switch a {
	case AssuranceCard:
		return []string{"sc", "pin"}
	case AssuranceMobile:
		return []string{"pop"}
	case AssuranceMobileAuth:
		return []string{"mca"}
	}
	return nil
}

func assuranceOf(carrier verify.Carrier) Assurance {
	switch carrier {
	case verify.Card:
		return AssuranceCard
	case verify.Mobile:
		return AssuranceMobile
	}
	return ""
}

// A SessionStore remembers which sessions were ended before their time, and the
// certificates of those that may be renewed. All servers of a service share one.
// Methods may be called concurrently. Package storetest tests implementations.
//
// Keys name a session, a subject or a certificate, each with a prefix of its
// own, in at most 64 characters of printable ASCII. Sessions are known by their
// names and never by the bytes of a token, since one session can be spelled in
// several tokens. A store that has no room returns an error that wraps
// [ErrStoreFull]; it must not drop what is live for something new.
type SessionStore interface {
	// Deny ends the sessions under key that began at or before begunUntil. It may
	// be forgotten at the instant until, when they have all expired, and not
	// before. Of two denials under one key the later instants hold.
	Deny(ctx context.Context, key string, begunUntil, until time.Time) error

	// Denied reports whether a session that began at the instant given, which all
	// these keys name, was ended.
	Denied(ctx context.Context, begun time.Time, keys ...string) (bool, error)

	// Keep stores a certificate under key until an instant. Under one key it is
	// always the same certificate, and of two instants the later holds.
	Keep(ctx context.Context, key string, certificate []byte, until time.Time) error

	// Kept returns the certificate under key, or [ErrNotFound] if there is none
	// or its time is over. It has personal data inside. It is verified again, so
	// a store need not be trusted with more than keeping it to itself.
	Kept(ctx context.Context, key string) ([]byte, error)
}

func sessionKey(id string) string              { return "session:" + id }
func subjectKey(subject string) string         { return "subject:" + subject }
func certificateKey(certificate string) string { return "certificate:" + certificate }
func keptKey(certificate string) string        { return "kept:" + certificate }

// holder reads out of a verified result what a session says of who signed in.
func (a *Authenticator) holder(res *verify.Result) (*Session, error) {
	id, path := res.Signers[0].Identity, res.Signers[0].Path
	assurance := assuranceOf(id.Carrier)
	switch {
	case id.Scheme == "" || id.SerialNumber == "":
		return nil, refuse(ReasonIdentity, "the certificate does not number its holder")
	case assurance == "":
		return nil, refuse(ReasonIdentity, "carrier %.50q has no assurance class", id.Carrier)
	case len(path) < 2:
		return nil, refuse(ReasonIdentity, "the certificate has no issuer")
	}
	return &Session{
		Subject:     a.pairwise.subject(a.environment, id),
		Certificate: a.pairwise.certificate(path[1].RawSubjectPublicKeyInfo, path[0].SerialNumber),
		Environment: a.environment,
		Assurance:   assurance,
	}, nil
}

// beginSession completes a session of a holder and returns its token.
func (a *Authenticator) beginSession(ctx context.Context, o origin, s *Session, res *verify.Result) (string, error) {
	now := unixTime(a.now().Unix()) // a token has whole seconds
	s.ID, s.AuthTime = a.randomText(), now
	a.extend(s, now)
	if err := a.findAccount(ctx, s); err != nil {
		return "", err
	}
	if a.onSignIn != nil {
		if err := a.onSignIn(ctx, res, s); err != nil {
			return "", &Error{Reason: ReasonRefused, Err: err}
		}
	}
	if res != nil {
		if err := a.keep(ctx, s, res.Signers[0].Path[0].Raw); err != nil {
			return "", err
		}
	}
	token, err := a.issue(o, s)
	if err != nil {
		return "", &Error{Reason: ReasonInternal, Err: err}
	}
	return token, nil
}

// enter begins a session of a holder, gives it to the browser, and ends the one that the
// browser had before. Without a result there is no certificate to keep.
func (a *Authenticator) enter(w http.ResponseWriter, r *http.Request, o origin, s *Session, res *verify.Result) (*Session, error) {
	token, err := a.beginSession(r.Context(), o, s, res)
	if err != nil {
		return nil, err
	}
	if err := a.endSessionOf(r, o); err != nil {
		return nil, err
	}
	http.SetCookie(w, o.cookie(a.sessionCookie(o), token, a.idleUntil(s).Sub(s.IssuedAt)))
	return s, nil
}

// End ends a session, however often it has been renewed, on every server that
// shares the session store. Errors are of type [*Error].
func (a *Authenticator) End(ctx context.Context, s *Session) error {
	return a.deny(ctx, sessionKey(s.ID), s.AuthTime)
}

// EndSubject ends all sessions of a subject that have begun so far, or begin
// within the next seconds: clocks of servers differ. Errors are of type [*Error].
func (a *Authenticator) EndSubject(ctx context.Context, subject string) error {
	return a.deny(ctx, subjectKey(subject), a.now())
}

// EndCertificate does the same for the sessions of one certificate, as
// Session.Certificate names it. Errors are of type [*Error].
func (a *Authenticator) EndCertificate(ctx context.Context, certificate string) error {
	return a.deny(ctx, certificateKey(certificate), a.now())
}

// deny ends sessions until the last of them, always renewed, would have expired
// on the slowest clock. A renewal that is under way thus brings none back.
func (a *Authenticator) deny(ctx context.Context, key string, begunUntil time.Time) error {
	begunUntil = begunUntil.Add(clockSkew)
	return storeError(a.sessions.Deny(ctx, key, begunUntil, begunUntil.Add(MaxSessionLife+clockSkew)))
}

// endSessionOf ends the session that a browser has, if any. At sign-in, this
// makes a session that was planted before worth nothing after.
func (a *Authenticator) endSessionOf(r *http.Request, o origin) error {
	s, err := a.session(r, o)
	if err != nil {
		return nil // a token that Check refuses in any case
	}
	return a.End(r.Context(), s)
}
