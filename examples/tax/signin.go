package main

import (
	"net/http"
	"regexp"
	"strings"

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
	s.site.Render(w, r, status, "account.html", site.Page{SignedIn: true, Data: struct{ Problem string }{problem}})
}

// nationalID is the form of national ID and resident certificate numbers. Check
// digits are left to the register, and those of the invented citizens are wrong.
var nationalID = regexp.MustCompile(`^[A-Z][0-9]{9}$`)

// linkAccount links the holder of a certificate to the account of a national ID
// number, if the authority says that the number is the holder's.
func (s *service) linkAccount(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	claimed := strings.ToUpper(strings.TrimSpace(r.PostFormValue("national_id")))
	if !nationalID.MatchString(claimed) {
		s.renderLinking(w, r, http.StatusUnprocessableEntity, "account.form")
		return
	}
	cert, err := s.store.Certificate(r.Context(), session.Subject)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	match, err := s.identity.CheckIdentity(r.Context(), cert, claimed)
	switch {
	case err != nil: // no answer is neither a yes nor a no
		s.logger.ErrorContext(r.Context(), "identity check unavailable", "err", err)
		s.renderLinking(w, r, http.StatusServiceUnavailable, "account.unavailable")
		return
	case !match:
		s.logger.InfoContext(r.Context(), "identity mismatch", "session", session)
		s.renderLinking(w, r, http.StatusForbidden, "account.mismatch")
		return
	}
	if err := s.store.Link(r.Context(), session.Subject, claimed); err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/filings", http.StatusSeeOther)
}
