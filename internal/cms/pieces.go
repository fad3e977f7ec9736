package cms

import (
	"errors"
	"io"

	"github.com/citizencert/citizencert/internal/der"
)

// Identifier octets of an OCTET STRING: primitive, and of one in pieces.
const (
	octetString    = 0x04
	stringOfPieces = 0x24
)

// pieces hands on the octets of an OCTET STRING that may come in pieces (X.690,
// Section 8.7.3), joined into writes of some size.
type pieces struct {
	*stream
	out    io.Writer
	buffer []byte // not yet written
}

// A piece is one that is open: it has pieces inside.
type piece struct {
	end        int64 // offset of its end; of that of its parent if it is indefinite
	indefinite bool
}

// maxOffset is beyond every message.
const maxOffset = 1 << 62

// take reads the contents of the OCTET STRING whose header has been read.
func (p *pieces) take(identifier byte, length int64) error {
	if identifier == octetString {
		return p.copy(length)
	}
	open := []piece{p.enter(length, maxOffset)}
	for {
		last := open[len(open)-1]
		if !last.indefinite && p.offset == last.end {
			if open = open[:len(open)-1]; len(open) == 0 {
				return nil
			}
			continue
		}
		identifier, length, err := p.header()
		if err != nil {
			return err
		}
		switch {
		case p.offset > last.end:
			return p.errorf("piece of a string runs past the end of what holds it")
		case identifier == 0 && last.indefinite:
			if open = open[:len(open)-1]; len(open) == 0 {
				return nil
			}
			continue
		case identifier != octetString && identifier != stringOfPieces:
			return p.errorf("piece of a string has identifier %#02x", identifier)
		case length > last.end-p.offset:
			return p.errorf("piece of a string runs past the end of what holds it")
		case identifier == octetString:
			if err := p.copy(length); err != nil {
				return err
			}
			continue
		case len(open)+len(path) == der.DefaultDepth:
			return &der.LimitError{What: "levels of nesting", Limit: der.DefaultDepth}
		}
		open = append(open, p.enter(length, last.end))
	}
}

func (p *pieces) enter(length, parentEnd int64) piece {
	if length == indefinite {
		return piece{parentEnd, true}
	}
	return piece{p.offset + length, false}
}

// header reads the header of a piece, which is not kept.
func (p *pieces) header() (identifier byte, length int64, err error) {
	kept := len(p.kept)
	identifier, w, ok, err := p.stream.header()
	p.kept = p.kept[:kept]
	if err == nil && !ok {
		err = p.errorf("malformed or missing header in a string of several pieces")
	}
	return identifier, w.length, err
}

// bufferSize is large enough that the writes do not show beside the hashing. A
// small message does not need as much: the buffer begins with smallBuffer.
const (
	bufferSize  = 256 << 10
	smallBuffer = 16 << 10
)

// copy hands n octets on.
func (p *pieces) copy(n int64) error {
	for n > 0 {
		switch {
		case p.buffer == nil:
			p.buffer = make([]byte, 0, min(n, smallBuffer))
		case len(p.buffer) < cap(p.buffer):
		case cap(p.buffer) < bufferSize: // there is more than it seemed
			p.buffer = append(make([]byte, 0, min(4*cap(p.buffer), bufferSize)), p.buffer...)
		default:
			if err := p.flush(); err != nil {
				return err
			}
		}
		room := p.buffer[len(p.buffer):cap(p.buffer)]
		if int64(len(room)) > n {
			room = room[:n]
		}
		got, err := io.ReadFull(p.in, room)
		p.buffer = p.buffer[:len(p.buffer)+got]
		p.offset += int64(got)
		n -= int64(got)
		if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
			return p.errorf("the message ends within its content")
		}
		if err != nil {
			return &StreamError{err}
		}
	}
	return nil
}

// flush writes what is buffered.
func (p *pieces) flush() error {
	n, err := p.out.Write(p.buffer)
	if err == nil && n < len(p.buffer) {
		err = io.ErrShortWrite
	}
	p.buffer = p.buffer[:0]
	if err != nil {
		return &StreamError{err}
	}
	return nil
}
