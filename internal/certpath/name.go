package certpath

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/citizencert/citizencert/internal/der"
)

// nameLimits bound a Name. A distinguished name of a person takes some 30
// elements in a few hundred bytes.
var nameLimits = der.Limits{Bytes: 1 << 16, Depth: 8, Elements: 1024}

// SameName reports whether two DER Names are the same name by the comparison
// of RFC 5280, Section 7.1. Names that are equal octet by octet are the same;
// a name that is not well formed equals no other.
func SameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, err := CanonicalName(a)
	if err != nil {
		return false
	}
	y, err := CanonicalName(b)
	return err == nil && x == y
}

// CanonicalName returns a key that is equal for Names that are the same, and
// only for those. It is for comparing and indexing, not for reading.
//
// Attribute values are compared as RFC 5280, Section 7.1 has it: without regard
// to case, with white space at the ends removed and runs of it as one space,
// and whatever string type carries the characters. Unicode normalization is
// left out: two names that differ in it are different, and fail to chain.
func CanonicalName(raw []byte) (string, error) {
	rdns, err := canonicalRDNs(raw)
	if err != nil {
		return "", err
	}
	key := make([]byte, 0, len(raw))
	for _, rdn := range rdns {
		key = appendField(key, rdn)
	}
	return string(key), nil
}

// canonicalRDNs returns the canonical form of each RDN of a Name.
//
//	RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
//	RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
func canonicalRDNs(raw []byte) ([]string, error) {
	doc, err := der.Strict(raw, nameLimits)
	if err != nil {
		return nil, err
	}
	name := doc.Root()
	if name.Tag != der.Sequence {
		return nil, name.Errorf("Name has tag %v", name.Tag)
	}
	rdns := make([]string, 0, 4) // as many as national schemes have
	r := name.Reader()
	for e := range r.All() {
		rdn, err := canonicalRDN(e)
		if err != nil {
			return nil, err
		}
		rdns = append(rdns, rdn)
	}
	return rdns, nil
}

// canonicalRDN joins the attributes of a SET. Their order is sorted anew, since
// case and string type, which are ignored here, take part in the order of DER.
func canonicalRDN(rdn der.Element) (string, error) {
	if rdn.Tag != der.Set || len(rdn.Body) == 0 {
		return "", rdn.Errorf("RelativeDistinguishedName is not a SET of attributes")
	}
	attributes := make([]string, 0, 1)
	r := rdn.Reader()
	for e := range r.All() {
		attribute, err := canonicalAttribute(e)
		if err != nil {
			return "", err
		}
		attributes = append(attributes, attribute)
	}
	if len(attributes) == 1 {
		return attributes[0], nil
	}
	slices.Sort(attributes)
	var key []byte
	for _, a := range attributes {
		key = appendField(key, a)
	}
	return string(key), nil
}

// AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
func canonicalAttribute(e der.Element) (string, error) {
	id, value, err := readAttribute(e)
	if err != nil {
		return "", err
	}
	key := appendField(make([]byte, 0, len(e.Raw)), string(id.Body))
	text, ok := decodeString(value)
	if !ok {
		// Not a character string: compared octet by octet, type included.
		return string(append(append(key, '='), value.Raw...)), nil
	}
	return string(appendFolded(append(key, '~'), text)), nil
}

func readAttribute(e der.Element) (id, value der.Element, err error) {
	if e.Tag != der.Sequence {
		return id, value, e.Errorf("AttributeTypeAndValue has tag %v", e.Tag)
	}
	r := e.Reader()
	if id, err = r.Expect(der.OID, "attribute type"); err != nil {
		return id, value, err
	}
	value, ok := r.Next()
	if !ok {
		return id, value, e.Errorf("attribute value is missing")
	}
	return id, value, r.End("AttributeTypeAndValue")
}

// appendField appends s with its length before it, so that no two sequences of
// fields run together into the same key.
func appendField(key []byte, s string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(s))), s...)
}

// decodeString returns the characters of a character string as UTF-8, or false
// for another type and for contents that are not text of their type.
// TeletexString is read as Latin-1, which is what those who emitted it meant.
func decodeString(e der.Element) ([]byte, bool) {
	switch e.Tag {
	case der.UTF8String:
		return e.Body, utf8.Valid(e.Body)
	case der.PrintableString, der.IA5String, der.VisibleString, der.NumericString:
		return e.Body, isASCII(e.Body)
	case der.TeletexString:
		var text []byte
		for _, b := range e.Body {
			text = utf8.AppendRune(text, rune(b))
		}
		return text, true
	case der.BMPString:
		return decodeUnits(e.Body, 2)
	case der.UniversalString:
		return decodeUnits(e.Body, 4)
	}
	return nil, false
}

// decodeUnits decodes big-endian code units of 2 or 4 octets. A BMPString has
// no surrogates; both kinds hold only characters that exist.
func decodeUnits(body []byte, size int) ([]byte, bool) {
	if len(body)%size != 0 {
		return nil, false
	}
	text := make([]byte, 0, len(body))
	for ; len(body) > 0; body = body[size:] {
		var c uint32
		for _, b := range body[:size] {
			c = c<<8 | uint32(b)
		}
		if c > unicode.MaxRune || utf16.IsSurrogate(rune(c)) {
			return nil, false
		}
		text = utf8.AppendRune(text, rune(c))
	}
	return text, true
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendFolded appends text with case folded and insignificant white space
// removed (RFC 4518, Sections 2.2 and 2.6.1).
func appendFolded(key, text []byte) []byte {
	start := len(key)
	space := false
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		text = text[n:]
		if unicode.IsSpace(c) || unicode.Is(unicode.Zs, c) {
			space = len(key) > start
			continue
		}
		if space {
			key = append(key, ' ')
			space = false
		}
		key = utf8.AppendRune(key, fold(c))
	}
	return key
}

// fold returns the smallest character that differs from c in case alone.
func fold(c rune) rune {
	if c < utf8.RuneSelf {
		if 'a' <= c && c <= 'z' {
			return c - 'a' + 'A'
		}
		return c
	}
	least := c
	for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}
