package evidence

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"

	"github.com/citizencert/citizencert/verify"
)

// A Method is one of the methods of a Verifier.
type Method string

// The methods.
const (
	SignedData  Method = "signed-data" // Verifier.SignedData
	Streamed    Method = "streamed"    // Verifier.CopyUnverified, of which the content is dropped
	Detached    Method = "detached"
	ByDigest    Method = "digest"
	Signature   Method = "signature"
	Certificate Method = "certificate"
	Statement   Method = "statement"
)

// A Question is what a Verifier is asked.
type Question struct {
	Method Method

	// Signature is the SignedData of SignedData, Streamed, Detached, ByDigest, and of
	// Statement without Certificate; otherwise the bare signature.
	Signature []byte

	// SignatureHash and SignatureSize stand for Signature where it is not at hand, since
	// it was read as a stream, or has been hashed already. They are the caller's word, for
	// [Recorder.Record] with SignaturesApart alone.
	SignatureHash Hash
	SignatureSize int64

	// Certificate is that of Certificate, and the one that goes with a bare
	// signature, in DER.
	Certificate []byte

	// Signed is what the bare signature of Signature is over.
	Signed []byte

	// Algorithm is that of a bare signature. If zero, x509.SHA256WithRSA.
	Algorithm x509.SignatureAlgorithm

	// Host and Service are those of verify.StatementOptions. The line of a Statement
	// is Options.Line.
	Host, Service string

	// Sums are the digests of the content: what ByDigest verifies, and what Record is
	// told of the content of Detached and, as SHA-256, of the document of Statement.
	Sums map[crypto.Hash][]byte

	// Options are those of the call. They may be nil.
	Options *verify.Options
}

// LogValue says nothing of whom the question is about.
func (q *Question) LogValue() slog.Value { return slog.StringValue(string(q.Method)) }

// String is LogValue for package fmt.
func (q *Question) String() string { return "question(" + string(q.Method) + ")" }

func (q *Question) options() verify.Options {
	if q.Options == nil {
		return verify.Options{}
	}
	return *q.Options
}

// use returns the use of the call, filled in.
func (q *Question) use() verify.Use {
	use := q.options().Use
	switch {
	case use != verify.UseDefault:
		return use
	case q.Method == Signature || q.Method == Certificate:
		return verify.UseSignIn
	}
	return verify.UseFiling
}

func (q *Question) algorithm() x509.SignatureAlgorithm {
	if q.Algorithm == x509.UnknownSignatureAlgorithm {
		return x509.SHA256WithRSA
	}
	return q.Algorithm
}

// bare reports whether the signature is not a SignedData.
func (q *Question) bare() bool {
	return q.Method == Signature || q.Method == Statement && q.Certificate != nil
}

// apart reports whether what was signed is outside of Signature.
func (q *Question) apart() bool { return q.Method == Detached || q.Method == Statement }

// check refuses a question that no method of a Verifier answers.
func (q *Question) check() error {
	switch q.Method {
	case SignedData, Streamed, Detached, ByDigest, Signature, Certificate, Statement:
		return nil
	}
	return fmt.Errorf("evidence: Question.Method %q is not one", q.Method)
}

// ask asks v. content is read for Detached and Statement; if it is nil, the digests
// in Sums stand for it.
func (q *Question) ask(ctx context.Context, v *verify.Verifier, content io.Reader) (*verify.Result, error) {
	switch q.Method {
	case SignedData:
		return v.SignedData(ctx, q.Signature, q.Options)
	case Streamed:
		return v.CopyUnverified(ctx, nil, bytes.NewReader(q.Signature), q.Options)
	case Detached:
		if content != nil {
			return v.Detached(ctx, q.Signature, content, q.Options)
		}
		return v.Digest(ctx, q.Signature, q.Sums, q.Options)
	case ByDigest:
		return v.Digest(ctx, q.Signature, q.Sums, q.Options)
	case Signature:
		return v.Signature(ctx, q.Certificate, q.algorithm(), q.Signed, q.Signature, q.Options)
	case Certificate:
		return v.Certificate(ctx, q.Certificate, q.Options)
	case Statement:
		opts := &verify.StatementOptions{Options: q.options(), Host: q.Host, Service: q.Service, Algorithm: q.algorithm()}
		if content == nil {
			opts.DocumentDigest = q.Sums[crypto.SHA256]
		}
		return v.Statement(ctx, opts.Line, q.Signature, q.Certificate, content, opts)
	}
	return nil, q.check()
}
