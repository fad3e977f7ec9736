package routers

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/citizencert/citizencert/signin"
)

// Chi returns the site on github.com/go-chi/chi/v5, whose middleware is that of
// net/http.
func Chi(auth *signin.Authenticator) http.Handler {
	r := chi.NewRouter()
	r.Mount("/signin", http.StripPrefix("/signin", auth.LoginHandler()))
	r.Group(func(r chi.Router) {
		r.Use(auth.Handler)
		r.Get("/account", account)
	})
	r.Group(func(r chi.Router) {
		r.Use(func(next http.Handler) http.Handler { return auth.Require(lately, next) })
		r.Post("/account/change", account)
	})
	return r
}
