package main

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/verify"
)

//go:embed pages texts
var files embed.FS

// A service is the registration office's web site.
type service struct {
	*site.SignIn
	origin   string
	live     *verifier // learns the status of certificates now
	archive  *verifier // goes by what was kept
	identity signin.IdentityChecker
	store    *Store
}

// newService puts the service into its surroundings.
func newService(ctx context.Context, env program.Env) (*service, error) {
	s := &service{origin: env.Origin, identity: env.World.Register}
	pages, err := site.New(files, env.Logger)
	if err != nil {
		return nil, err
	}
	pages.PhoneScreen = env.World.PhoneScreen()
	scheme, err := env.World.Scheme()
	if err != nil {
		return nil, err
	}
	if s.live, err = newVerifier(scheme, false); err != nil {
		return nil, err
	}
	if s.archive, err = newVerifier(scheme, true); err != nil {
		return nil, errors.Join(err, s.live.Close())
	}
	if s.store, err = openStore(ctx, env.DB); err != nil {
		return nil, errors.Join(err, s.live.Close(), s.archive.Close())
	}
	if s.SignIn, err = newSignIn(ctx, env, s.live.Verifier, s.store, pages); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends what the service has running besides its requests, and closes its
// store.
func (s *service) Close() error {
	return errors.Join(s.live.Close(), s.archive.Close(), s.store.Close())
}

// Handler returns the routes, behind what protects them all.
func (s *service) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Register(mux)
	mux.HandleFunc("GET /applications", s.Only(s.list))
	mux.HandleFunc("GET /applications/new", s.Only(s.showForm))
	mux.HandleFunc("POST /applications", s.Only(s.apply))
	mux.HandleFunc("GET /applications/{number}", s.Only(s.show))
	mux.HandleFunc("POST /applications/{number}/consent", s.Only(s.consent))
	mux.Handle("POST /applications/{number}/phone/{call}", s.phoneConsent())
	return s.Site.Handler(mux)
}

func (s *service) list(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	applications, err := s.store.Applications(r.Context(), session.Subject)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	s.Site.Render(w, r, http.StatusOK, "list.html", site.Page{SignedIn: true, Data: applications})
}

func (s *service) showForm(w http.ResponseWriter, r *http.Request, _ *signin.Session) {
	s.renderForm(w, r, http.StatusOK, "")
}

func (s *service) renderForm(w http.ResponseWriter, r *http.Request, status int, problem string) {
	s.Site.Render(w, r, status, "form.html", site.Page{SignedIn: true, Data: struct {
		Kinds, Purposes []string
		MaxCopies       int
		Problem         string
	}{kinds, purposes, maxCopies, problem}})
}

// maxForm is the largest form that is not for the card, in bytes.
const maxForm = 64 << 10

// apply writes an application, if the register says that the number is that of the
// holder who is signed in: the certificate does not hold it.
func (s *service) apply(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	wish, err := parseWish(r.PostFormValue)
	if err != nil {
		s.renderForm(w, r, http.StatusUnprocessableEntity, "form.problem")
		return
	}
	cert, err := s.store.Certificate(r.Context(), session.Subject)
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	match, err := s.identity.CheckIdentity(r.Context(), cert, wish.NationalID)
	switch {
	case err != nil: // no answer is neither a yes nor a no
		s.Logger.ErrorContext(r.Context(), "identity check unavailable", "err", err)
		s.renderForm(w, r, http.StatusServiceUnavailable, "form.unavailable")
		return
	case !match:
		s.renderForm(w, r, http.StatusForbidden, "form.mismatch")
		return
	}
	a := newApplication(session.Subject, cert.Subject.CommonName, wish, site.Language(r), time.Now())
	if err := s.store.AddApplication(r.Context(), a); err != nil {
		s.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/applications/"+a.Number, http.StatusSeeOther)
}

// show shows the text of an application, and asks for consent to it; or, once that
// is given, verifies what is stored of it.
func (s *service) show(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	a, err := s.store.Application(r.Context(), session.Subject, r.PathValue("number"))
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	if a.Proof == nil {
		form, err := s.Card.ConsentForm(w, r, session, r.URL.Path+"/consent", a.Text)
		if err != nil {
			s.Problem(w, r, err, r.URL.Path, true)
			return
		}
		s.Site.Render(w, r, http.StatusOK, "consent.html", site.Page{
			SignedIn: true,
			Card:     form,
			Phone:    s.Phone.StatementForm(r, site.Language(r), r.URL.Path+"/phone/"),
			Data:     a,
		})
		return
	}
	res, err := s.verifyProof(r.Context(), a)
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "stored consent does not verify", "application", a.Number, "err", err)
	}
	s.Site.Render(w, r, http.StatusOK, "transcript.html", site.Page{SignedIn: true, Data: struct {
		*Application
		Result *verify.Result // nil: the proof is not good
	}{a, res}})
}

// consent takes the card's signature over the text of an application, as it is
// stored, and keeps what proves it.
func (s *service) consent(w http.ResponseWriter, r *http.Request, session *signin.Session) {
	a, err := s.store.Application(r.Context(), session.Subject, r.PathValue("number"))
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	consent, err := s.Card.FinishConsent(w, r, session, a.Text)
	if err != nil {
		s.Problem(w, r, err, "/applications/"+a.Number, true)
		return
	}
	if err := s.keepConsent(r.Context(), a, consent.Line, consent.Signature, consent.Result); err != nil {
		s.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/applications/"+a.Number, http.StatusSeeOther)
}

// phoneConsent does the same with what a phone has signed.
func (s *service) phoneConsent() http.Handler {
	return s.Phone.StatementHandler(fido.Statement{
		Purpose: signin.Consent,
		Hint:    "同意測試戶政事務所申辦事項",
		Document: func(r *http.Request, session *signin.Session) ([sha256.Size]byte, string, error) {
			a, err := s.store.Application(r.Context(), session.Subject, r.PathValue("number"))
			if err != nil {
				return [sha256.Size]byte{}, "", &signin.Error{Reason: signin.ReasonRequest, Err: err}
			}
			return sha256.Sum256([]byte(a.Text)), "/applications/" + a.Number, nil
		},
		Done: func(r *http.Request, session *signin.Session, signed *fido.Signed) (string, error) {
			a, err := s.store.Application(r.Context(), session.Subject, r.PathValue("number"))
			if err != nil {
				return "", err
			}
			return "/applications/" + a.Number, s.keepConsent(r.Context(), a, signed.Line, signed.Signature, signed.Result)
		},
	})
}

// keepConsent keeps what proves consent to an application.
func (s *service) keepConsent(ctx context.Context, a *Application, line string, signature []byte, res *verify.Result) error {
	proof, err := newProof(s.origin, line, signature, res)
	if err != nil {
		return err
	}
	if _, err := s.store.AddProof(ctx, a.Number, proof); err != nil {
		return err
	}
	s.Logger.InfoContext(ctx, "consent given", "application", a.Number, "verified", res)
	return nil
}
