package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"hash"
	"io"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/line"
)

// digests are sums of one content by several hashes.
type digests []digest

type digest struct {
	hash crypto.Hash
	sum  [sha512.Size]byte // and nothing behind hash.Size()
}

// of returns the sum by a hash, or nil.
func (d digests) of(h crypto.Hash) []byte {
	for i := range d {
		if d[i].hash == h {
			return d[i].sum[:h.Size()]
		}
	}
	return nil
}

// areOf reports whether these are the sums of content.
func (d digests) areOf(content []byte) bool {
	for _, given := range d {
		if !equalDigests(algorithm.AppendSum(nil, given.hash, content), d.of(given.hash)) {
			return false
		}
	}
	return len(d) > 0
}

// checkLine refuses content that begins like a statement line, in UTF-8 or
// UTF-16LE, with or without byte order mark, unless it is the line that is
// expected, byte for byte. UTF-16LE passes for that line where the policy
// tolerates it.
func (c *call) checkLine(content []byte) error {
	wide := bytes.TrimPrefix(content, []byte("\xff\xfe"))
	expected := c.opts.Line
	switch {
	case len(expected) > line.MaxLine: // what is read ahead would not tell it from something longer
		return refuse(ReasonPurpose, "the statement line that was expected has %d bytes, want at most %d", len(expected), line.MaxLine)
	case expected != "" && string(content) == expected:
		return nil
	case expected != "" && c.v.tolerated[DeviationUTF16Line] && bytes.Equal(wide, line.UTF16LE(expected)):
		c.deviations = append(c.deviations, DeviationUTF16Line)
		return nil
	case expected != "":
		return refuse(ReasonPurpose, "the content is not the statement line that was expected")
	case line.Begins(content):
		return refuse(ReasonPurpose, "the content begins with %q and is a statement line, not a document", line.Prefix)
	}
	return nil
}

// checkLineBy is checkLine for content of which digests are given. Without the
// content inside they tell that it is the line that is expected, and not that it
// is another one.
func (j *judgement) checkLineBy(given digests) error {
	expected := j.opts.Line
	switch {
	case !j.message.Detached:
		return j.checkLine(j.message.Content.Bytes())
	case expected == "":
		return nil
	}
	wide := line.UTF16LE(expected)
	for _, content := range [][]byte{[]byte(expected), wide, append([]byte("\xff\xfe"), wide...)} {
		if given.areOf(content) {
			return j.checkLine(content)
		}
	}
	return refuse(ReasonPurpose, "the digests that were given are not those of the statement line that was expected")
}

// longestHead is what checkLine looks at: one byte more than the longest line in
// UTF-16LE with byte order mark.
const longestHead = 2 + 2*line.MaxLine + 1

// digestReader reads content to its end and returns its sums.
func (c *call) digestReader(ctx context.Context, content io.Reader, hashes []crypto.Hash, guard *attributeGuard) (digests, error) {
	from, ok := c.v.contents.Get().(*readerContent)
	if !ok {
		from = new(readerContent)
	}
	defer func() {
		*from = readerContent{}
		c.v.contents.Put(from)
	}()
	from.r = contextReader{ctx, content}
	n, err := io.ReadFull(from.r, from.buffer[:longestHead])
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, refuse(ReasonCanceled, "reading the content: %w", err)
	}
	from.head = from.buffer[:n]
	if err := c.checkLine(from.head); err != nil {
		return nil, err
	}
	return digestContent(from, hashes, guard)
}

// contextReader stops reading when its context ends.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// A readerContent is content from a reader, with a buffer large enough that the
// calls do not show beside the hashing. It is used again by another judgement.
type readerContent struct {
	r      contextReader
	head   []byte // what has been read already, in buffer
	buffer [32 << 10]byte
}

func (c *readerContent) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.head)
	if err != nil {
		return int64(n), err
	}
	more, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{c.r}, c.buffer[:])
	return int64(n) + more, err
}

// digestBytes is digestContent for the content of a judgement in memory.
func (j *judgement) digestBytes(content []byte, hashes []crypto.Hash) digests {
	sums := digests(j.room.digests[:0])
	for _, h := range hashes {
		sums = append(sums, digest{hash: h})
		algorithm.AppendSum(sums[len(sums)-1].sum[:0], h, content)
	}
	if j.guard != nil {
		j.guard.Write(content) // never returns an error
	}
	return sums
}

// digestContent hashes content once by every hash, and shows it to guard unless
// that is nil.
func digestContent(content io.WriterTo, hashes []crypto.Hash, guard *attributeGuard) (digests, error) {
	running := make(hashers, len(hashes))
	for i, h := range hashes {
		running[i] = h.New()
	}
	var readers io.Writer = running
	if guard != nil {
		readers = io.MultiWriter(running, guard)
	}
	if _, err := content.WriteTo(readers); err != nil {
		return nil, refuse(ReasonCanceled, "reading the content: %w", err)
	}
	sums := make(digests, len(hashes))
	for i, h := range hashes {
		sums[i].hash = h
		running[i].Sum(sums[i].sum[:0])
	}
	return sums, nil
}

// hashers hash the same content side by side.
type hashers []hash.Hash

func (h hashers) Write(p []byte) (int, error) {
	for _, one := range h {
		one.Write(p) // never returns an error
	}
	return len(p), nil
}

// givenDigests returns, of digests that the caller has computed, those by hashes.
func givenDigests(sums map[crypto.Hash][]byte, hashes []crypto.Hash) (digests, error) {
	given := make(digests, len(hashes))
	for i, h := range hashes {
		sum, ok := sums[h]
		if !ok || len(sum) != h.Size() {
			return nil, refuse(ReasonContentMissing, "a signer used %v, of which no digest of %d bytes was given", h, h.Size())
		}
		given[i].hash = h
		copy(given[i].sum[:], sum)
	}
	return given, nil
}

// equalDigests reports whether two digests are equal. One that is missing equals
// nothing.
func equalDigests(a, b []byte) bool { return len(a) > 0 && subtle.ConstantTimeCompare(a, b) == 1 }

// compareInside checks that content inside the message, if there is any, has the
// digests of the content that was given.
func (j *judgement) compareInside(given digests) error {
	if j.message.Detached {
		return nil
	}
	hashes := j.hashes()
	inside, err := digestContent(&j.message.Content, hashes, nil)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		if !equalDigests(inside.of(h), given.of(h)) {
			return refuse(ReasonDigestMismatch, "the content inside the message is not the content that was given")
		}
	}
	return nil
}
