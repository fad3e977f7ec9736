package der

// A Tag is the identifier of an element: class, whether it is constructed, and
// number (X.690, Section 8.1.2).
type Tag uint32

const (
	classShift     = 30
	constructedBit = 1 << 29
	numberMask     = constructedBit - 1
)

// The universal tags that the formats of this module use.
const (
	Boolean         Tag = 1
	Integer         Tag = 2
	BitString       Tag = 3
	OctetString     Tag = 4
	Null            Tag = 5
	OID             Tag = 6
	Enumerated      Tag = 10
	UTF8String      Tag = 12
	NumericString   Tag = 18
	PrintableString Tag = 19
	TeletexString   Tag = 20
	IA5String       Tag = 22
	UTCTime         Tag = 23
	GeneralizedTime Tag = 24
	VisibleString   Tag = 26
	UniversalString Tag = 28
	BMPString       Tag = 30

	// Seen in BER only by the check for DER.
	videotexString Tag = 21
	graphicString  Tag = 25
	generalString  Tag = 27

	Sequence Tag = 16 | constructedBit
	Set      Tag = 17 | constructedBit
)

// Context returns the tag [n] of a primitive element.
func Context(n int) Tag { return 2<<classShift | Tag(n) }

// ContextConstructed returns the tag [n] of a constructed element.
func ContextConstructed(n int) Tag { return Context(n) | constructedBit }

// Constructed reports whether the element holds elements.
func (t Tag) Constructed() bool { return t&constructedBit != 0 }

// AsConstructed returns the tag with the constructed bit set.
func (t Tag) AsConstructed() Tag { return t | constructedBit }

// Number returns the tag number without class.
func (t Tag) Number() int { return int(t & numberMask) }

// IsContext reports whether the tag is context-specific.
func (t Tag) IsContext() bool { return t>>classShift == 2 }

const tooLong = "element runs past the end of what holds it"

// indefinite stands in a header for a length that is not given.
const indefinite = -1

// A header is the identifier and length octets of an element.
type header struct {
	tag     Tag
	body    int // offset of the contents
	length  int // of the contents, or indefinite
	minimal bool
}

// readHeader reads the header at off. The element, as far as its length is
// given, lies within data.
func readHeader(data []byte, off int) (header, error) {
	if off >= len(data) {
		return header{}, &SyntaxError{Offset: off, Msg: "an element is missing"}
	}
	// Most elements have one octet of tag and one of length.
	if rest := data[off:]; len(rest) >= 2 && rest[0]&0x1f != 0x1f && rest[0]&^0x20 != 0 && int(rest[1]) <= len(rest)-2 && rest[1] < 0x80 {
		return header{tag: shortTag(rest[0]), body: off + 2, length: int(rest[1]), minimal: true}, nil
	}
	h := header{minimal: true}
	start := off
	b := data[off]
	off++
	h.tag = shortTag(b)
	if b&0x1f == 0x1f {
		number, next, err := readTagNumber(data, off)
		if err != nil {
			return header{}, err
		}
		h.tag = h.tag&^numberMask | number
		off = next
	}
	if h.tag&^constructedBit == 0 {
		return header{}, &SyntaxError{Offset: start, Msg: "end-of-contents octets where no indefinite length is open"}
	}
	if err := h.readLength(data, off); err != nil {
		return header{}, err
	}
	return h, nil
}

// shortTag returns the tag in an identifier of one octet.
func shortTag(b byte) Tag {
	return Tag(b>>6)<<classShift | Tag(b&0x20)<<24 | Tag(b&0x1f)
}

// readTagNumber reads the base-128 digits of a tag number of 31 and more
// (X.690, Section 8.1.2.4).
func readTagNumber(data []byte, off int) (Tag, int, error) {
	start := off
	var number Tag
	for {
		if off >= len(data) {
			return 0, 0, &SyntaxError{Offset: off, Msg: "tag is cut short"}
		}
		b := data[off]
		off++
		if number == 0 && b == 0x80 {
			return 0, 0, &SyntaxError{Offset: start, Msg: "tag number has a leading zero"}
		}
		if number > numberMask>>7 {
			return 0, 0, &SyntaxError{Offset: start, Msg: "tag number is larger than 2^29"}
		}
		number = number<<7 | Tag(b&0x7f)
		if b&0x80 == 0 {
			break
		}
	}
	if number < 31 {
		return 0, 0, &SyntaxError{Offset: start, Msg: "tag number below 31 in the long form"}
	}
	return number, off, nil
}

// readLength reads the length octets at off (X.690, Section 8.1.3). Redundant
// leading zeros are legal BER and only cost the header its minimality.
func (h *header) readLength(data []byte, off int) error {
	if off >= len(data) {
		return &SyntaxError{Offset: off, Msg: "length is missing"}
	}
	start := off
	b := data[off]
	off++
	switch {
	case b < 0x80:
		h.length = int(b)
	case b == 0x80:
		if !h.tag.Constructed() {
			return &SyntaxError{Offset: start, Msg: "indefinite length of a primitive element"}
		}
		h.body, h.length, h.minimal = off, indefinite, false
		return nil
	case b == 0xff:
		return &SyntaxError{Offset: start, Msg: "reserved length octet 0xff"}
	default:
		n := int(b & 0x7f)
		if off+n > len(data) {
			return &SyntaxError{Offset: start, Msg: "length is cut short"}
		}
		for _, digit := range data[off : off+n] {
			if h.length > len(data)>>8 {
				return &SyntaxError{Offset: start, Msg: tooLong} // before the shift can overflow
			}
			h.length = h.length<<8 | int(digit)
		}
		h.minimal = h.length >= 0x80 && data[off] != 0
		off += n
	}
	h.body = off
	if h.length > len(data)-off {
		return &SyntaxError{Offset: start, Msg: tooLong}
	}
	return nil
}
