package der

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"time"
)

// Writing out a number in decimal takes more than linear time, and numbers end
// up in messages, so they are bounded: an INTEGER by twice the size of an
// RSA-8192 modulus, an OBJECT IDENTIFIER by several times the longest one seen
// in use.
const (
	maxInteger  = 2048 // octets
	maxObjectID = 128  // octets
)

// Integer reads an INTEGER. Leading octets that DER forbids are an error,
// because two spellings of one serial number are one too many.
func (e Element) Integer() (*big.Int, error) {
	n := new(big.Int)
	if err := e.SetInteger(n); err != nil {
		return nil, err
	}
	return n, nil
}

// SetInteger is Integer for a number whose memory there is already.
func (e Element) SetInteger(n *big.Int) error {
	if e.Tag != Integer && e.Tag != Enumerated {
		return e.Errorf("has tag %v, want an INTEGER", e.Tag)
	}
	b := e.Body
	if len(b) == 0 {
		return e.Errorf("INTEGER is empty")
	}
	if len(b) > maxInteger {
		return e.Errorf("INTEGER has %d octets, more than %d", len(b), maxInteger)
	}
	if len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		return e.Errorf("INTEGER is not in its shortest form")
	}
	n.SetBytes(b)
	if b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return nil
}

// Int reads an INTEGER or ENUMERATED that fits in an int32.
func (e Element) Int() (int, error) {
	if e.Tag == Integer && len(e.Body) == 1 { // as versions are
		return int(int8(e.Body[0])), nil
	}
	n, err := e.Integer()
	if err != nil {
		return 0, err
	}
	if !n.IsInt64() || int64(int32(n.Int64())) != n.Int64() {
		return 0, e.Errorf("INTEGER %s does not fit in 32 bits", n)
	}
	return int(n.Int64()), nil
}

// Bool reads a BOOLEAN in DER, which may be implicitly tagged.
func (e Element) Bool() (bool, error) {
	typed := e.Tag == Boolean || e.Tag.IsContext() && !e.Tag.Constructed()
	if !typed || len(e.Body) != 1 || e.Body[0] != 0 && e.Body[0] != 0xff {
		return false, e.Errorf("is not a BOOLEAN in DER")
	}
	return e.Body[0] != 0, nil
}

// BitString reads a primitive BIT STRING, implicitly tagged or not: its octets and how many bits of the
// last one are unused, which must be zero.
func (e Element) BitString() (octets []byte, unused int, err error) {
	if e.Tag.Constructed() || len(e.Body) == 0 {
		return nil, 0, e.Errorf("is not a primitive BIT STRING")
	}
	unused, octets = int(e.Body[0]), e.Body[1:]
	if unused > 7 || unused > 0 && (len(octets) == 0 || octets[len(octets)-1]&(1<<unused-1) != 0) {
		return nil, 0, e.Errorf("BIT STRING has wrong unused bits")
	}
	return octets, unused, nil
}

// ObjectID reads an OBJECT IDENTIFIER in dotted notation.
func (e Element) ObjectID() (string, error) {
	var oid x509.OID
	if e.Tag != OID {
		return "", e.Errorf("has tag %v, want an OBJECT IDENTIFIER", e.Tag)
	}
	if len(e.Body) > maxObjectID {
		return "", e.Errorf("OBJECT IDENTIFIER has %d octets, more than %d", len(e.Body), maxObjectID)
	}
	if known := dotted(e.Body); known != "" {
		return known, nil
	}
	if err := oid.UnmarshalBinary(e.Body); err != nil {
		return "", e.Errorf("OBJECT IDENTIFIER is malformed")
	}
	return oid.String(), nil
}

// Time reads a UTCTime or GeneralizedTime in the form RFC 5280 prescribes
// (Sections 4.1.2.5.1 and 4.1.2.5.2): seconds, no fraction, Z. A UTCTime lies
// between 1950 and 2049.
func (e Element) Time() (time.Time, error) {
	const utcLayout, generalizedLayout = "060102150405Z", "20060102150405Z"
	layout := ""
	switch e.Tag {
	case UTCTime:
		layout = utcLayout
	case GeneralizedTime:
		layout = generalizedLayout
	default:
		return time.Time{}, e.Errorf("has tag %v, want a UTCTime or GeneralizedTime", e.Tag)
	}
	if len(e.Body) != len(layout) {
		return time.Time{}, e.Errorf("time of %d characters is not in the form %s", len(e.Body), layout)
	}
	t, err := time.Parse(layout, string(e.Body))
	if signed := e.Body[0] == '+' || e.Body[0] == '-'; err != nil || signed { // package time takes -1 for a year
		return time.Time{}, e.Errorf("time %q is not in the form %s", e.Body, layout)
	}
	if e.Tag == UTCTime && t.Year() >= 2050 {
		t = t.AddDate(-100, 0, 0) // package time pivots at 1969, RFC 5280 at 1950
	}
	return t, nil
}

// SortedSet reports whether the elements of a SET OF stand in the order of
// their encodings, as DER demands (X.690, Section 11.6).
func (e Element) SortedSet() bool {
	r := e.Reader()
	var previous []byte
	for member := range r.All() {
		if previous != nil && compareSetMembers(previous, member.Raw) > 0 {
			return false
		}
		previous = member.Raw
	}
	return true
}

// compareSetMembers compares two encodings as octet strings, the shorter one
// padded with zeros.
func compareSetMembers(a, b []byte) int {
	n := min(len(a), len(b))
	if c := bytes.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	if len(bytes.TrimLeft(a[n:], "\x00")) > 0 {
		return 1
	}
	if len(bytes.TrimLeft(b[n:], "\x00")) > 0 {
		return -1
	}
	return 0
}
