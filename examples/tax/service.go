package main

import (
	"context"
	"embed"
	"errors"
	"net/http"
	"net/url"

	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
)

//go:embed pages texts
var files embed.FS

// A service is the tax office's web site.
type service struct {
	*site.SignIn
	host     string // of the origin, as lines have it
	verifier *verifier
	identity signin.IdentityChecker
	store    *Store
}

// newService puts the service into its surroundings: the PKI that it trusts, the
// register that it asks, the operator of the phones, and where browsers find the card
// reader component.
func newService(ctx context.Context, env program.Env) (*service, error) {
	origin, err := url.Parse(env.Origin)
	if err != nil {
		return nil, err
	}
	pages, err := site.New(files, env.Logger)
	if err != nil {
		return nil, err
	}
	pages.PhoneScreen = env.World.PhoneScreen()
	scheme, err := env.World.Scheme()
	if err != nil {
		return nil, err
	}
	verifier, err := newVerifier(scheme)
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, env.DB)
	if err != nil {
		return nil, errors.Join(err, verifier.Close())
	}
	s := &service{host: origin.Host, verifier: verifier, identity: env.World.Register, store: store}
	if s.SignIn, err = newSignIn(ctx, env, verifier, store, pages); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends what the service has running besides its requests, and closes its
// store.
func (s *service) Close() error { return errors.Join(s.verifier.Close(), s.store.Close()) }

// Handler returns the routes, behind what protects them all.
func (s *service) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Register(mux)
	mux.HandleFunc("GET /account", s.Only(s.showLinking))
	mux.HandleFunc("POST /account", s.Only(s.linkAccount))
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
	return s.Site.Handler(mux)
}

// withAccount lets citizens through whose account is known. A certificate alone
// opens no account.
func (s *service) withAccount(next site.CitizenHandler) http.HandlerFunc {
	return s.Only(func(w http.ResponseWriter, r *http.Request, session *signin.Session) {
		if session.Account == "" {
			http.Redirect(w, r, "/account", http.StatusSeeOther)
			return
		}
		next(w, r, session)
	})
}

// maxForm is the largest form that is not for the card, in bytes.
const maxForm = 64 << 10
