package main

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/citizencert/citizencert/examples/internal/lookalike"
	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/signin/hipki"
)

//go:embed pages texts
var files embed.FS

// A service is the tax office's web site.
type service struct {
	auth     *signin.Authenticator
	verifier *verifier
	identity signin.IdentityChecker
	store    *Store
	site     *site.Site
	card     *hipki.Handler
	phone    *fido.Flow
	host     string // that of the origin, as lines have it
	signin   *site.SignIn
	logger   *slog.Logger
}

// newService puts the service into a world: the PKI that it trusts, the register
// that it asks, the operator of the phones, and where browsers find the card reader
// component. Of the
// store it takes possession, unless it fails.
func newService(ctx context.Context, world *lookalike.World, store *Store, origin string, logger *slog.Logger) (*service, error) {
	s := &service{
		identity: world.Register,
		store:    store,
		logger:   logger,
	}
	scheme, err := world.Scheme()
	if err != nil {
		return nil, err
	}
	if s.site, err = site.New(files, logger); err != nil {
		return nil, err
	}
	if s.verifier, err = newVerifier(scheme); err != nil {
		return nil, err
	}
	if err := s.openSignIn(ctx, world, origin); err != nil {
		return nil, errors.Join(err, s.verifier.Close())
	}
	return s, nil
}

// openSignIn has citizens sign in with card and phone.
func (s *service) openSignIn(ctx context.Context, world *lookalike.World, origin string) error {
	u, err := url.Parse(origin)
	if err != nil {
		return err
	}
	s.host = u.Host
	client, err := world.FidoClient()
	if err != nil {
		return err
	}
	if s.auth, err = newAuthenticator(ctx, origin, s.verifier, s.store, s.logger); err != nil {
		return err
	}
	if s.phone, err = newPhone(s.auth, client, origin, s.logger); err != nil {
		return err
	}
	if s.card, err = newCard(s.auth, s.phone, world.Component.Origin); err != nil {
		return err
	}
	s.site.PhoneScreen = world.PhoneScreen()
	s.signin = &site.SignIn{Auth: s.auth, Card: s.card, Phone: s.phone, Site: s.site, Home: "/filings", Logger: s.logger}
	return nil
}

// Close ends what the service has running besides its requests, and closes its
// store.
func (s *service) Close() error { return errors.Join(s.verifier.Close(), s.store.Close()) }

// Handler returns the routes, behind what protects them all.
func (s *service) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.home)
	s.signin.Register(mux)
	mux.HandleFunc("GET /account", s.signin.Only(s.showLinking))
	mux.HandleFunc("POST /account", s.signin.Only(s.linkAccount))
	mux.HandleFunc("GET /filings", s.withAccount(s.listFilings))
	mux.HandleFunc("GET /filings/{id}", s.withAccount(s.showFiling))
	mux.HandleFunc("POST /filings/{id}/verification", s.withAccount(s.verifyAgain))
	mux.HandleFunc("GET /filings/{id}/record.json", s.withAccount(s.downloadRecord))
	mux.HandleFunc("GET /filings/{id}/evidence.json", s.withAccount(s.downloadEvidence))
	mux.HandleFunc("GET /returns/new", s.withAccount(s.newForm))
	mux.HandleFunc("POST /returns", s.withAccount(s.prepareReturn))
	mux.HandleFunc("GET /returns/{number}", s.withAccount(s.showReturn))
	mux.HandleFunc("POST /returns/{number}/signature", s.withAccount(s.fileReturn))
	mux.Handle("POST /returns/{number}/phone/{call}", s.phoneFiling())
	return s.site.Handler(mux)
}

// withAccount lets citizens through whose account is known. A certificate alone
// opens no account.
func (s *service) withAccount(next site.CitizenHandler) http.HandlerFunc {
	return s.signin.Only(func(w http.ResponseWriter, r *http.Request, session *signin.Session) {
		if session.Account == "" {
			http.Redirect(w, r, "/account", http.StatusSeeOther)
			return
		}
		next(w, r, session)
	})
}

func (s *service) home(w http.ResponseWriter, r *http.Request) {
	if _, err := s.auth.Check(r); err == nil {
		http.Redirect(w, r, "/filings", http.StatusSeeOther)
		return
	}
	s.site.Render(w, r, http.StatusOK, "home.html", site.Page{})
}

// fail answers what went wrong behind a page of a citizen who is signed in.
func (s *service) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNotFound) {
		s.site.Refuse(w, r, http.StatusNotFound, "refused.not-found", "/filings", true)
		return
	}
	s.logger.ErrorContext(r.Context(), "request failed", "route", r.Pattern, "err", err)
	s.site.Refuse(w, r, http.StatusInternalServerError, "refused.internal", "/filings", true)
}

// maxForm is the largest form that is not for the card, in bytes.
const maxForm = 64 << 10
