// Package phonepage is the smallest service that citizens sign in to with their
// phone: a page, the handler of package fido, and an account.
package phonepage

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/http"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
)

var page = template.Must(template.New("login").Parse(`<!DOCTYPE html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>登入 · Sign in</title></head><body><main>
<h1>登入 · Sign in</h1>
<div data-fido="/signin/fido" data-fido-done="/account" data-fido-modes="qr push web redirect"></div>
<script src="/signin/fido/fido.js" nonce="{{.Nonce}}" defer></script>
</main></body></html>`))

// Handler serves the page under /login, in English with ?lang=en, and the account
// under /account. moi is the origin of MOI's site, to which the page may send a form.
func Handler(auth *signin.Authenticator, flow *fido.Flow, moi string) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.AddInsecureBypassPattern("POST /signin/fido/callback")
	mux := http.NewServeMux()
	mux.Handle("/signin/fido/", http.StripPrefix("/signin/fido", flow.Handler()))
	mux.Handle("/account", auth.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!DOCTYPE html><p id="account">signed in with %s</p>`, signin.SessionFrom(r.Context()).Assurance)
	})))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		nonce, language := rand.Text(), "zh-TW"
		if r.FormValue("lang") == "en" {
			language = "en"
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; connect-src 'self'; "+
			"form-action 'self' "+moi+"; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'")
		w.Header().Set("Cache-Control", "no-store")
		page.Execute(w, map[string]string{"Nonce": nonce, "Language": language}) // an error means that the browser is gone
	})
	return crossOrigin.Handler(mux)
}
