package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// newProof keeps of a consent what is needed to verify it again.
func newProof(origin, line string, signature []byte, res *verify.Result) (*Proof, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	return &Proof{
		Host:      u.Host,
		Line:      line,
		Signature: signature,
		GivenAt:   res.At,
		Evidence:  res.Evidence,
	}, nil
}

// verifyProof verifies from what is stored alone that the holder consented to the
// text of an application. It checks that
//
//   - the line is one of consent, for this service, and was still valid
//   - it has the digest of the text that is stored
//   - the signature is one over the line, by a certificate that was in force, by the
//     evidence that was kept
//   - the signer is the holder whose application it is
func (s *service) verifyProof(ctx context.Context, a *Application) (*verify.Result, error) {
	p := a.Proof
	line, err := signin.ParseLine(p.Line)
	if err != nil {
		return nil, err
	}
	switch {
	case line.Purpose != signin.Consent || line.Service != serviceName || line.Host != p.Host:
		return nil, fmt.Errorf("the line is for %s at %s/%s", line.Purpose, line.Host, line.Service)
	case line.Digest != sha256.Sum256([]byte(a.Text)):
		return nil, errors.New("the text is not the one that was consented to")
	case p.GivenAt.After(line.Expiry):
		return nil, errors.New("the line had expired")
	}
	res, err := s.archive.Detached(ctx, p.Signature, strings.NewReader(p.Line), &verify.Options{
		Use:        verify.UseSignIn, // as fresh as it had to be when it was given
		ReceivedAt: p.GivenAt,
		Line:       p.Line,
		Evidence:   p.Evidence,
	})
	if err != nil {
		return nil, err
	}
	if len(res.Signers) != 1 || s.Auth.Subject(res.Signers[0].Identity) != a.Subject {
		return nil, errors.New("signed by another holder than the applicant")
	}
	return res, nil
}
