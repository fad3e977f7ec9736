package der

// Strict checks that data is exactly one DER element as far as encoding of
// tags, lengths and strings goes: definite lengths in the shortest form, and no
// constructed strings (X.690, Sections 10.1 and 10.2). The order of a SET OF is
// for [Element.SortedSet].
func Strict(data []byte, limits Limits) (*Document, error) {
	d := new(Document)
	if err := d.Strict(data, limits); err != nil {
		return nil, err
	}
	return d, nil
}

// Strict is to the function of that name what [Document.Scan] is to [Scan].
func (d *Document) Strict(data []byte, limits Limits) error {
	if err := d.Scan(data, limits); err != nil {
		return err
	}
	return d.Root().Strict()
}

// Strict checks that the element, with all it contains, is DER in the sense of
// the function of that name. It is for the signed parts of a BER document.
//
// The header of a constructed element stands before its contents, so walking on
// from one header to the next needs no stack.
func (e Element) Strict() error {
	if !e.doc.irregular {
		return nil // as Scan has seen, and there is nothing to look for
	}
	data := e.doc.data[:e.off+len(e.Raw)]
	if i := e.doc.firstIndefinite(e.off); i < len(e.doc.ends) && e.doc.ends[i].start < len(data) {
		return notDER(e.doc.ends[i].start, "indefinite length is not DER")
	}
	for off := e.off; off < len(data); {
		h, err := readHeader(data, off)
		if err != nil {
			return err // ruled out by Scan
		}
		if !h.minimal {
			return notDER(off, "length is not in its shortest form")
		}
		if h.tag.Constructed() {
			if isString(h.tag) {
				return notDER(off, "constructed string is not DER")
			}
			off = h.body
		} else {
			off = h.body + h.length
		}
	}
	return nil
}

func notDER(off int, msg string) error {
	return &SyntaxError{Offset: off, Msg: msg, NotDER: true}
}

// isString reports whether the universal type may be constructed in BER but
// must not be in DER.
func isString(t Tag) bool {
	switch t &^ constructedBit {
	case BitString, OctetString, UTF8String, NumericString, PrintableString, TeletexString, videotexString,
		IA5String, UTCTime, GeneralizedTime, graphicString, VisibleString, generalString, UniversalString, BMPString:
		return true
	}
	return false
}
