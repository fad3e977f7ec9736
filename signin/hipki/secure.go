package hipki

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// Secure sets the headers of a page on which citizens sign, and returns the nonce
// for its script elements, of this response alone. The policy lets our script run
// and no other, and nothing be framed or fetched from elsewhere. The opener policy
// is the strictest under which the window of the component can answer: with
// same-origin it would lose its opener, and no signature would ever arrive.
func Secure(h http.Header) (nonce string) {
	nonce = rand.Text()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"' 'strict-dynamic'; "+
		"style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
	// With no-referrer, browsers would send "Origin: null" with our own forms.
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	return nonce
}

// allowForms lets the page send forms to an origin beside its own, if there is one.
func allowForms(h http.Header, origin string) {
	if origin != "" {
		const policy = "Content-Security-Policy"
		h.Set(policy, strings.Replace(h.Get(policy), "form-action 'self'", "form-action 'self' "+origin, 1))
	}
}
