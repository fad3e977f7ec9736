package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/subtle"
	"errors"
	"hash"
	"io"
)

// digests are sums of one content by several hashes.
type digests = map[crypto.Hash][]byte

// linePrefix begins every statement line. Content that begins with it is a
// sign-in, a consent or a reference to a document, never a document.
const linePrefix = "citizencert:"

// checkLine refuses content that begins like a statement line, in UTF-8 or
// UTF-16LE, with or without byte order mark, unless it is the line that is
// expected, byte for byte.
func checkLine(content []byte, line string) error {
	if line != "" {
		if string(content) != line {
			return refuse(ReasonPurpose, "the content is not the statement line that was expected")
		}
		return nil
	}
	head := bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	wide := bytes.TrimPrefix(content, []byte("\xff\xfe"))
	if bytes.HasPrefix(head, []byte(linePrefix)) || bytes.HasPrefix(wide, wideLinePrefix()) {
		return refuse(ReasonPurpose, "the content begins with %q and is a statement line, not a document", linePrefix)
	}
	return nil
}

// wideLinePrefix is linePrefix in UTF-16LE.
func wideLinePrefix() []byte {
	wide := make([]byte, 0, 2*len(linePrefix))
	for i := range len(linePrefix) {
		wide = append(wide, linePrefix[i], 0)
	}
	return wide
}

// longestHead is what checkLine looks at in content that is not a line itself.
const longestHead = 2 + 2*len(linePrefix)

// maxLine is the longest statement line.
const maxLine = 1024

// digestReader reads content to its end and returns its sums. line is as in
// checkLine.
func digestReader(ctx context.Context, content io.Reader, hashes []crypto.Hash, line string) (digests, error) {
	head := make([]byte, max(longestHead, maxLine+1))
	n, err := io.ReadFull(contextReader{ctx, content}, head)
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, refuse(ReasonCanceled, "reading the content: %w", err)
	}
	head = head[:n]
	if err := checkLine(head, line); err != nil {
		return nil, err
	}
	rest := io.MultiReader(bytes.NewReader(head), contextReader{ctx, content})
	return digestContent(readerContent{rest}, hashes)
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

// readerContent gives a reader the one method digestContent needs. The buffer is
// large enough that the calls do not show beside the hashing.
type readerContent struct{ r io.Reader }

func (c readerContent) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{c.r}, make([]byte, 256<<10))
}

// digestContent hashes content once by every hash.
func digestContent(content io.WriterTo, hashes []crypto.Hash) (digests, error) {
	running := make(hashers, len(hashes))
	for i, h := range hashes {
		running[i] = h.New()
	}
	if _, err := content.WriteTo(running); err != nil {
		return nil, refuse(ReasonCanceled, "reading the content: %w", err)
	}
	sums := make(digests, len(hashes))
	for i, h := range hashes {
		sums[h] = running[i].Sum(nil)
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

// compareInside checks that content inside the message, if there is any, has the
// digests of the content that was given.
func (j *judgement) compareInside(given digests) error {
	if j.message.Detached {
		return nil
	}
	hashes := j.hashes()
	inside, err := digestContent(&j.message.Content, hashes)
	if err != nil {
		return err
	}
	for _, h := range hashes {
		if subtle.ConstantTimeCompare(inside[h], given[h]) != 1 {
			return refuse(ReasonDigestMismatch, "the content inside the message is not the content that was given")
		}
	}
	return nil
}
