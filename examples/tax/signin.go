package main

import (
	"net/http"

	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
)

// showLinking asks the holder of a certificate for the number of the account.
func (s *service) showLinking(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	if session.Account != "" {
		http.Redirect(w, r, "/filings", http.StatusSeeOther)
		return
	}
	s.renderLinking(w, r, http.StatusOK, "")
}

func (s *service) renderLinking(w http.ResponseWriter, r *http.Request, status int, problem string) {
	s.Site.Render(w, r, status, "account.html", site.Page{SignedIn: true, Data: struct{ Problem string }{problem}})
}

// linkAccount links the holder of a certificate to the account of a national ID
// number, if the authority says that the number is the holder's.
func (s *service) linkAccount(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	claimed := site.NationalID(r.PostFormValue("national_id"))
	if claimed == "" {
		s.renderLinking(w, r, http.StatusUnprocessableEntity, "account.form")
		return
	}
	cert, err := s.store.Certificate(r.Context(), session.Subject)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	match, err := s.identity.CheckIdentity(r.Context(), cert, claimed)
	switch {
	case err != nil: // no answer is neither a yes nor a no
		s.Logger.ErrorContext(r.Context(), "identity check unavailable", "err", err)
		s.renderLinking(w, r, http.StatusServiceUnavailable, "account.unavailable")
		return
	case !match:
		s.Logger.InfoContext(r.Context(), "identity mismatch", "session", session)
		s.renderLinking(w, r, http.StatusForbidden, "account.mismatch")
		return
	}
	if err := s.store.Link(r.Context(), session.Subject, claimed); err != nil {
		s.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/filings", http.StatusSeeOther)
}
