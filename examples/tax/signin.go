package main

import (
	"crypto/x509"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
)

// beginSignIn shows the page that asks for a signature over a fresh challenge.
func (s *service) beginSignIn(w http.ResponseWriter, r *http.Request) {
	form, err := s.card.SignInForm(w, r, "/signin")
	if err != nil {
		s.refuseSignIn(w, r, err)
		return
	}
	s.site.Render(w, r, http.StatusOK, "signin.html", site.Page{Card: form})
}

// finishSignIn redeems the challenge with the component's answer. On success the
// browser has its session.
func (s *service) finishSignIn(w http.ResponseWriter, r *http.Request) {
	session, err := s.card.FinishSignIn(w, r)
	if err != nil {
		s.refuseSignIn(w, r, err)
		return
	}
	s.logger.InfoContext(r.Context(), "signed in", "session", session)
	http.Redirect(w, r, "/filings", http.StatusSeeOther)
}

func (s *service) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.auth.Logout(w, r); err != nil {
		s.refuseSignIn(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// refuseSignIn answers who is not signed in, or cannot be. Who asks for a page is
// sent to sign in first.
func (s *service) refuseSignIn(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*signin.Error](err)
	if ok && e.Problem().Code == signin.CodeSession && r.Method == http.MethodGet {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return
	}
	s.showProblem(w, r, err, "/signin", false)
}

// showProblem gives the citizen the SDK's sentence, and the log the cause.
func (s *service) showProblem(w http.ResponseWriter, r *http.Request, err error, next string, signedIn bool) {
	e, ok := errors.AsType[*signin.Error](err)
	if !ok {
		s.fail(w, r, err)
		return
	}
	problem := hipki.Tell(err)
	s.logger.InfoContext(r.Context(), "card refused", "reason", e.Reason, "code", problem.Code, "err", e.Err)
	s.site.Render(w, r, problem.Status, "problem.html", site.Page{
		SignedIn: signedIn,
		Data: struct {
			signin.Problem
			Next string
		}{problem, next},
	})
}

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
	cert, err := s.certificateOf(r, session)
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

// certificateOf returns the certificate with which a session began. It was
// verified then.
func (s *service) certificateOf(r *http.Request, session *signin.Session) (*x509.Certificate, error) {
	certificate, err := s.store.Certificate(r.Context(), session.Subject)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(certificate)
}
