package site

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"
)

// Protect puts what every answer of a service needs around its routes: a content
// security policy under which only our script runs, no storing of pages that
// hold personal data, the language, and the refusal of requests that other sites
// make a browser send. refused answers those.
func Protect(next http.Handler, refused http.HandlerFunc) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(refused)
	next = crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := rand.Text()
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"' 'strict-dynamic'; "+
			"style-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		// With same-origin the pop-up of the card reader component would lose its
		// opener, and no signature would ever arrive.
		h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		// With no-referrer, browsers would send "Origin: null" with our own forms.
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		about := visit{nonce, languageOf(w, r)}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, about)))
	})
}

// A visit is what Protect hands on to Render.
type visit struct {
	nonce    string
	language Language
}

type visitKey struct{}

func visitFrom(ctx context.Context) visit {
	v, ok := ctx.Value(visitKey{}).(visit)
	if !ok {
		panic("site: Render without Protect")
	}
	return v
}

// Log writes a line for each request: the route, never the path or the query,
// since those may name somebody.
func Log(logger *slog.Logger, mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		mux.ServeHTTP(status, r)
		logger.InfoContext(r.Context(), "request",
			"route", r.Pattern, "status", status.status, "took", time.Since(began).Round(time.Millisecond))
	})
}

// A statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
