package main

import (
	"context"
	"flag"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/verify"
)

// setupOCSP is the command ocsp: it judges one response for one certificate, and
// nothing else. The status of a delegated responder would take further evidence,
// so that it is reported as not checked, unless ocsp-nocheck waives it.
func setupOCSP(fs *flag.FlagSet) action {
	q := &question{}
	q.register(fs)
	return func(_ context.Context, in *files, name string) (report, error) {
		query, answer, err := q.judgeOCSP(in, name)
		if err != nil {
			return newStatus(query, nil, err)
		}
		s, err := newStatus(query, &answer.StatusReport, nil)
		if err == nil {
			s.ResponderStatus = answer.Responder
		}
		return s, err
	}
}

func (q *question) judgeOCSP(in *files, name string) (verify.StatusQuery, *ocspclient.Answer, error) {
	query, err := q.query(in)
	if err != nil {
		return query, nil, err
	}
	response, err := in.object(name, ocspFormat)
	if err != nil {
		return query, nil, err
	}
	answer, err := ocspclient.Judge(response, query.Cert, query.Issuer, ocspclient.JudgeOptions{
		At: query.At, Now: query.Now, InsecureAllowSHA1: q.allowSHA1,
	})
	return query, answer, err
}
