package site

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
)

// Handler adds to the routes of a service those that every one has, the style sheet
// and the page of what is not found, and puts [Protect] around them all.
func (s *Site) Handler(mux *http.ServeMux) http.Handler {
	mux.Handle("GET /assets/", http.StripPrefix("/assets/", Assets()))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		s.Refuse(w, r, http.StatusNotFound, "refused.not-found", "/", false)
	})
	return Protect(Log(s.logger, mux), func(w http.ResponseWriter, r *http.Request) {
		s.Refuse(w, r, http.StatusForbidden, "refused.cross-origin", "/", false)
	})
}

// Protect puts what every answer of a service needs around its routes: a content
// security policy under which only our script runs, no storing of pages that
// hold personal data, the language, and the refusal of requests that other sites
// make a browser send. refused answers those.
func Protect(next http.Handler, refused http.HandlerFunc) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(refused)
	next = crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := hipki.Secure(w.Header())
		about := visit{nonce, languageOf(w, r)}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, about)))
	})
}

// A visit is what Protect hands on to Render.
type visit struct {
	nonce    string
	language signin.Language
}

type visitKey struct{}

func visitFrom(ctx context.Context) visit {
	v, ok := ctx.Value(visitKey{}).(visit)
	if !ok {
		panic("site: used without Protect")
	}
	return v
}

// Language returns the language of the answer to a request, behind [Protect].
func Language(r *http.Request) signin.Language { return visitFrom(r.Context()).language }

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
