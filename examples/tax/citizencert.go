package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/signin/hipki"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// This file is what a service writes to use the SDK. The rest of the example is
// the service itself.

// serviceName is in every line that is signed for this service.
const serviceName = "tax"

// A verifier verifies signatures, and owns the sources of status that it asks. What
// its verdicts rest on is recorded, and can be judged again without those sources.
type verifier struct {
	*verify.Verifier
	recorder *evidence.Recorder
	judge    *evidence.Judge
	ocsp     *ocspclient.Client
	crls     *crl.Store
	unwatch  func() // or nil
}

// newVerifier says whose certificates are accepted, and who is asked whether they
// have been revoked: responders first, then lists. In production the scheme is
// moica.Production with the pinned anchors.
func newVerifier(scheme verify.Scheme) (*verifier, error) {
	ocsp, err := ocspclient.New(ocspclient.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		return nil, err
	}
	crls, err := crl.New(crl.Config{AllowedHosts: scheme.Hosts})
	if err != nil {
		return nil, errors.Join(err, ocsp.Close())
	}
	judge, err := newJudge(scheme)
	if err != nil {
		return nil, errors.Join(err, ocsp.Close(), crls.Close())
	}
	v, err := verify.New(verify.Config{
		Scheme: scheme,
		Status: []verify.StatusSource{ocsp, crls},
	})
	if err != nil {
		return nil, errors.Join(err, ocsp.Close(), crls.Close())
	}
	return &verifier{v, &evidence.Recorder{Verifier: v, Software: "tax example"}, judge, ocsp, crls, nil}, nil
}

// newJudge judges again what was recorded, by what was kept alone.
func newJudge(scheme verify.Scheme) (*evidence.Judge, error) {
	return evidence.NewJudge(evidence.JudgeConfig{Config: verify.Config{Scheme: scheme}})
}

// Close ends the questions in flight.
func (v *verifier) Close() error {
	if v.unwatch != nil {
		v.unwatch()
	}
	return errors.Join(v.ocsp.Close(), v.crls.Close())
}

// newSignIn has citizens sign in, and sign returns, with their card or with their phone.
func newSignIn(ctx context.Context, env program.Env, verifier *verifier, store *Store, pages *site.Site) (*site.SignIn, error) {
	auth, err := newAuthenticator(ctx, env, verifier, store)
	if err != nil {
		return nil, err
	}
	phone, err := newPhone(auth, env)
	if err != nil {
		return nil, err
	}
	card, err := newCard(auth, phone, env)
	if err != nil {
		return nil, err
	}
	return &site.SignIn{Auth: auth, Card: card, Phone: phone, Site: pages, Home: "/filings", Logger: env.Logger}, nil
}

// newAuthenticator signs citizens in. Sessions are linked to the accounts in the store.
func newAuthenticator(ctx context.Context, env program.Env, verifier *verifier, store *Store) (*signin.Authenticator, error) {
	// Sessions may end with the process that began them; the names that holders
	// have with this service must outlive it.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	pairwiseKey, err := store.PairwiseKey(ctx)
	if err != nil {
		return nil, err
	}
	auth, err := signin.New(signin.Config{
		Verifier:    verifier.Verifier,
		Origins:     []string{env.Origin},
		Service:     serviceName,
		Key:         key,
		PairwiseKey: pairwiseKey,
		Challenges:  store.Challenges(),
		Accounts:    store,
		LoginPath:   "/signin",
		Logger:      env.Logger,

		// The certificate is needed once more, to link the account.
		OnSignIn: func(ctx context.Context, res *verify.Result, session *signin.Session) error {
			return store.KeepCertificate(ctx, session.Subject, res.Signers[0].Path[0])
		},
		// Why a citizen was let in, or was not, can be asked years later.
		OnVerdict: func(ctx context.Context, v *signin.Verdict) error {
			kept, err := verifier.recordSignIn(ctx, v)
			if err != nil {
				return err
			}
			return store.KeepVerdict(ctx, kept)
		},
	})
	if err != nil {
		return nil, err
	}
	// Who comes to be on a list is signed out at once.
	verifier.unwatch = auth.Watch(verifier.crls)
	return auth, nil
}

// newPhone has citizens sign in and sign with their phone. In production the client,
// which speaks to the operator, is one of fido.NewProduction.
func newPhone(auth *signin.Authenticator, env program.Env) (*fido.Flow, error) {
	client, err := env.World.FidoClient()
	if err != nil {
		return nil, err
	}
	return fido.New(fido.Config{
		Auth:      auth,
		Client:    client,
		Hint:      "登入測試稅務所網路申報",
		Path:      "/signin/fido/",
		Next:      "/filings",
		ReturnURL: env.Origin + "/signin",
		Logger:    env.Logger,
	})
}

// newCard makes the forms in which citizens sign with their card, with the phone
// beside it. In production the component is left out: it is where package hipki
// expects it.
func newCard(auth *signin.Authenticator, phone *fido.Flow, env program.Env) (*hipki.Handler, error) {
	return hipki.New(hipki.Config{
		Auth:      auth,
		Path:      "/card/",
		Component: env.World.Component.Origin,
		Language:  site.Language,
		Beside:    phone.Section,
	})
}
