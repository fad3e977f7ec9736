package pkitest

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// NameAttribute is an attribute of a distinguished name. A NameAttribute is a
// relative distinguished name of its own, as everywhere in the government PKI.
type NameAttribute struct {
	Type  asn1.ObjectIdentifier
	Value string

	// Tag is the string type of Value. If zero, PrintableString for country
	// and serialNumber, UTF8String for all else, as MOICA has it.
	Tag cbasn1.Tag
}

// Name encodes a distinguished name, attributes in the order given. Nothing is
// checked, so that a type may appear twice or with a value that does not fit.
func Name(attributes ...NameAttribute) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, a := range attributes {
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(a.Type)
					addString(b, a.tag(), a.Value)
				})
			})
		}
	})
	return b.BytesOrPanic()
}

func (a NameAttribute) tag() cbasn1.Tag {
	switch {
	case a.Tag != 0:
		return a.Tag
	case a.Type.Equal(OIDCountry), a.Type.Equal(OIDSerialNumber):
		return cbasn1.PrintableString
	default:
		return cbasn1.UTF8String
	}
}

// holderName is the subject of an end-entity certificate: exactly country,
// name and number, in this order.
func holderName(p Person) []byte {
	return Name(
		NameAttribute{Type: OIDCountry, Value: "TW"},
		NameAttribute{Type: OIDCommonName, Value: p.Name},
		NameAttribute{Type: OIDSerialNumber, Value: p.Number},
	)
}

// Attribute is an attribute of subjectDirectoryAttributes or of a SignerInfo:
// a type and the DER of each of its values. It may have none, or several.
//
//	Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
type Attribute struct {
	Type   asn1.ObjectIdentifier
	Values [][]byte
}

func (a Attribute) marshal(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.Type)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			for _, v := range a.Values {
				b.AddBytes(v)
			}
		})
	})
}

// holderAttributes are the subjectDirectoryAttributes by which MOICA says what
// kind of person this is, where the key lives, and how the national ID ends.
func holderAttributes(p Person, carrier string) []Attribute {
	kind := OIDCitizen
	if p.Foreign {
		kind = OIDForeignResident
	}
	attributes := []Attribute{{OIDSubjectType, [][]byte{encode(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(kind) })}}}
	if carrier != "" {
		attributes = append(attributes, Attribute{OIDCarrier, [][]byte{encodeString(cbasn1.PrintableString, carrier)}})
	}
	return append(attributes, Attribute{OIDLastFour, [][]byte{encodeString(cbasn1.UTF8String, p.LastFour)}})
}

// addString adds a string under any tag, unlike cryptobyte's own methods.
func addString(b *cryptobyte.Builder, tag cbasn1.Tag, s string) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func encodeString(tag cbasn1.Tag, s string) []byte {
	return encode(func(b *cryptobyte.Builder) { addString(b, tag, s) })
}
