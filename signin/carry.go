package signin

import (
	"encoding/json"
	"net/http"

	"github.com/citizencert/citizencert/verify"
)

// What packages that carry a RemoteAttempt need of an Authenticator besides.

// PersonRequestsPerMinute is how many requests [Authenticator.AdmitPerson] lets
// through for one person: what a citizen may need who missed a push or two.
const PersonRequestsPerMinute = 5

// AdmitPerson limits what is asked about one person, whoever asks: a message to a
// phone disturbs its owner, and an answer about a number tells of whoever has it.
// person is any text; only its digest is remembered, for a minute. Errors are of
// type [*Error] with ReasonRateLimited.
func (a *Authenticator) AdmitPerson(person string) error {
	if a.persons == nil {
		return nil
	}
	if wait := a.persons.allow(person, a.now()); wait > 0 {
		e := refuse(ReasonRateLimited, "more than %d requests a minute about one person", a.persons.perMinute)
		e.RetryAfter = wait
		return e
	}
	return nil
}

// Endpoint serves an endpoint like those of [Authenticator.LoginHandler]: what is
// returned is answered as JSON, nil as 204, an error as a [Problem] after its cause
// has been logged. It does not check where a request comes from; BeginRemote and
// TakeRemote do.
func (a *Authenticator) Endpoint(endpoint func(http.ResponseWriter, *http.Request) (any, error)) http.HandlerFunc {
	return a.serve(endpoint)
}

// DecodeJSON reads a request body of one JSON value and at most 64 KiB, whose
// media type says so. Errors are of type [*Error].
func DecodeJSON(w http.ResponseWriter, r *http.Request, v any) error {
	data, err := readBody(w, r)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return refuse(ReasonRequest, "body cannot be read as JSON of the expected form")
	}
	return nil
}

// Environment returns the environment of Config.Verifier.
func (a *Authenticator) Environment() verify.Environment { return a.environment }

// SharedStore returns Config.Challenges and the name under which the service keeps
// its entries apart from those of others, for packages that carry attempts.
func (a *Authenticator) SharedStore() (store ChallengeStore, service string) {
	return a.challenges, a.service
}
