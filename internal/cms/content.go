package cms

import (
	"io"

	"github.com/citizencert/citizencert/internal/der"
)

// parseEncapContentInfo reads
//
//	EncapsulatedContentInfo ::= SEQUENCE {
//	    eContentType  ContentType,
//	    eContent      [0] EXPLICIT OCTET STRING OPTIONAL }
//
// (RFC 5652, Section 5.2). PKCS #7 version 1.5 had any type in the place of the
// OCTET STRING, and hashed its contents octets whatever they were (Section
// 5.2.1). Nobody signs filings that way, and it blurs what was signed: refused.
func (s *SignedData) parseEncapContentInfo(e der.Element) error {
	r := e.Reader()
	var err error
	if s.ContentType, err = readObjectID(&r, "eContentType"); err != nil {
		return err
	}
	explicit, ok := r.Optional(der.ContextConstructed(0))
	if !ok {
		s.Detached = true
		return r.End("EncapsulatedContentInfo")
	}
	inner := explicit.Reader()
	octets, ok := inner.Next()
	if !ok {
		return explicit.Errorf("eContent is missing in its explicit tag")
	}
	if octets.Tag != der.OctetString && octets.Tag != der.OctetString.AsConstructed() {
		return octets.Errorf("eContent has tag %v, want an OCTET STRING", octets.Tag)
	}
	if s.Content, err = newContent(octets); err != nil {
		return err
	}
	if err := inner.End("eContent"); err != nil {
		return err
	}
	return r.End("EncapsulatedContentInfo")
}

// Content is an OCTET STRING that may have come in pieces, as streaming signers
// send it. The zero Content has no bytes.
type Content struct {
	octets der.Element
	length int64
	whole  []byte // the only piece, or nil if there are none or several
}

// newContent looks at each piece, so that reading them later cannot fail.
func newContent(octets der.Element) (Content, error) {
	c := Content{octets: octets}
	pieces := 0
	for piece, err := range octets.Chunks(der.OctetString) {
		if err != nil {
			return Content{}, err
		}
		c.length += int64(len(piece))
		c.whole = piece
		pieces++
	}
	if pieces > 1 {
		c.whole = nil
	}
	return c, nil
}

// Len returns the number of bytes.
func (c Content) Len() int64 { return c.length }

// WriteTo writes the content to w, piece by piece. It implements
// [io.WriterTo].
func (c Content) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for piece := range c.octets.Chunks(der.OctetString) {
		n, err := w.Write(piece)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Bytes returns the content as a whole: a slice of the message if it came in
// one piece, as in DER, and a copy otherwise. It is nil only for the zero
// Content.
func (c Content) Bytes() []byte {
	if c.whole != nil || c.octets.Raw == nil {
		return c.whole
	}
	joined := make([]byte, 0, c.length)
	for piece := range c.octets.Chunks(der.OctetString) {
		joined = append(joined, piece...)
	}
	return joined
}
