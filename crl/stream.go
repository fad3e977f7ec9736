package crl

import (
	"errors"
	"fmt"
	"io"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
)

// The window on a list that is read as a stream. What is looked at in one piece is
// an entry, a name, or the extensions; those of the real lists take 50 bytes to 1
// KiB. Blocks are as large as the second-level cache likes.
const (
	blockBytes = 256 << 10
	maxPiece   = 64 << 10
	blocks     = 4
)

// A readError is a failure to read, and says nothing about the list.
type readError struct{ err error }

func (e *readError) Error() string { return fmt.Sprintf("reading: %v", e.err) }
func (e *readError) Unwrap() error { return e.err }

// A stream reads a list from front to back through a window, while a goroutine
// digests what has been read. It holds no more than a few blocks of it. close ends
// the goroutine.
type stream struct {
	source io.Reader // nil if the window has everything
	window []byte    // what has been read and not been consumed
	offset int64     // of the window in the list
	ended  bool      // the source has

	pieceAt int64 // offset of the last piece

	block  []byte      // that the window looks at and nobody digests yet
	free   chan []byte // blocks to use, or nil for those yet to be made
	kept   []byte      // what has been consumed since keep
	keeps  bool
	digest *digester
	stop   int64 // where what is digested ends
}

func newStream(source io.Reader) *stream {
	s := &stream{source: source, free: make(chan []byte, blocks)}
	for range blocks {
		s.free <- nil
	}
	return s
}

// streamBytes reads what is in memory already, in place.
func streamBytes(data []byte) *stream { return &stream{window: data, ended: true} }

// need makes n bytes visible, of which there are at most maxPiece.
func (s *stream) need(n int) error {
	for len(s.window) < n {
		if s.ended {
			return s.errorf("list is cut short")
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
	return nil
}

// fill moves the window on to another block, with what has not been consumed in
// front of it. A block that has been digested may be the one that the window looks
// at: nobody but this function writes to it.
func (s *stream) fill() error {
	if s.block != nil {
		s.free <- s.block
	}
	block := <-s.free
	if block == nil {
		block = make([]byte, maxPiece+blockBytes)
	}
	carried := copy(block[maxPiece-len(s.window):], s.window)
	n, err := s.read(block[maxPiece:])
	if err != nil {
		return err
	}
	s.block, s.window = block, block[maxPiece-carried:maxPiece+n]
	s.pass(block[maxPiece:maxPiece+n], s.offset+int64(carried))
	return nil
}

// read fills a block, unless the source ends before.
func (s *stream) read(block []byte) (n int, err error) {
	for idle := 0; n < len(block) && !s.ended; {
		m, err := s.source.Read(block[n:])
		n += m
		switch {
		case err == io.EOF:
			s.ended = true
		case isBadPEM(err):
			return n, s.errorf("%v", err)
		case err != nil:
			return n, &readError{err}
		case m > 0:
			idle = 0
		default:
			if idle++; idle == 100 {
				return n, &readError{io.ErrNoProgress}
			}
		}
	}
	return n, nil
}

// pass hands bytes at an offset to the digester, as far as it wants them, and the
// block with them.
func (s *stream) pass(data []byte, at int64) {
	if s.digest == nil || at >= s.stop {
		return
	}
	s.digest.parts <- part{data[:min(int64(len(data)), s.stop-at)], s.block}
	s.block = nil
}

// keep begins to keep what is consumed, which startDigest wants.
func (s *stream) keep() { s.keeps = true }

// startDigest begins to digest what lies between the call of keep and stop, for a
// signature by the algorithm.
func (s *stream) startDigest(alg algorithm.Signature, stop int64) {
	s.digest, s.stop = newDigester(alg, s.free), stop
	s.digest.parts <- part{data: s.kept}
	s.keeps, s.kept = false, nil
	s.pass(s.window, s.offset)
}

// close ends the digester, if there is one, and returns it.
func (s *stream) close() *digester {
	d := s.digest
	if s.digest = nil; d != nil {
		close(d.parts)
		<-d.done
	}
	return d
}

func (s *stream) errorf(format string, args ...any) error {
	return &der.SyntaxError{Offset: int(s.offset), Msg: fmt.Sprintf(format, args...)}
}

func (s *stream) skip(n int) {
	if s.keeps {
		s.kept = append(s.kept, s.window[:n]...)
	}
	s.window = s.window[n:]
	s.offset += int64(n)
}

// A heading is the identifier and length octets of an element.
type heading struct {
	tag    byte
	size   int // of the heading
	length int64
}

// heading looks at the next element, which ends at end or before. It has a length
// in DER, and a tag number below 31, as all that a list consists of has.
func (s *stream) heading(end int64) (heading, error) {
	if s.offset >= end {
		return heading{}, s.errorf("an element is missing")
	}
	if err := s.need(2); err != nil {
		return heading{}, err
	}
	h := heading{tag: s.window[0], size: 2, length: int64(s.window[1])}
	if h.tag&0x1f == 0x1f || h.tag&^0x20 == 0 {
		return h, s.errorf("element with the tag octet %#x", h.tag)
	}
	if h.length >= 0x80 {
		if err := s.longLength(&h); err != nil {
			return h, err
		}
	}
	if h.length > end-s.offset-int64(h.size) {
		return h, s.errorf("element runs past the end of what holds it")
	}
	return h, nil
}

func (s *stream) longLength(h *heading) error {
	octets := int(h.length & 0x7f)
	switch {
	case octets == 0:
		return &der.SyntaxError{Offset: int(s.offset), Msg: "indefinite length is not DER", NotDER: true}
	case octets > 7:
		return s.errorf("length of %d octets", octets)
	}
	if err := s.need(2 + octets); err != nil {
		return err
	}
	h.size, h.length = 2+octets, 0
	for _, digit := range s.window[2:h.size] {
		h.length = h.length<<8 | int64(digit)
	}
	if h.length < 0x80 || s.window[2] == 0 {
		return &der.SyntaxError{Offset: int(s.offset), Msg: "length is not in its shortest form", NotDER: true}
	}
	return nil
}

// enter reads the heading of a SEQUENCE and returns where its contents end.
func (s *stream) enter(end int64, name string) (int64, error) {
	h, err := s.heading(end)
	if err != nil {
		return 0, err
	}
	if h.tag != tagSequence {
		return 0, s.errorf("%s has the tag octet %#x, want a SEQUENCE", name, h.tag)
	}
	s.skip(h.size)
	return s.offset + h.length, nil
}

// next returns the tag octet of the next element, or 0 at the end.
func (s *stream) next(end int64) (byte, error) {
	if s.offset >= end {
		return 0, nil
	}
	h, err := s.heading(end)
	return h.tag, err
}

// piece reads a whole element, with all that is in it, and checks that it is DER.
// It is valid until the stream goes on.
func (s *stream) piece(end int64) (der.Element, error) {
	h, err := s.heading(end)
	if err != nil {
		return der.Element{}, err
	}
	if h.length > maxPiece-int64(h.size) {
		return der.Element{}, &der.LimitError{What: "bytes in one element", Limit: maxPiece}
	}
	n := h.size + int(h.length)
	if err := s.need(n); err != nil {
		return der.Element{}, err
	}
	s.pieceAt = s.offset
	doc, err := der.Strict(s.window[:n:n], der.Limits{})
	if err != nil {
		return der.Element{}, s.at(err)
	}
	return doc.Root(), nil
}

// at makes the offset in an error about the last piece one in the list.
func (s *stream) at(err error) error {
	if e, ok := errors.AsType[*der.SyntaxError](err); ok {
		e.Offset += int(s.pieceAt)
	}
	return err
}

// end checks that the list ends here, and so does its source.
func (s *stream) end() error {
	if len(s.window) == 0 && !s.ended {
		if err := s.fill(); err != nil {
			return err
		}
	}
	if len(s.window) > 0 {
		return s.errorf("bytes after the value")
	}
	return nil
}
