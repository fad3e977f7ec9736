package signin

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A Requirement is what a request needs beyond a session (step-up). At least one
// field must be set.
type Requirement struct {
	// MaxAge is the longest time since Session.AuthTime, when the citizen last
	// signed: renewals do not count. If zero, as long as the session lasts.
	MaxAge time.Duration

	// Assurance lists the classes one of which the session must have. If empty,
	// any.
	Assurance []Assurance
}

// check finds what would ask for nothing, or for what no session can have.
func (q Requirement) check() error {
	if q.MaxAge < 0 || q.MaxAge == 0 && len(q.Assurance) == 0 {
		return fmt.Errorf("signin: requirement of MaxAge %v and no assurance", q.MaxAge)
	}
	for _, class := range q.Assurance {
		if class.methods() == nil {
			return fmt.Errorf("signin: requirement of assurance %q, which is not known", class)
		}
	}
	return nil
}

// Require is [Authenticator.Handler] for requests that need more than a session.
// Who has one that does not meet the requirement is told to sign in again, or
// sent to Config.LoginPath, whose page must then not send back whoever is signed
// in. A requirement that cannot be met, or asks for nothing, makes Require panic.
func (a *Authenticator) Require(q Requirement, next http.Handler) http.Handler {
	if err := q.check(); err != nil {
		panic(err)
	}
	q.Assurance = slices.Clone(q.Assurance)
	return a.handler(next, func(s *Session) error { return a.Meets(s, q) })
}

// Meets returns an [*Error] unless the session meets the requirement. It is for
// services that call [Authenticator.Renew] themselves.
func (a *Authenticator) Meets(s *Session, q Requirement) error {
	if err := q.check(); err != nil {
		return &Error{Reason: ReasonInternal, Err: err}
	}
	if age := a.now().Sub(s.AuthTime); q.MaxAge > 0 && age > q.MaxAge {
		return refuse(ReasonSessionAge, "signed in %v ago, want at most %v", age.Truncate(time.Second), q.MaxAge)
	}
	if len(q.Assurance) > 0 && !slices.Contains(q.Assurance, s.Assurance) {
		return refuse(ReasonSessionAssurance, "signed in with %s, want one of %v", s.Assurance, q.Assurance)
	}
	return nil
}
