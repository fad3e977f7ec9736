package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/examples/internal/program"
	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/fido"
	"github.com/citizencert/citizencert/signin/hipki"
	"github.com/citizencert/citizencert/verify"
)

// This file is what a service writes to use the SDK. The rest of the example is
// the service itself.

// serviceName is in every line that is signed for this service.
const serviceName = "household"

// A verifier verifies signatures, and owns the sources of status that it asks.
type verifier struct {
	*verify.Verifier
	sources []io.Closer
}

// newVerifier says whose certificates are accepted, and who is asked whether they
// have been revoked. One that is offline asks nobody: it goes by the evidence that
// was kept.
func newVerifier(scheme verify.Scheme, offline bool) (*verifier, error) {
	ocsp, err := ocspclient.New(ocspclient.Config{AllowedHosts: scheme.Hosts, Offline: offline})
	if err != nil {
		return nil, err
	}
	crls, err := crl.New(crl.Config{AllowedHosts: scheme.Hosts, Offline: offline})
	if err != nil {
		return nil, errors.Join(err, ocsp.Close())
	}
	v := &verifier{sources: []io.Closer{ocsp, crls}}
	if v.Verifier, err = verify.New(verify.Config{Scheme: scheme, Status: []verify.StatusSource{ocsp, crls}}); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// Close ends the questions in flight.
func (v *verifier) Close() error {
	var errs []error
	for _, source := range v.sources {
		errs = append(errs, source.Close())
	}
	return errors.Join(errs...)
}

// newSignIn has citizens sign in, and consent, with their card or with their phone. What
// is signed is a SignedData, which proves a consent by itself, with the certificate
// inside.
func newSignIn(ctx context.Context, env program.Env, v *verify.Verifier, store *Store, pages *site.Site) (*site.SignIn, error) {
	auth, err := newAuthenticator(ctx, env, v, store)
	if err != nil {
		return nil, err
	}
	client, err := env.World.FidoClient()
	if err != nil {
		return nil, err
	}
	phone, err := fido.New(fido.Config{
		Auth:      auth,
		Client:    client,
		Hint:      "登入測試戶政事務所線上申辦",
		Form:      fido.PKCS7,
		Path:      "/signin/fido/",
		Next:      "/applications",
		ReturnURL: env.Origin + "/signin",
		Logger:    env.Logger,
	})
	if err != nil {
		return nil, err
	}
	card, err := hipki.New(hipki.Config{
		Auth:      auth,
		Path:      "/card/",
		Type:      signin.PKCS7,
		Component: env.World.Component.Origin,
		Language:  site.Language,
		Beside:    phone.Section,
	})
	if err != nil {
		return nil, err
	}
	return &site.SignIn{Auth: auth, Card: card, Phone: phone, Site: pages, Home: "/applications", Logger: env.Logger}, nil
}

func newAuthenticator(ctx context.Context, env program.Env, v *verify.Verifier, store *Store) (*signin.Authenticator, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	pairwiseKey, err := store.PairwiseKey(ctx)
	if err != nil {
		return nil, err
	}
	return signin.New(signin.Config{
		Verifier:    v,
		Origins:     []string{env.Origin},
		Service:     serviceName,
		Key:         key,
		PairwiseKey: pairwiseKey,
		Challenges:  store.Challenges(),
		LoginPath:   "/signin",
		Logger:      env.Logger,

		// The identity check needs the certificate.
		OnSignIn: func(ctx context.Context, res *verify.Result, session *signin.Session) error {
			return store.KeepCertificate(ctx, session.Subject, res.Signers[0].Path[0])
		},
	})
}
