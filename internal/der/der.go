// Package der reads ASN.1 in DER, and in the BER that signers are known to
// emit, within bounds.
//
// A [Document] is scanned once, in linear time, before anything is looked at:
// every element lies inside its parent, nesting and element count stay within
// [Limits], and the whole input is one value with nothing behind it. What is
// read afterwards are slices of the input; nothing is copied. Definite and
// indefinite lengths are accepted by Scan, definite minimal ones alone by
// [Strict] (X.690, Sections 8.1 and 10.1).
package der

import (
	"fmt"
	"sort"
)

// Limits bound what Scan accepts. A zero field means its default.
type Limits struct {
	Bytes    int // size of the input; default DefaultBytes
	Depth    int // nesting of constructed elements; default DefaultDepth
	Elements int // number of elements; default DefaultElements
}

// The default limits. Bytes is what an in-memory call takes; Depth leaves a
// wide margin over the 14 levels of a SignedData with a time-stamp inside;
// Elements is enough for a revocation list of two million entries.
const (
	DefaultBytes    = 64 << 20
	DefaultDepth    = 32
	DefaultElements = 16 << 20
)

// maxIndefinite bounds the elements of indefinite length. Each costs the
// Document 16 bytes, four times what it costs the sender; streaming signers
// emit about ten in a message.
const maxIndefinite = 1 << 12

func (l Limits) withDefaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = DefaultBytes
	}
	if l.Depth == 0 {
		l.Depth = DefaultDepth
	}
	if l.Elements == 0 {
		l.Elements = DefaultElements
	}
	return l
}

// A SyntaxError says where the input stops being ASN.1, or stops being what
// the reader expected.
type SyntaxError struct {
	Offset int // in the scanned input
	Msg    string
	NotDER bool // it is well-formed BER, where DER is demanded
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("der: at byte %d: %s", e.Offset, e.Msg) }

// A LimitError says which limit the input exceeds.
type LimitError struct {
	What  string // "bytes", "elements", or what else is counted, in the plural
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("der: more than %d %s", e.Limit, e.What)
}

// A Document is a scanned input.
type Document struct {
	data []byte
	// ends has, for each element of indefinite length in order of its offset,
	// where its end-of-contents octets begin. It is what makes reading linear:
	// without it every look at an element would search for its end again.
	ends []span
	// irregular is set if some element is not DER in the sense of Strict.
	irregular bool
}

type span struct{ start, end int }

// frame is one open constructed element of the scan.
type frame struct {
	end        int // where a definite element ends; the parent's end otherwise
	indefinite int // index in ends, or -1
}

// Scan checks that data is exactly one well-formed element within the limits
// and returns it for reading. data is kept and must not be modified. Errors
// are a *SyntaxError or a *LimitError.
func Scan(data []byte, limits Limits) (*Document, error) {
	d := new(Document)
	if err := d.Scan(data, limits); err != nil {
		return nil, err
	}
	return d, nil
}

// Scan is the function of that name for a Document that is part of something
// larger, or used again: it replaces what d was. Elements of what d was must not
// be used any more.
func (d *Document) Scan(data []byte, limits Limits) error {
	limits = limits.withDefaults()
	if len(data) > limits.Bytes {
		return &LimitError{"bytes", limits.Bytes}
	}
	*d = Document{data: data}
	end, err := d.scan(limits)
	if err != nil {
		return err
	}
	if end != len(data) {
		return &SyntaxError{Offset: end, Msg: fmt.Sprintf("%d bytes after the value", len(data)-end)}
	}
	return nil
}

// scan walks the first element of the input without recursion and returns
// where it ends.
func (d *Document) scan(limits Limits) (int, error) {
	var room [DefaultDepth]frame
	stack := room[:0]
	off, elements := 0, 0
	for {
		parentEnd := len(d.data)
		inIndefinite := false
		if n := len(stack); n > 0 {
			parentEnd, inIndefinite = stack[n-1].end, stack[n-1].indefinite >= 0
		}
		if inIndefinite && off+2 <= parentEnd && d.data[off] == 0 && d.data[off+1] == 0 {
			d.ends[stack[len(stack)-1].indefinite].end = off
			off += 2
			stack = stack[:len(stack)-1]
		} else {
			if elements++; elements > limits.Elements {
				return 0, &LimitError{"elements", limits.Elements}
			}
			h, err := readHeader(d.data[:parentEnd], off)
			if err != nil {
				return 0, err
			}
			if !h.minimal || h.tag.Constructed() && isString(h.tag) {
				d.irregular = true
			}
			switch {
			case !h.tag.Constructed():
				off = h.body + h.length
			case len(stack) == limits.Depth:
				return 0, &LimitError{"levels of nesting", limits.Depth}
			case h.length == indefinite && len(d.ends) == maxIndefinite:
				return 0, &LimitError{"elements of indefinite length", maxIndefinite}
			case h.length == indefinite:
				d.ends = append(d.ends, span{start: off})
				stack = append(stack, frame{parentEnd, len(d.ends) - 1})
				off = h.body
			default:
				stack = append(stack, frame{h.body + h.length, -1})
				off = h.body
			}
		}
		for len(stack) > 0 && stack[len(stack)-1].indefinite < 0 && off == stack[len(stack)-1].end {
			stack = stack[:len(stack)-1]
		}
		if len(stack) == 0 {
			return off, nil
		}
	}
}

// contentEnd returns where the contents of the indefinite element at off end.
func (d *Document) contentEnd(off int) int { return d.ends[d.firstIndefinite(off)].end }

// firstIndefinite returns the index in ends of the first element of indefinite
// length at off or later.
func (d *Document) firstIndefinite(off int) int {
	return sort.Search(len(d.ends), func(i int) bool { return d.ends[i].start >= off })
}

// Root returns the one element of the document.
func (d *Document) Root() Element {
	r := Reader{doc: d, end: len(d.data)}
	e, _ := r.Next()
	return e
}

// IsDER reports whether every length is definite. Minimal lengths and tags
// are the business of [Strict].
func (d *Document) IsDER() bool { return len(d.ends) == 0 }
