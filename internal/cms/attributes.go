package cms

import "github.com/citizencert/citizencert/internal/der"

// An Attribute is a type with its values. That a type occurs once, with one
// value, is asked for where it matters.
type Attribute struct {
	Type   string        // dotted
	Values []der.Element // may be empty
	Raw    []byte

	sorted bool // the values stand in the order of DER
}

// parseSignedAttrs reads
//
//	SignedAttributes ::= SET SIZE (1..MAX) OF Attribute
//
// which must be DER (RFC 5652, Section 5.3): what is hashed is a DER encoding,
// and a receiver that re-encodes would hash other octets than one that does not.
// Some signers leave the attributes in the order they were added, and hash them
// so; that is for the caller to judge.
func (s *SignerInfo) parseSignedAttrs(e der.Element, limits Limits) error {
	if err := e.Strict(); err != nil {
		return err
	}
	attributes, err := parseAttributes(s.room.attributes[:0], s.room.values[:0], e, limits)
	if err != nil {
		return err
	}
	if len(attributes) == 0 {
		return e.Errorf("no attribute in the set")
	}
	s.SignedAttrs = e.Raw
	s.SignedAttributes = attributes
	s.UnsortedAttrs = !e.SortedSet()
	for _, attribute := range attributes {
		s.UnsortedAttrs = s.UnsortedAttrs || !attribute.sorted
	}
	return nil
}

// parseAttributes reads a SET OF
//
//	Attribute ::= SEQUENCE {
//	    attrType    OBJECT IDENTIFIER,
//	    attrValues  SET OF AttributeValue }
//
// The syntax has unsigned attributes, too, occur only if there is at least one.
// An empty set of them is passed over, since nothing depends on it.
//
// They are appended to attributes, and what is in all of them to values.
func parseAttributes(attributes []Attribute, values []der.Element, e der.Element, limits Limits) ([]Attribute, error) {
	r := e.Reader()
	for member := range r.All() {
		if len(attributes) == limits.MaxAttributes {
			return nil, &der.LimitError{What: "attributes", Limit: limits.MaxAttributes}
		}
		attribute, all, err := parseAttribute(member, values, limits)
		if err != nil {
			return nil, err
		}
		values = all
		attributes = append(attributes, attribute)
	}
	return attributes, nil
}

// parseAttribute reads one Attribute. It appends its values to those of the
// attributes before it in the set.
func parseAttribute(e der.Element, values []der.Element, limits Limits) (Attribute, []der.Element, error) {
	if e.Tag != der.Sequence {
		return Attribute{}, nil, e.Errorf("Attribute has tag %v", e.Tag)
	}
	r := e.Reader()
	attrType, err := readObjectID(&r, "attrType")
	if err != nil {
		return Attribute{}, nil, err
	}
	set, err := r.Expect(der.Set, "attrValues")
	if err != nil {
		return Attribute{}, nil, err
	}
	before := len(values)
	members := set.Reader()
	for value := range members.All() {
		if len(values) == limits.MaxAttributes {
			return Attribute{}, nil, &der.LimitError{What: "attribute values", Limit: limits.MaxAttributes}
		}
		values = append(values, value)
	}
	return Attribute{
		Type:   attrType,
		Values: values[before:len(values):len(values)],
		Raw:    e.Raw,
		sorted: set.SortedSet(),
	}, values, r.End("Attribute")
}
