package verify

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"io"

	"github.com/citizencert/citizencert/internal/line"
)

// StatementOptions are the particulars of a call of [Verifier.Statement].
type StatementOptions struct {
	Options // without Line, which the call has

	// Host and Service are those that the line must name: the host[:port] of the
	// relying party and its service, as package signin has them. Required, both:
	// what was signed for another service is not a filing with this one.
	Host, Service string

	// DocumentDigest is the SHA-256 of the document, computed before, where the
	// document is not at hand. The caller answers for the document: that it does not
	// begin like a line is not checked. If nil, the document is read.
	DocumentDigest []byte

	// Algorithm is what a bare signature was asked for with. If zero,
	// x509.SHA256WithRSA, as card reader component and phone sign.
	Algorithm x509.SignatureAlgorithm
}

// Statement verifies a document that was filed by signing a statement line with
// purpose file, which has the SHA-256 of the document, where a client cannot sign
// the document itself. It checks that
//
//   - line has the form that package signin gives, byte for byte, its purpose is
//     file, and it is for Host and Service
//   - it had not expired at the instant of judgement
//   - it is not one for development under production anchors, nor the reverse
//   - signature is one over line, by the certificate, with the checks of
//     [Verifier.Signature]; if certificate is nil, signature is a SignedData over
//     line, attached or detached, with the checks of [Verifier.SignedData]
//   - document has the digest in the line, and does not begin like a line itself
//
// line is what the relying party has built and remembers, or has kept with the
// filing: that its challenge was issued, and is used once, is for the caller.
// document is read once, to its end, in constant memory, after everything but the
// status of the certificates has passed.
//
// A line that is not to be accepted is refused with ReasonPurpose, also if it has
// expired: ReasonExpired is about certificates.
func (v *Verifier) Statement(ctx context.Context, line string, signature, certificate []byte, document io.Reader, opts *StatementOptions) (result *Result, refusal error) {
	if opts == nil {
		opts = new(StatementOptions)
	}
	o := opts.Options
	asked, given := askedStatement, certificate
	if certificate == nil {
		asked, given = askedSignedStatement, signature
	}
	defer func() { result, refusal = v.describe(asked, given, &o, result, refusal) }()
	switch {
	case document != nil && opts.DocumentDigest != nil:
		return nil, refuse(ReasonPurpose, "a document and StatementOptions.DocumentDigest were given, want one of them")
	case document == nil && opts.DocumentDigest == nil:
		return nil, refuse(ReasonContentMissing, "no document was given; an empty document is an empty reader")
	}
	o.Line = line
	digest, err := v.checkStatement(v.newCall(&o, UseFiling), opts)
	if err != nil {
		return nil, err
	}
	checkDocument := func() error {
		if document == nil {
			return compareDocument(opts.DocumentDigest, digest)
		}
		return v.checkDocument(ctx, document, digest)
	}
	if certificate != nil {
		alg := opts.Algorithm
		if alg == x509.UnknownSignatureAlgorithm {
			alg = x509.SHA256WithRSA
		}
		return v.signature(ctx, certificate, alg, []byte(line), signature, v.newCall(&o, UseFiling), checkDocument)
	}
	j, err := v.parse(ctx, signature, &o)
	if err != nil {
		return nil, err
	}
	defer v.release(j)
	signed := []byte(line)
	if !j.message.Detached {
		signed = j.message.Content.Bytes()
	}
	if err := j.checkLine(signed); err != nil {
		return nil, err
	}
	return j.judge(func(hashes []crypto.Hash) (digests, error) {
		if err := checkDocument(); err != nil {
			return nil, err
		}
		return j.digestBytes(signed, hashes), nil
	})
}

// checkStatement judges the line and returns the digest of the document.
func (v *Verifier) checkStatement(c *call, opts *StatementOptions) (digest [sha256.Size]byte, err error) {
	if opts.Host == "" || opts.Service == "" {
		return digest, refuse(ReasonPurpose, "StatementOptions.Host and Service are required")
	}
	l, err := line.Parse(c.opts.Line)
	if err != nil {
		return digest, refuse(ReasonPurpose, "not a statement line: %w", err)
	}
	development := line.IsLoopback(l.Host)
	switch environment := v.scheme.Environment; {
	case l.Purpose != line.File:
		return digest, refuse(ReasonPurpose, "the line is for purpose %s, want %s", l.Purpose, line.File)
	case l.Host != opts.Host || l.Service != opts.Service:
		return digest, refuse(ReasonPurpose, "the line is for service %s at %s, want %s at %s", l.Service, l.Host, opts.Service, opts.Host)
	case !c.at.Before(l.Expiry):
		return digest, refuse(ReasonPurpose, "the line expired at %s", l.Expiry.Format(timeLayout))
	case development && environment == Production:
		return digest, refuse(ReasonEnvironment, "the line is for development, and the verifier for production")
	case !development && environment == Test:
		return digest, refuse(ReasonEnvironment, "the line is for a public host, and the verifier for the test environment")
	}
	return l.Digest, nil
}

// checkDocument reads the document that a line has the digest of.
func (v *Verifier) checkDocument(ctx context.Context, document io.Reader, digest [sha256.Size]byte) error {
	c := v.newCall(nil, UseFiling) // expects no line: a document is never one
	sums, err := c.digestReader(ctx, document, []crypto.Hash{crypto.SHA256}, nil)
	if err != nil {
		return err
	}
	return compareDocument(sums.of(crypto.SHA256), digest)
}

func compareDocument(sum []byte, digest [sha256.Size]byte) error {
	if !equalDigests(sum, digest[:]) {
		return refuse(ReasonDigestMismatch, "the line is not about this document")
	}
	return nil
}
