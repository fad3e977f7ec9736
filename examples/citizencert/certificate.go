package main

import (
	"context"
	"flag"

	"github.com/citizencert/citizencert/verify"
)

// setupCertificate is the command certificate: a path for the first certificate
// in FILE. The others there are untrusted intermediates.
func setupCertificate(fs *flag.FlagSet) action {
	t := &trust{anyProfile: verify.Profile{Name: profileAny, AllowCA: true}}
	t.register(fs)
	return func(ctx context.Context, in *files, name string) (report, error) {
		return t.newVerdict(t.judgeCertificate(ctx, in, name))
	}
}

func (t *trust) judgeCertificate(ctx context.Context, in *files, name string) (*verify.Result, error) {
	scheme, err := t.scheme(in)
	if err != nil {
		return nil, err
	}
	certs, err := in.objects(name, certificateFormat)
	if err != nil {
		return nil, err
	}
	j, err := t.newJudge(in, scheme, certs[1:], certs)
	if err != nil {
		return nil, err
	}
	defer j.sources.Close()
	return j.Certificate(ctx, certs[0], j.opts)
}
