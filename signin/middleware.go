package signin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
)

// Check returns the session of a request and does not renew it; see
// [Authenticator.Renew]. It checks that
//
//   - the request is for one of the configured origins and, if it may change
//     something, was not sent by a page of another (see
//     [http.CrossOriginProtection])
//   - the session cookie, and no other place, holds a token of this service,
//     origin and environment, signed by our key, within its time
//   - the session has not been ended
//
// Errors are of type [*Error].
func (a *Authenticator) Check(r *http.Request) (*Session, error) {
	o, err := a.admit(r)
	if err != nil {
		return nil, err
	}
	s, err := a.session(r, o)
	if err != nil {
		return nil, err
	}
	if !a.now().Before(s.Expiry) {
		return nil, expired(s)
	}
	if err := a.live(r.Context(), s); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler lets requests with a session through to next, which reads it with
// [SessionFrom], and has nothing of them cached. It renews the session when that
// is due. Other requests are refused with a [Problem] in JSON; a browser that
// asks for a page and has no session is sent to Config.LoginPath.
func (a *Authenticator) Handler(next http.Handler) http.Handler {
	return a.handler(next, func(*Session) error { return nil })
}

func (a *Authenticator) handler(next http.Handler, meets func(*Session) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		s, err := a.Renew(w, r)
		if err == nil {
			err = meets(s)
		}
		if err != nil {
			a.reject(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, s)))
	})
}

type contextKey struct{}

// SessionFrom returns the session of a request that came through
// [Authenticator.Handler]. For other contexts it returns nil.
func SessionFrom(ctx context.Context) *Session {
	s, _ := ctx.Value(contextKey{}).(*Session)
	return s
}

// live refuses a session that was ended, and finds the account of the others.
func (a *Authenticator) live(ctx context.Context, s *Session) error {
	ended, err := a.sessions.Denied(ctx, s.AuthTime, sessionKey(s.ID), subjectKey(s.Subject), certificateKey(s.Certificate))
	if err != nil {
		return &Error{Reason: ReasonStore, Err: err}
	}
	if ended {
		return refuse(ReasonSessionEnded, "session %s was ended", s.ID)
	}
	return a.findAccount(ctx, s)
}

// session reads the session out of the cookie. It may have been ended, and its
// token may have expired, though not so long ago that it cannot be renewed.
func (a *Authenticator) session(r *http.Request, o origin) (*Session, error) {
	token := onlyCookie(r, a.sessionCookie(o))
	if token == "" {
		return nil, refuse(ReasonNoSession, "no session cookie, or more than one")
	}
	c, err := a.openClaims(token)
	if err != nil {
		return nil, err
	}
	if err := c.check(o, a.service, a.environment, a.now()); err != nil {
		return nil, err
	}
	s := &Session{
		Subject:     c.Subject,
		ID:          c.ID,
		Certificate: c.Certificate,
		AuthTime:    unixTime(c.AuthTime),
		IssuedAt:    unixTime(c.IssuedAt),
		Expiry:      unixTime(c.Expiry),
		Environment: a.environment,
		Assurance:   c.Assurance,
	}
	if !a.now().Before(a.idleUntil(s)) {
		return nil, expired(s)
	}
	return s, nil
}

// issue makes the token of a session.
func (a *Authenticator) issue(o origin, s *Session) (string, error) {
	payload, err := json.Marshal(s.claims(o.url, a.service))
	if err != nil {
		return "", err
	}
	return a.tokens.sign(payload)
}

// reject tells the browser a sentence and the operator the cause. The pattern is
// logged and not the path, in which a service may have numbers of people.
func (a *Authenticator) reject(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	p := e.Problem()
	a.logger.LogAttrs(r.Context(), p.level(), "sign-in: request refused",
		slog.String("pattern", r.Pattern),
		slog.String("reason", string(e.Reason)),
		slog.String("code", string(p.Code)),
		slog.Any("cause", e.Err))
	if p.Status == http.StatusUnauthorized && asksForPage(r) {
		http.Redirect(w, r, a.loginPath, http.StatusSeeOther)
		return
	}
	p.write(w)
}

// level is what an operator should see of a problem: that nobody is signed in is
// normal, that a store fails is not.
func (p Problem) level() slog.Level {
	switch p.Code {
	case CodeSession, CodeSignInAgain, CodeAssurance:
		return slog.LevelDebug
	}
	if p.Status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

func asksForPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		strings.Contains(r.Header.Get("Accept"), "text/html")
}
