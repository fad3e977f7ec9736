package verify

import (
	"context"
	"crypto"
	"errors"
	"hash"
	"io"
	"slices"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/cms"
)

// MaxStreamOverhead is how much a message that is read from a reader may have
// besides its content, in bytes.
const MaxStreamOverhead = cms.DefaultStreamBytes

// CopyUnverified verifies a SignedData that has its content inside, of any size, in
// DER or in BER as streaming signers send it, with the checks of
// [Verifier.SignedData]. r is read once, to its end, in constant memory.
//
// The content is written to dst while it is read. It is unverified until
// CopyUnverified returns a nil error: until then dst must be a place from which
// nobody reads, such as a temporary file that is renamed afterwards. dst is not
// undone if the message is refused. If dst is nil, the content is verified and
// dropped.
//
// Every digest algorithm that a signer uses must be among the digestAlgorithms of
// the message, which precede the content. RFC 5652, Section 5.1, allows to ask for
// that; [Verifier.SignedData] does not. Failures of r and dst have
// ReasonCanceled. The Result has no Content.
func (v *Verifier) CopyUnverified(ctx context.Context, dst io.Writer, r io.Reader, opts *Options) (result *Result, refusal error) {
	defer func() { result, refusal = v.describe(askedCopy, nil, opts, result, refusal) }()
	if r == nil {
		return nil, refuse(ReasonMalformed, "no message was given")
	}
	content := &contentWriter{v: v, dst: dst}
	message, err := cms.ParseStream(contextReader{ctx, r}, cms.Limits{}, content.open)
	if err != nil {
		if e, ok := errors.AsType[*cms.StreamError](err); ok {
			return nil, refuse(ReasonCanceled, "reading the message: %w", e.Err)
		}
		return nil, syntaxError(err)
	}
	j := new(judgement)
	if err := j.begin(ctx, v, message, opts); err != nil {
		return nil, err
	}
	if message.Detached {
		return nil, refuse(ReasonContentMissing, "the SignedData has no content inside: use Detached")
	}
	if err := j.checkLine(content.head); err != nil {
		return nil, err
	}
	if j.guard != nil {
		j.guard = &content.guard
	}
	return j.judge(content.sums)
}

// A contentWriter takes content as it comes, before it is known who signs what.
type contentWriter struct {
	v       *Verifier
	dst     io.Writer
	hashes  []crypto.Hash
	running []hash.Hash
	guard   attributeGuard
	head    []byte // as much as checkLine looks at
}

// open prepares for the digest algorithms of the message. What the policy does not
// accept, no signer can use.
func (c *contentWriter) open(ids []algorithm.Identifier) (io.Writer, error) {
	for _, id := range ids {
		h, err := algorithm.Digest(id)
		if err != nil || c.v.algorithms.AtAnyTime().CheckHash(h) != nil || slices.Contains(c.hashes, h) {
			continue
		}
		c.hashes = append(c.hashes, h)
		c.running = append(c.running, h.New())
	}
	return c, nil
}

func (c *contentWriter) Write(p []byte) (int, error) {
	c.head = append(c.head, p[:min(len(p), longestHead-len(c.head))]...)
	if c.v.tolerated[DeviationNoSignedAttributes] {
		c.guard.Write(p)
	}
	for _, h := range c.running {
		h.Write(p)
	}
	if c.dst == nil {
		return len(p), nil
	}
	return c.dst.Write(p)
}

// sums returns the digests for judge.
func (c *contentWriter) sums(wanted []crypto.Hash) (digests, error) {
	sums := make(digests, len(wanted))
	for n, h := range wanted {
		i := slices.Index(c.hashes, h)
		if i < 0 {
			return nil, refuse(ReasonAlgorithm, "digestAlgorithm %v of a signer is not among the digestAlgorithms of the message", h)
		}
		sums[n].hash = h
		c.running[i].Sum(sums[n].sum[:0])
	}
	return sums, nil
}
