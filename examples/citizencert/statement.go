package main

import (
	"context"
	"errors"
	"flag"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A statement is what verify is told about a filing that was made by signing a
// statement line, in place of the document.
type statement struct {
	line, host, service string
	certificate         string
}

func (s *statement) register(fs *flag.FlagSet) {
	fs.StringVar(&s.line, "statement", "", "`line` that was signed in place of the document of -content, as the service has kept it:\n"+
		"citizencert:1/file/… byte for byte; FILE is a SignedData over it, or with -statement-cert a bare signature")
	fs.StringVar(&s.host, "statement-host", "", "`host[:port]` of the service that the line must be for")
	fs.StringVar(&s.service, "statement-service", "", "`name` of the service that the line must be for")
	fs.StringVar(&s.certificate, "statement-cert", "", "`FILE` with the certificate of who has signed the line; the signature is RSA PKCS #1 v1.5 with SHA-256")
}

func (s *statement) asked() bool { return s.line != "" }

// check refuses flags that belong to a statement where there is none, and the
// other way round.
func (s *statement) check(content string) error {
	switch {
	case !s.asked() && (s.host != "" || s.service != "" || s.certificate != ""):
		return errors.New("-statement-host, -statement-service and -statement-cert are for -statement")
	case s.asked() && (s.host == "" || s.service == "" || content == ""):
		return errors.New("-statement is for -statement-host, -statement-service and -content")
	}
	return nil
}

var signatureFormat = format{name: "signature"}

// judgeStatement verifies FILE as a signature over the line.
func (t *trust) judgeStatement(ctx context.Context, in *files, scheme verify.Scheme, name, documentName, kept string) (*verify.Result, error) {
	s := &t.statement
	signatureIn := signedDataFormat
	var certificate []byte
	var subjects [][]byte
	if s.certificate != "" {
		cert, err := in.certificate(s.certificate)
		if err != nil {
			return nil, err
		}
		signatureIn, certificate, subjects = signatureFormat, cert.Raw, [][]byte{cert.Raw}
	}
	signature, err := in.object(name, signatureIn)
	if err != nil {
		return nil, err
	}
	if certificate == nil {
		subjects = certificatesIn(signature)
	}
	document, err := in.content(documentName)
	if err != nil {
		return nil, err
	}
	defer document.Close()
	j, err := t.newJudge(in, scheme, nil, subjects)
	if err != nil {
		return nil, err
	}
	defer j.sources.Close()
	if kept != "" {
		opts := *j.opts
		opts.Line = s.line
		return j.keep(ctx, kept, evidence.Question{
			Method: evidence.Statement, Signature: signature, Certificate: certificate,
			Host: s.host, Service: s.service, Options: &opts,
		}, document)
	}
	res, err := j.Statement(ctx, s.line, signature, certificate, document, &verify.StatementOptions{
		Options: *j.opts, Host: s.host, Service: s.service,
	})
	if document.err != nil {
		return nil, document.err
	}
	return res, err
}
