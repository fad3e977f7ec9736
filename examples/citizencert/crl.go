package main

import (
	"context"
	"flag"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/verify"
)

// setupCRL is the command crl: it judges one list for one certificate. A list
// without issuingDistributionPoint is taken as complete, as RFC 5280, Section
// 5.2.5 has it: whoever names the file vouches for that. A CRLNumber is not asked
// for, as it tells lists from older ones, and here is one alone.
func setupCRL(fs *flag.FlagSet) action {
	q := &question{}
	q.register(fs)
	return func(_ context.Context, in *files, name string) (report, error) {
		return newStatus(q.judgeCRL(in, name))
	}
}

func (q *question) judgeCRL(in *files, name string) (verify.StatusQuery, *verify.StatusReport, error) {
	query, err := q.query(in)
	if err != nil {
		return query, nil, err
	}
	der, err := in.object(name, crlFormat)
	if err != nil {
		return query, nil, err
	}
	list, err := crl.Parse(der)
	if err != nil {
		return query, nil, err
	}
	found, err := crl.Judge(list, query.Cert, query.Issuer, crl.JudgeOptions{
		Complete: true, InsecureAllowNoNumber: true, InsecureAllowSHA1: q.allowSHA1,
	})
	return query, found, err
}
