package cms

import (
	"bufio"
	"fmt"
	"io"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
)

// ParseStream reads one message from r like [Parse], but hands its content on and
// keeps the rest alone, of which there may be limits.DER.Bytes. digestAlgorithms
// precede the content: open is given them and returns where the content goes. It
// is not called if there is no content. The Content of the message has no bytes.
//
// What is handed on has not been verified, nor is the message known to be well
// formed before ParseStream returns. Errors are as those of Parse, or come from r,
// open, or what open has returned, wrapped in a [StreamError].
//
// The message is cut: the octets of the content are taken out on the way, and the
// lengths of the five elements around it made shorter by as much. The encoding of
// what is left is sound if and only if that of the whole was, so that Parse can
// read it. What does not look like a message with content inside is left to Parse
// as it is.
func ParseStream(r io.Reader, limits Limits, open func([]algorithm.Identifier) (io.Writer, error)) (*SignedData, error) {
	limits = limits.withDefaults()
	if limits.DER.Bytes == 0 {
		limits.DER.Bytes = DefaultStreamBytes
	}
	s := &stream{in: bufio.NewReader(r), limits: limits}
	cut, err := s.cut(open)
	if err != nil {
		return nil, fmt.Errorf("cms: %w", err)
	}
	message, err := Parse(s.kept, limits)
	if err != nil {
		return nil, err
	}
	if cut && message.Detached {
		// What was taken for eContent is not where Parse looks for it.
		return nil, fmt.Errorf("cms: %w", s.errorf("content outside encapContentInfo"))
	}
	return message, nil
}

// DefaultStreamBytes is how much there may be of a message besides its content.
const DefaultStreamBytes = 1 << 20

// A StreamError is a failure to read a message or to hand its content on.
type StreamError struct{ Err error }

func (e *StreamError) Error() string { return e.Err.Error() }
func (e *StreamError) Unwrap() error { return e.Err }

// indefinite stands for a length that is not given.
const indefinite = -1

// A stream takes the content out of a message on its way.
type stream struct {
	in     *bufio.Reader
	limits Limits
	offset int64 // in the message
	kept   []byte
	around []wrapper
}

// A wrapper is an element around the content.
type wrapper struct {
	at, octets int   // where its length octets stand in kept, and how many
	length     int64 // or indefinite
}

// The elements around the content, by their identifier octets, and how many
// elements stand before the next one in each: contentType; version and
// digestAlgorithms; eContentType.
var path = []struct {
	identifier byte
	before     int
}{
	{0x30, 1}, // ContentInfo
	{0xa0, 0}, // its content
	{0x30, 2}, // SignedData
	{0x30, 1}, // encapContentInfo
	{0xa0, 0}, // eContent
}

// cut reads the whole message and reports whether there was content to take out.
func (s *stream) cut(open func([]algorithm.Identifier) (io.Writer, error)) (bool, error) {
	digestAlgorithms, err := s.descend()
	if err != nil {
		return false, err
	}
	cut := digestAlgorithms != nil
	if cut {
		if err := s.takeContent(digestAlgorithms, open); err != nil {
			return false, err
		}
	}
	rest, err := io.ReadAll(io.LimitReader(s.in, int64(s.limits.DER.Bytes-len(s.kept)+1)))
	if err != nil {
		return false, &StreamError{err}
	}
	if s.kept = append(s.kept, rest...); len(s.kept) > s.limits.DER.Bytes {
		return false, s.tooMuch()
	}
	return cut, nil
}

// descend reads up to the contents of eContent and returns the encoding of
// digestAlgorithms, or nil if the message does not look like that.
func (s *stream) descend() ([]byte, error) {
	var digestAlgorithms []byte
	var ends int64 // offset of the end of encapContentInfo, or indefinite
	for i, step := range path {
		if i == len(path)-1 && s.offset == ends {
			return nil, nil // detached
		}
		w, ok, err := s.enter(step.identifier)
		if err != nil || !ok {
			return nil, err
		}
		if ends = indefinite; w.length != indefinite {
			ends = s.offset + w.length
		}
		for range step.before {
			start := len(s.kept)
			if ok, err := s.keepElement(); err != nil || !ok {
				return nil, err
			}
			if step.before == 2 {
				digestAlgorithms = s.kept[start:]
			}
		}
	}
	return digestAlgorithms, nil
}

// enter reads the header of an element around the content.
func (s *stream) enter(identifier byte) (wrapper, bool, error) {
	got, w, ok, err := s.header()
	if err != nil || !ok || got != identifier {
		return w, false, err
	}
	s.around = append(s.around, w)
	return w, true, nil
}

// keepElement reads an element that stands before the content.
func (s *stream) keepElement() (bool, error) {
	for depth := 0; ; {
		identifier, w, ok, err := s.header()
		if err != nil || !ok {
			return false, err
		}
		switch {
		case w.length == indefinite:
			depth++
		case identifier == 0 && w.length == 0:
			depth--
		default:
			if err := s.keep(w.length); err != nil {
				return false, err
			}
		}
		if depth <= 0 {
			return depth == 0, nil
		}
	}
}

func (s *stream) tooMuch() error {
	return &der.LimitError{What: "bytes besides the content", Limit: s.limits.DER.Bytes}
}

func (s *stream) errorf(format string, args ...any) error {
	return &der.SyntaxError{Offset: int(s.offset), Msg: fmt.Sprintf(format, args...)}
}

// takeContent hands the contents of eContent on, and keeps the header of an OCTET
// STRING without bytes. If there is another element, it keeps that and leaves the
// rest to Parse.
func (s *stream) takeContent(digestAlgorithms []byte, open func([]algorithm.Identifier) (io.Writer, error)) error {
	ids, err := s.digestAlgorithms(digestAlgorithms)
	if err != nil {
		return err
	}
	identifier, w, ok, err := s.header()
	if err != nil || !ok || identifier != octetString && identifier != stringOfPieces {
		return err
	}
	out, err := open(ids)
	if err != nil {
		return &StreamError{err}
	}
	p := pieces{stream: s, out: out}
	begin := s.offset
	if err := p.take(identifier, w.length); err != nil {
		return err
	}
	if err := p.flush(); err != nil {
		return err
	}
	taken := s.offset - begin
	if w.length == indefinite {
		s.kept = append(s.kept, 0, 0)
		taken -= 2 // the end-of-contents octets are kept
	}
	return s.shorten(append(s.around, w), taken)
}

func (s *stream) digestAlgorithms(set []byte) ([]algorithm.Identifier, error) {
	doc, err := der.Scan(set, s.limits.DER)
	if err != nil {
		return nil, err
	}
	if doc.Root().Tag != der.Set {
		return nil, doc.Root().Errorf("digestAlgorithms has tag %v, want %v", doc.Root().Tag, der.Set)
	}
	return parseDigestAlgorithms(nil, doc.Root(), s.limits)
}

// shorten takes n off the lengths of the elements around what was taken out. The
// number of their length octets stays as it is.
func (s *stream) shorten(around []wrapper, n int64) error {
	for _, w := range around {
		if w.length == indefinite {
			continue
		}
		length := w.length - n
		if length < 0 {
			return s.errorf("content runs past the end of what holds it")
		}
		digits := s.kept[w.at : w.at+w.octets]
		if w.octets > 1 {
			digits = digits[1:]
		}
		for i := range digits {
			digits[len(digits)-1-i] = byte(length >> (8 * i))
		}
	}
	return nil
}
