package der

import (
	"fmt"
	"iter"
)

// An Element is one value of a scanned document. Its slices alias the input.
type Element struct {
	Tag  Tag
	Raw  []byte // with header, and end-of-contents octets if there are any
	Body []byte // the contents alone

	doc *Document
	off int // of the header
	pos int // of the contents
}

// Reader returns a reader of the elements inside a constructed element.
func (e Element) Reader() Reader {
	if !e.Tag.Constructed() {
		return Reader{doc: e.doc, off: e.pos, end: e.pos}
	}
	return Reader{doc: e.doc, off: e.pos, end: e.pos + len(e.Body)}
}

// Offset returns where the element begins in the document, for messages.
func (e Element) Offset() int { return e.off }

// Errorf returns a *SyntaxError at this element.
func (e Element) Errorf(format string, args ...any) error {
	return &SyntaxError{Offset: e.off, Msg: fmt.Sprintf(format, args...)}
}

// A Reader reads the elements of one constructed element in order. The scan
// has established that they are well formed, so it can only find them missing
// or of another type.
type Reader struct {
	doc      *Document
	off, end int
}

// Next returns the next element, or false at the end.
func (r *Reader) Next() (Element, bool) {
	if r.off >= r.end {
		return Element{}, false
	}
	h, err := readHeader(r.doc.data[:r.end], r.off)
	if err != nil {
		return Element{}, false // ruled out by Scan
	}
	end, next := h.body+h.length, h.body+h.length
	if h.length == indefinite {
		end = r.doc.contentEnd(r.off)
		next = end + 2
	}
	e := Element{
		Tag:  h.tag,
		Raw:  r.doc.data[r.off:next:next],
		Body: r.doc.data[h.body:end:end],
		doc:  r.doc,
		off:  r.off,
		pos:  h.body,
	}
	r.off = next
	return e, true
}

// Peek returns the tag of the next element, or false at the end.
func (r *Reader) Peek() (Tag, bool) {
	ahead := *r
	e, ok := ahead.Next()
	return e.Tag, ok
}

// Expect returns the next element, which must have the given tag; name is what
// the format's definition calls it, for the error.
func (r *Reader) Expect(tag Tag, name string) (Element, error) {
	e, ok := r.Next()
	if !ok {
		return Element{}, &SyntaxError{Offset: r.off, Msg: name + " is missing"}
	}
	if e.Tag != tag {
		return Element{}, e.Errorf("%s has tag %v, want %v", name, e.Tag, tag)
	}
	return e, nil
}

// Optional returns the next element if it has the given tag, and leaves it
// unread otherwise.
func (r *Reader) Optional(tag Tag) (Element, bool) {
	ahead := *r
	e, ok := ahead.Next()
	if !ok || e.Tag != tag {
		return Element{}, false
	}
	*r = ahead
	return e, true
}

// End returns an error if an element is left.
func (r *Reader) End(name string) error {
	if e, ok := r.Next(); ok {
		return e.Errorf("%s has an unexpected element with tag %v", name, e.Tag)
	}
	return nil
}

// All iterates over the elements that are left.
func (r *Reader) All() iter.Seq[Element] {
	return func(yield func(Element) bool) {
		for {
			e, ok := r.Next()
			if !ok || !yield(e) {
				return
			}
		}
	}
}

// Chunks iterates over the pieces of a string that may be constructed (X.690,
// Section 8.7.3): the octets of a primitive one at once, those of a
// constructed one in order, nested ones flattened. tag is the primitive tag of
// the pieces, which is also that of e unless e is implicitly tagged. A piece of
// another type ends the iteration with an error.
func (e Element) Chunks(tag Tag) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { e.chunks(tag, yield) }
}

func (e Element) chunks(tag Tag, yield func([]byte, error) bool) bool {
	if !e.Tag.Constructed() {
		return yield(e.Body, nil)
	}
	r := e.Reader()
	for piece := range r.All() {
		if piece.Tag&^constructedBit != tag {
			yield(nil, piece.Errorf("piece of a string has tag %v, want %v", piece.Tag, tag))
			return false
		}
		if !piece.chunks(tag, yield) {
			return false
		}
	}
	return true
}

func (t Tag) String() string {
	form := "primitive"
	if t.Constructed() {
		form = "constructed"
	}
	class := [...]string{"universal", "application", "context", "private"}[t>>classShift]
	return fmt.Sprintf("[%s %d %s]", class, t.Number(), form)
}
