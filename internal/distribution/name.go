package distribution

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
)

// A Name says where a list is, in one of two ways.
//
//	DistributionPointName ::= CHOICE {
//	    fullName                 [0] GeneralNames,
//	    nameRelativeToCRLIssuer  [1] RelativeDistinguishedName }
type Name struct {
	Full     []GeneralName
	Relative []byte // contents of the SET
}

// ParseName reads the name inside an explicitly tagged field.
func ParseName(field der.Element) (*Name, error) {
	r := field.Reader()
	e, ok := r.Next()
	if !ok {
		return nil, field.Errorf("DistributionPointName is missing")
	}
	p := &Name{}
	var err error
	switch e.Tag {
	case der.ContextConstructed(0):
		if p.Full, err = ParseGeneralNames(e); err != nil {
			return nil, err
		}
	case der.ContextConstructed(1):
		if p.Relative = e.Body; len(e.Body) == 0 {
			return nil, e.Errorf("nameRelativeToCRLIssuer is empty")
		}
	default:
		return nil, e.Errorf("DistributionPointName has tag %v", e.Tag)
	}
	return p, r.End("DistributionPointName")
}

// Names returns the names of the point in full, given the CRL issuer's.
func (p *Name) Names(crlIssuer []byte) []GeneralName {
	if p.Relative == nil {
		return p.Full
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		var rdns cryptobyte.String
		issuer := cryptobyte.String(crlIssuer)
		issuer.ReadASN1(&rdns, cbasn1.SEQUENCE)
		b.AddBytes(rdns)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(p.Relative) })
	})
	return []GeneralName{DirectoryName(b.BytesOrPanic())}
}

// The forms of a GeneralName that are told apart here, by tag number.
const (
	FormDirectory = 4
	FormURI       = 6
)

// A GeneralName is a GeneralName (RFC 5280, Section 4.2.1.6). Value is the Name
// of a directoryName and the contents of any other.
type GeneralName struct {
	Form  int
	Value []byte
}

// DirectoryName returns the directoryName with the DER of a Name.
func DirectoryName(name []byte) GeneralName { return GeneralName{FormDirectory, name} }

// ParseGeneralNames reads SEQUENCE SIZE (1..MAX) OF GeneralName, however tagged.
func ParseGeneralNames(e der.Element) ([]GeneralName, error) {
	var names []GeneralName
	r := e.Reader()
	for name := range r.All() {
		if !name.Tag.IsContext() || name.Tag.Number() > 8 {
			return nil, name.Errorf("GeneralName has tag %v", name.Tag)
		}
		if len(names) == maxNames {
			return nil, &der.LimitError{What: "names", Limit: maxNames}
		}
		names = append(names, GeneralName{name.Tag.Number(), name.Body})
	}
	if len(names) == 0 {
		return nil, e.Errorf("GeneralNames is empty")
	}
	return names, nil
}

// Equal reports whether two names are the same; directory names are compared as
// RFC 5280, Section 7.1 has it.
func (n GeneralName) Equal(other GeneralName) bool {
	if n.Form != other.Form {
		return false
	}
	if n.Form == FormDirectory {
		return certpath.SameName(n.Value, other.Value)
	}
	return bytes.Equal(n.Value, other.Value)
}

// Intersect reports whether one name is among both.
func Intersect(a, b []GeneralName) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Equal(y) {
				return true
			}
		}
	}
	return false
}
