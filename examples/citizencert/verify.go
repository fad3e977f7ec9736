package main

import (
	"context"
	"flag"
	"io"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// setupVerify is the command verify: a SignedData, with its content inside or in
// a file of its own.
func setupVerify(fs *flag.FlagSet) action {
	t := &trust{anyProfile: signerProfile()}
	t.register(fs)
	t.stamping.register(fs)
	t.deviations.register(fs)
	t.statement.register(fs)
	content := fs.String("content", "", "`FILE` with the content that was signed, if it is not in the SignedData; raw bytes of any size")
	kept := fs.String("evidence", "", "`FILE` to write the verdict to, with what it rests on; it must not be there yet")
	return func(ctx context.Context, in *files, name string) (report, error) {
		return t.newVerdict(t.judgeSignedData(ctx, in, name, *content, *kept))
	}
}

func (t *trust) judgeSignedData(ctx context.Context, in *files, name, contentName, kept string) (*verify.Result, error) {
	if err := t.statement.check(contentName); err != nil {
		return nil, err
	}
	scheme, err := t.scheme(in)
	if err != nil {
		return nil, err
	}
	if t.statement.asked() {
		return t.judgeStatement(ctx, in, scheme, name, contentName, kept)
	}
	message, err := in.object(name, signedDataFormat)
	if err != nil {
		return nil, err
	}
	var content *contentReader
	if contentName != "" {
		if content, err = in.content(contentName); err != nil {
			return nil, err
		}
		defer content.Close()
	}
	j, err := t.newJudge(in, scheme, nil, certificatesIn(message))
	if err != nil {
		return nil, err
	}
	defer j.sources.Close()
	if kept != "" {
		q := evidence.Question{Method: evidence.SignedData, Signature: message, Options: j.opts}
		if content != nil {
			q.Method = evidence.Detached
		}
		return j.keep(ctx, kept, q, content)
	}
	if content == nil {
		return j.SignedData(ctx, message, j.opts)
	}
	res, err := j.Detached(ctx, message, content, j.opts)
	if content.err != nil {
		return nil, content.err
	}
	return res, err
}

// A contentReader remembers why its file could not be read, which is no verdict
// on the signature.
type contentReader struct {
	io.ReadCloser
	err error
}

// content opens a file with content.
func (f *files) content(name string) (*contentReader, error) {
	r, err := f.open(name)
	return &contentReader{ReadCloser: r}, err
}

func (c *contentReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// certificatesIn returns the certificates that a message carries. What cannot be
// read is reported when the message is verified.
func certificatesIn(message []byte) [][]byte {
	signedData, err := cms.Parse(message, cms.Limits{})
	if err != nil {
		return nil
	}
	return signedData.Certificates
}
