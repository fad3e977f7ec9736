package signin

import (
	"context"
	"errors"
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

	AuthTime    time.Time // when the signature was verified
	IssuedAt    time.Time
	Expiry      time.Time
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
)

// methods are the authentication methods (RFC 8176) that go with a class: of a
// card, the chip and its PIN; of a phone, possession of the key. Nil if the class
// is not known.
func (a Assurance) methods() []string {
	switch a {
	case AssuranceCard:
		return []string{"sc", "pin"}
	case AssuranceMobile:
		return []string{"pop"}
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

// A SessionStore remembers which sessions were ended before their time. All
// servers of a service share one. Methods may be called concurrently.
//
// Keys name a session, a subject or a certificate, each with a prefix of its
// own. Sessions are known by their names and never by the bytes of a token,
// since one session can be spelled in several tokens.
type SessionStore interface {
	// Deny ends the sessions under key that were issued at or before issuedUntil.
	// It may be forgotten at the instant until, when they have all expired, and
	// not before. Of two denials under one key the later instants hold.
	Deny(ctx context.Context, key string, issuedUntil, until time.Time) error

	// Denied reports whether a session issued at the instant given, which all
	// these keys name, was ended.
	Denied(ctx context.Context, issued time.Time, keys ...string) (bool, error)
}

func sessionKey(id string) string              { return "session:" + id }
func subjectKey(subject string) string         { return "subject:" + subject }
func certificateKey(certificate string) string { return "certificate:" + certificate }

// newSession makes a session and its token of a verified result.
func (a *Authenticator) newSession(ctx context.Context, o origin, res *verify.Result) (*Session, string, error) {
	id, path := res.Signers[0].Identity, res.Signers[0].Path
	assurance := assuranceOf(id.Carrier)
	switch {
	case id.Scheme == "" || id.SerialNumber == "":
		return nil, "", refuse(ReasonIdentity, "the certificate does not number its holder")
	case assurance == "":
		return nil, "", refuse(ReasonIdentity, "carrier %.50q has no assurance class", id.Carrier)
	case len(path) < 2:
		return nil, "", refuse(ReasonIdentity, "the certificate has no issuer")
	}
	now := unixTime(a.now().Unix()) // a token has whole seconds
	s := &Session{
		Subject:     a.pairwise.subject(a.environment, id),
		ID:          a.randomText(),
		Certificate: a.pairwise.certificate(path[0], path[1]),
		AuthTime:    now,
		IssuedAt:    now,
		Expiry:      now.Add(a.sessionLife),
		Environment: a.environment,
		Assurance:   assurance,
	}
	if err := a.findAccount(ctx, s); err != nil {
		return nil, "", err
	}
	if a.onSignIn != nil {
		if err := a.onSignIn(ctx, res, s); err != nil {
			return nil, "", &Error{Reason: ReasonRefused, Err: err}
		}
	}
	token, err := a.issue(o, s)
	if err != nil {
		return nil, "", &Error{Reason: ReasonInternal, Err: err}
	}
	return s, token, nil
}

// End ends a session on every server that shares the session store.
func (a *Authenticator) End(ctx context.Context, s *Session) error {
	return a.deny(ctx, sessionKey(s.ID), s.IssuedAt)
}

// EndSubject ends all sessions of a subject that have been issued so far, or are
// issued within the next seconds: clocks of servers differ.
func (a *Authenticator) EndSubject(ctx context.Context, subject string) error {
	return a.deny(ctx, subjectKey(subject), a.now())
}

// EndCertificate does the same for the sessions of one certificate, as
// Session.Certificate names it.
func (a *Authenticator) EndCertificate(ctx context.Context, certificate string) error {
	return a.deny(ctx, certificateKey(certificate), a.now())
}

// deny ends sessions until the last of them has expired on the slowest clock.
func (a *Authenticator) deny(ctx context.Context, key string, issuedUntil time.Time) error {
	issuedUntil = issuedUntil.Add(clockSkew)
	err := a.sessions.Deny(ctx, key, issuedUntil, issuedUntil.Add(MaxSessionLife+clockSkew))
	switch {
	case errors.Is(err, ErrStoreFull):
		return &Error{Reason: ReasonStoreFull, Err: err}
	case err != nil:
		return &Error{Reason: ReasonStore, Err: err}
	}
	return nil
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
