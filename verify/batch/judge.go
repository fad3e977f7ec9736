package batch

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"runtime"
	"time"

	"github.com/citizencert/citizencert/internal/line"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// maxInMemory is the largest signature that is read into memory, in bytes. A
// message with its content inside may be larger, and is then read as a stream.
const maxInMemory = 1 << 20

// A bench is what one worker judges with, used for one filing after the other.
type bench struct {
	*Runner
	message []byte // of the present filing, and its hash
	hash    evidence.Hash
	chunk   [64 << 10]byte
	sha256  hash.Hash
}

func newBench(r *Runner) *bench { return &bench{Runner: r, sha256: sha256.New()} }

// judge makes the result of one filing. An error is not about the filing, and ends
// the run.
func (b *bench) judge(ctx context.Context, item *Item) (res *Result, err error) {
	began := time.Now()
	res = b.newResult(item)
	defer func() {
		if caught := recover(); caught != nil {
			*res, err = *b.newResult(item), nil
			res.refuse(Failed, ReasonPanic, panicText(caught))
		}
		res.Micros = time.Since(began).Microseconds()
	}()
	switch {
	case item.Err != nil:
		res.refuse(Refused, verify.ReasonMalformed, item.Err)
	case item.Signature == nil:
		res.refuse(Refused, verify.ReasonMalformed, errors.New("batch: the filing has no signature"))
	case item.ReceivedAt.IsZero():
		res.refuse(Refused, ReasonReceiptMissing, errors.New("batch: the source does not say when the filing was received"))
	default:
		return res, b.judgeParts(ctx, item, res)
	}
	return res, nil
}

// panicText tells what the runtime says. What else a panic carries may be content
// of the filing.
func panicText(caught any) error {
	if e, ok := caught.(runtime.Error); ok {
		return fmt.Errorf("batch: panic: %w", e)
	}
	return fmt.Errorf("batch: panic with a %T", caught)
}

func (b *bench) judgeParts(ctx context.Context, item *Item, res *Result) error {
	var whole bool
	var err error
	b.message, whole, err = item.Signature.read(b.chunk[:], maxInMemory)
	if err != nil {
		res.unreadable(err)
		return nil
	}
	if whole {
		b.hash = evidence.HashOf(b.message)
		res.Signature = b.hash.String()
	}
	opts := verify.Options{Use: verify.UseFiling, ReceivedAt: item.ReceivedAt}
	switch {
	case !whole && (item.Content != nil || item.Line != ""):
		res.refuse(Refused, verify.ReasonLimit, fmt.Errorf("batch: a signature apart from its content is larger than %d bytes", maxInMemory))
		return nil
	case item.Line != "":
		return b.judgeStatement(ctx, item, res, opts)
	case item.Content != nil:
		return b.judgeDetached(ctx, item, res, &opts)
	case !whole:
		return b.judgeStream(ctx, item, res, &opts)
	}
	if limit := b.cfg.MaxContent; limit > 0 && int64(len(b.message)) > limit {
		res.unreadable(tooLarge{limit})
		return nil
	}
	asked := b.verifier.Now()
	verdict, refusal := b.verifier.SignedData(ctx, b.message, &opts)
	b.fill(res, item, verdict, refusal)
	q := b.question(evidence.SignedData, &opts)
	return b.account(ctx, res, q, asked, verdict, refusal)
}

// question begins a question about the present message.
func (b *bench) question(method evidence.Method, opts *verify.Options) *evidence.Question {
	return &evidence.Question{
		Method: method, Signature: b.message, SignatureHash: b.hash, SignatureSize: int64(len(b.message)), Options: opts,
	}
}

// judgeStream judges a large message, from its beginning.
func (b *bench) judgeStream(ctx context.Context, item *Item, res *Result, opts *verify.Options) error {
	r, err := item.Signature.bounded(b.cfg.MaxContent)
	if err != nil {
		res.unreadable(err)
		return nil
	}
	defer r.Close()
	b.sha256.Reset()
	read := &counted{Reader: io.TeeReader(r, b.sha256)}
	asked := b.verifier.Now()
	verdict, refusal := b.verifier.CopyUnverified(ctx, nil, read, opts)
	b.fill(res, item, verdict, refusal)
	if refusal != nil { // perhaps before its end; what is larger than that cannot be asked about again
		io.CopyN(io.Discard, read, verify.MaxSize)
	}
	if !read.ended {
		return nil
	}
	sum := evidence.Hash(b.sha256.Sum(nil))
	res.Signature = sum.String()
	q := &evidence.Question{Method: evidence.Streamed, SignatureHash: sum, SignatureSize: read.size, Options: opts}
	return b.account(ctx, res, q, asked, verdict, refusal)
}

// A counted reader knows how many bytes were read from it, and whether all were.
type counted struct {
	io.Reader
	size  int64
	ended bool
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.size += int64(n)
	c.ended = c.ended || err == io.EOF
	return n, err
}

// judgeDetached judges a signature and its content apart. The content is hashed
// here, once for verdict and record. Digest is at least as strict as Detached but
// that it does not see the content, so what it accepts is good; what it refuses,
// Detached says why, unless that was the status, which comes last.
func (b *bench) judgeDetached(ctx context.Context, item *Item, res *Result, opts *verify.Options) error {
	isLine, err := b.hashContent(ctx, item.Content)
	if err != nil {
		res.unreadable(err)
		return nil
	}
	sum := b.sha256.Sum(nil)
	res.Content = hex.EncodeToString(sum)
	q := b.question(evidence.Detached, opts)
	q.Sums = map[crypto.Hash][]byte{crypto.SHA256: sum}
	if !isLine {
		asked := b.verifier.Now()
		verdict, refusal := b.verifier.Digest(ctx, b.message, q.Sums, opts)
		if refusal == nil || isStatus(refusal) {
			b.fill(res, item, verdict, refusal)
			return b.account(ctx, res, q, asked, verdict, refusal)
		}
	}
	r, err := item.Content.bounded(b.cfg.MaxContent)
	if err != nil {
		res.unreadable(err)
		return nil
	}
	defer r.Close()
	again := q.Digester(r)
	asked := b.verifier.Now()
	verdict, refusal := b.verifier.Detached(ctx, b.message, again, opts)
	if sums := again.Sums(); sums != nil {
		q.Sums = sums
	}
	if refusal == nil && !bytes.Equal(sum, q.Sums[crypto.SHA256]) {
		res.refuse(Failed, ReasonUnreadable, errors.New("batch: the content has changed while it was read"))
		return nil
	}
	b.fill(res, item, verdict, refusal)
	return b.account(ctx, res, q, asked, verdict, refusal)
}

// hashContent leaves the hash of the content in b.sha256, and reports whether the
// content begins like a statement line.
func (b *bench) hashContent(ctx context.Context, content Part) (isLine bool, err error) {
	r, err := content.bounded(b.cfg.MaxContent)
	if err != nil {
		return false, err
	}
	defer r.Close()
	b.sha256.Reset()
	n, err := readFull(r, b.chunk[:])
	isLine = line.Begins(b.chunk[:min(n, line.HeadSize)])
	for ; ; n, err = r.Read(b.chunk[:]) {
		b.sha256.Write(b.chunk[:n])
		switch {
		case err == io.EOF:
			return isLine, nil
		case err != nil:
			return false, err
		case ctx.Err() != nil:
			return false, ctx.Err()
		}
	}
}

// isStatus reports whether a refusal is about the status of a certificate, before
// which everything else has passed.
func isStatus(err error) bool {
	e, ok := errors.AsType[*verify.Error](err)
	return ok && e.Check == verify.CheckStatus
}

// judgeStatement judges a document that was filed by a line.
func (b *bench) judgeStatement(ctx context.Context, item *Item, res *Result, opts verify.Options) error {
	var certificate []byte
	if item.Certificate != nil {
		data, whole, err := item.Certificate.read(b.chunk[:], maxInMemory)
		if err == nil && !whole {
			err = tooLarge{maxInMemory}
		}
		if err != nil {
			res.unreadable(err)
			return nil
		}
		certificate = data // not nil, also if it is empty: that is not none
	}
	var document io.Reader
	if item.Content != nil {
		r, err := item.Content.bounded(b.cfg.MaxContent)
		if err != nil {
			res.unreadable(err)
			return nil
		}
		defer r.Close()
		b.sha256.Reset()
		document = io.TeeReader(r, b.sha256)
	}
	opts.Line = item.Line
	q := b.question(evidence.Statement, &opts)
	q.Certificate, q.Host, q.Service = certificate, b.cfg.Host, b.cfg.Service
	asked := b.verifier.Now()
	verdict, refusal := b.verifier.Statement(ctx, item.Line, b.message, certificate, document,
		&verify.StatementOptions{Options: opts, Host: b.cfg.Host, Service: b.cfg.Service})
	if refusal == nil || isStatus(refusal) {
		sum := b.sha256.Sum(nil)
		res.Content, q.Sums = hex.EncodeToString(sum), map[crypto.Hash][]byte{crypto.SHA256: sum}
	}
	b.fill(res, item, verdict, refusal)
	return b.account(ctx, res, q, asked, verdict, refusal)
}
