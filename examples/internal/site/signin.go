package site

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/citizencert/citizencert/examples/internal/database"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/signin/hipki"
)

// A SignIn is the pages that every service has: its home page, and those on which
// citizens sign in and out.
type SignIn struct {
	Auth   *signin.Authenticator
	Card   *hipki.Handler // with Phone beside it
	Phone  *fido.Flow
	Site   *Site
	Home   string // the path where a citizen arrives who has signed in
	Logger *slog.Logger
}

// Register adds the pages to the routes of a service.
func (s *SignIn) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /signin", s.begin)
	mux.HandleFunc("POST /signin", s.finish)
	mux.HandleFunc("POST /signout", s.signOut)
	mux.Handle("GET /card/", s.Card.Assets())
	phone := http.StripPrefix("/signin/fido", s.Phone.Handler())
	mux.Handle("GET /signin/fido/", phone)
	mux.Handle("POST /signin/fido/", phone)
}

func (s *SignIn) home(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Auth.Check(r); err == nil {
		http.Redirect(w, r, s.Home, http.StatusSeeOther)
		return
	}
	s.Site.Render(w, r, http.StatusOK, "home.html", Page{})
}

// begin shows the page on which the citizen chooses between card and phone.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request) {
	ways, err := s.Card.Sections(w, r, "/signin", visitFrom(r.Context()).nonce)
	if err != nil {
		s.Refuse(w, r, err)
		return
	}
	s.Site.Render(w, r, http.StatusOK, "signin.html", Page{Ways: ways})
}

// finish redeems the challenge with the component's answer. On success the browser
// has its session.
func (s *SignIn) finish(w http.ResponseWriter, r *http.Request) {
	session, err := s.Card.FinishSignIn(w, r)
	if err != nil {
		s.Refuse(w, r, err)
		return
	}
	s.Logger.InfoContext(r.Context(), "signed in", "session", session)
	http.Redirect(w, r, s.Home, http.StatusSeeOther)
}

func (s *SignIn) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.Auth.Logout(w, r); err != nil {
		s.Refuse(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// A CitizenHandler answers a citizen who is signed in.
type CitizenHandler func(w http.ResponseWriter, r *http.Request, session *signin.Session)

// Only lets citizens through who have a session. For pages and JSON, auth.Handler
// and signin.SessionFrom do the same in one call; the services here also have
// forms, whose senders deserve a page when their session has run out.
func (s *SignIn) Only(next CitizenHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session, err := s.Auth.Renew(w, r)
		if err != nil {
			s.Refuse(w, r, err)
			return
		}
		next(w, r, session)
	}
}

// Refuse answers who is not signed in, or cannot be. Who asks for a page is sent to
// sign in first.
func (s *SignIn) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*signin.Error](err)
	if ok && e.Problem().Code == signin.CodeSession && r.Method == http.MethodGet {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return
	}
	s.Problem(w, r, err, "/signin", false)
}

// Problem gives the citizen the SDK's sentence and a way on, and the log the cause.
func (s *SignIn) Problem(w http.ResponseWriter, r *http.Request, err error, next string, signedIn bool) {
	problem := hipki.Tell(err)
	s.Logger.InfoContext(r.Context(), "refused", "code", problem.Code, "err", err)
	s.Site.Render(w, r, problem.Status, "problem.html", Page{
		SignedIn: signedIn,
		Data: struct {
			signin.Problem
			Next string
		}{problem, next},
	})
}

// Fail answers a citizen who is signed in what went wrong behind a page, and gives the
// log the cause.
func (s *SignIn) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, database.ErrNotFound) {
		s.Site.Refuse(w, r, http.StatusNotFound, "refused.not-found", s.Home, true)
		return
	}
	s.Logger.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "err", err)
	s.Site.Refuse(w, r, http.StatusInternalServerError, "refused.internal", s.Home, true)
}
