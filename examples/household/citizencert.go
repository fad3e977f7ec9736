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
	"github.com/citizencert/citizencert/signin/hipki"
	"github.com/citizencert/citizencert/verify"
)

// This file is what a service writes to use the SDK. The rest of the example is
// the service itself.

// serviceName is in every line that a card signs for this service.
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

// newSignIn signs citizens in with their card.
func newSignIn(ctx context.Context, env program.Env, v *verify.Verifier, store *Store) (*signin.Authenticator, *hipki.Handler, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	pairwiseKey, err := store.PairwiseKey(ctx)
	if err != nil {
		return nil, nil, err
	}
	auth, err := signin.New(signin.Config{
		Verifier:    v,
		Origins:     []string{env.Origin},
		Service:     serviceName,
		Key:         key,
		PairwiseKey: pairwiseKey,
		LoginPath:   "/signin",
		Logger:      env.Logger,

		// The identity check needs the certificate.
		OnSignIn: func(ctx context.Context, res *verify.Result, session *signin.Session) error {
			return store.KeepCertificate(ctx, session.Subject, res.Signers[0].Path[0].Raw)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	card, err := hipki.New(hipki.Config{
		Auth:      auth,
		Path:      "/card/",
		Type:      signin.PKCS7, // proves a consent by itself, with the certificate inside
		Component: env.World.Component.Origin,
		Language:  site.Language,
	})
	return auth, card, err
}
