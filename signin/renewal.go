package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// Pace of renewals. Of the requests that a page sends at once one renews, and a
// responder that is down does not hold up every request for as long as a token
// lives.
const (
	renewalPause = 30 * time.Second
	renewalWait  = 5 * time.Second
	maxRenewals  = 100_000 // that are remembered; further ones are not paced
)

// Renew returns the session of a request as [Authenticator.Check] does, and
// renews it if half the life of its token is over: it has the session's
// certificate judged anew, status included, and sets a cookie with a new token.
// The session keeps its ID and AuthTime.
//
// A token that has expired is renewed too, until Config.IdleLife after it was
// issued: by itself it opens nothing. Whoever comes back within that time from
// the last renewal is still signed in; so a session ends after being idle for no
// more than IdleLife, and no less than that without half of TokenLife. It ends at
// Config.SessionLife in any case.
//
// Every request that is renewed counts as activity: what a page asks for by
// itself, on a timer, is better given to Check.
//
// If the certificate has been revoked or suspended, all its sessions end; if it
// is refused for another reason, this one. If its status cannot be learned the
// session goes on until its token expires; from then on the request is refused
// as one that may succeed later.
//
// The path of the certificate must be found with the intermediates of the scheme:
// those that came inside a PKCS7 signature are not kept.
//
// Errors are of type [*Error].
func (a *Authenticator) Renew(w http.ResponseWriter, r *http.Request) (*Session, error) {
	ctx := r.Context()
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	s, err := a.session(r, o)
	if err != nil {
		return nil, err
	}
	if err := a.live(ctx, s); err != nil {
		return nil, err
	}
	if s.Assurance == AssuranceMobileAuth { // no certificate to be judged anew
		if !a.now().Before(s.Expiry) {
			return nil, expired(s)
		}
		return s, nil
	}
	valid, due := a.renewalDue(s)
	if !due {
		return s, nil
	}
	if valid {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, renewalWait)
		defer cancel()
	}
	renewed, token, err := a.renew(ctx, o, s)
	switch {
	case err == nil:
		http.SetCookie(w, o.cookie(a.sessionCookie(o), token, a.idleUntil(renewed).Sub(renewed.IssuedAt)))
		return renewed, nil
	case endsSession(err):
		a.endRefused(r.Context(), s, err)
		http.SetCookie(w, o.cookie(a.sessionCookie(o), "", -time.Second))
		return nil, err
	case !valid:
		return nil, err
	}
	e := asError(err)
	a.logger.LogAttrs(ctx, slog.LevelWarn, "sign-in: session not renewed", slog.Any("session", s),
		slog.String("reason", string(e.Reason)), slog.Any("cause", e.Err))
	return s, nil
}

// renewalDue reports whether the token is within its life, and whether this is
// the request to renew it.
func (a *Authenticator) renewalDue(s *Session) (valid, due bool) {
	now := a.now()
	if !now.Before(s.Expiry) {
		return false, true
	}
	if now.Before(s.IssuedAt.Add(a.tokenLife/2)) || !s.Expiry.Before(s.AuthTime.Add(a.sessionLife)) {
		return true, false // too early, or nothing is left to be gained
	}
	first := true
	pause := now.Add(renewalPause)
	err := a.renewals.put(s.ID, pause, now, maxRenewals, func(until time.Time) time.Time {
		if first = !now.Before(until); first {
			return pause
		}
		return until
	})
	return true, first || err != nil
}

// renew returns the session with a new token, if its certificate still stands.
func (a *Authenticator) renew(ctx context.Context, o origin, s *Session) (*Session, string, error) {
	der, err := a.sessions.Kept(ctx, keptKey(s.Certificate))
	if errors.Is(err, ErrNotFound) {
		return nil, "", refuse(ReasonTokenExpired, "the store has no certificate to renew session %s with", s.ID)
	}
	if err != nil {
		return nil, "", &Error{Reason: ReasonStore, Err: err}
	}
	res, err := a.judgeAnew(ctx, s, der)
	if err != nil {
		return nil, "", err
	}
	held, err := a.holder(res)
	if err != nil {
		return nil, "", err
	}
	if held.Subject != s.Subject || held.Certificate != s.Certificate || held.Assurance != s.Assurance {
		return nil, "", refuse(ReasonStore, "the stored certificate is not the one of session %s", s.ID)
	}
	renewed := *s
	a.extend(&renewed, unixTime(a.now().Unix()))
	if err := a.keep(ctx, &renewed, der); err != nil {
		return nil, "", err
	}
	token, err := a.issue(o, &renewed)
	if err != nil {
		return nil, "", &Error{Reason: ReasonInternal, Err: err}
	}
	return &renewed, token, nil
}

// judgeAnew asks the verifier about the certificate of a session.
func (a *Authenticator) judgeAnew(ctx context.Context, s *Session, der []byte) (*verify.Result, error) {
	v := &Verdict{Session: s, Certificate: der, Options: &verify.Options{Use: verify.UseSignIn}, Clock: a.verifier.Now()}
	v.Result, v.Refusal = a.verifier.Certificate(ctx, der, v.Options)
	if err := a.tell(ctx, v); err != nil && v.Refusal == nil {
		return nil, &Error{Reason: ReasonStore, Err: fmt.Errorf("keeping the verdict: %v", err)} // of whoever keeps it, and not of the certificate
	}
	if v.Refusal != nil {
		return nil, fromVerify(v.Refusal)
	}
	return v.Result, nil
}

// extend gives a session the life of a token issued now.
func (a *Authenticator) extend(s *Session, now time.Time) {
	s.IssuedAt, s.Expiry = now, earlier(now.Add(a.tokenLife), s.AuthTime.Add(a.sessionLife))
}

// idleUntil is when a session ends that is not renewed.
func (a *Authenticator) idleUntil(s *Session) time.Time {
	return earlier(s.IssuedAt.Add(a.idleLife), s.AuthTime.Add(a.sessionLife))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func expired(s *Session) *Error {
	return refuse(ReasonTokenExpired, "expired at %d", s.Expiry.Unix())
}

// keep stores the certificate of a session for as long as it can be renewed. It
// is stored once for all sessions of the certificate: who has one card cannot
// fill the store with sessions.
func (a *Authenticator) keep(ctx context.Context, s *Session, certificate []byte) error {
	return storeError(a.sessions.Keep(ctx, keptKey(s.Certificate), certificate, a.idleUntil(s).Add(clockSkew)))
}

// endsSession reports whether a renewal was refused for good: the certificate
// was judged, and another time it would be judged alike.
func endsSession(err error) bool {
	if e, ok := errors.AsType[*verify.Error](err); ok {
		return !e.Retryable()
	}
	return asError(err).Reason == ReasonIdentity
}

// endRefused ends what the refusal of a certificate at renewal is about. The
// request is refused in any case; if the store does not take the denial, the next
// one must not pass for one whose renewal is under way.
func (a *Authenticator) endRefused(ctx context.Context, s *Session, cause error) {
	end := func() error { return a.End(ctx, s) }
	if reason := asError(cause).Reason; reason == Reason(verify.ReasonRevoked) || reason == Reason(verify.ReasonSuspended) {
		end = func() error { return a.EndCertificate(ctx, s.Certificate) }
	}
	if err := end(); err != nil {
		a.renewals.take(s.ID)
		a.logger.LogAttrs(ctx, slog.LevelError, "sign-in: session not ended", slog.Any("session", s), slog.Any("cause", err))
	}
}
