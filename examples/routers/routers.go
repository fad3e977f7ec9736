// Package routers has recipes: package signin behind the routers that services
// use. An Authenticator hands out handlers and middleware of net/http, so each is
// a few lines; the one that has a trap is [GinSession].
//
// All three sites are the same: /signin/ is what the login page calls, /account
// needs a session, and /account/change needs one of somebody who has signed with a
// card within five minutes.
package routers

import (
	"fmt"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// lately is what a change of the account asks for.
var lately = signin.Requirement{MaxAge: 5 * time.Minute, Assurance: []signin.Assurance{signin.AssuranceCard}}

// account says how the citizen has signed in. It runs behind the middleware, so
// there is a session.
func account(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "signed in with %s", signin.SessionFrom(r.Context()).Assurance)
}
