package crl

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
)

// A scope is the issuingDistributionPoint of a list: which certificates it is
// about.
type scope struct {
	point *pointName // or nil if absent: all points

	onlyUserCerts, onlyCACerts, onlyAttributeCerts bool

	reasons  reasonSet // onlySomeReasons, or all
	indirect bool      // indirectCRL

	der []byte
}

// A reasonSet is a ReasonFlags (RFC 5280, Section 4.2.1.13), with bit n of the
// standard as bit n.
type reasonSet uint16

// allReasons are keyCompromise (1) to aACompromise (8). Bit 0 is not used.
const allReasons reasonSet = 0x1fe

func parseReasons(field der.Element) (reasonSet, error) {
	octets, _, err := field.BitString()
	if err != nil {
		return 0, err
	}
	var set reasonSet
	for bit := range min(8*len(octets), 9) {
		if octets[bit/8]&(0x80>>(bit%8)) != 0 {
			set |= 1 << bit
		}
	}
	return set & allReasons, nil
}

// parseScope reads
//
//	IssuingDistributionPoint ::= SEQUENCE {
//	    distributionPoint           [0] DistributionPointName OPTIONAL,
//	    onlyContainsUserCerts       [1] BOOLEAN DEFAULT FALSE,
//	    onlyContainsCACerts         [2] BOOLEAN DEFAULT FALSE,
//	    onlySomeReasons             [3] ReasonFlags OPTIONAL,
//	    indirectCRL                 [4] BOOLEAN DEFAULT FALSE,
//	    onlyContainsAttributeCerts  [5] BOOLEAN DEFAULT FALSE }
//
// (RFC 5280, Section 5.2.5.) It must not be empty, and at most one of the three
// onlyContains may be set. An encoded FALSE, which DER leaves out, is accepted.
func parseScope(x *revocation.Extension) (*scope, error) {
	e, err := x.Parse()
	if err != nil {
		return nil, err
	}
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return nil, e.Errorf("IssuingDistributionPoint is not a SEQUENCE or is empty")
	}
	s := &scope{reasons: allReasons, der: x.Value}
	r := e.Reader()
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		if s.point, err = parsePointName(field); err != nil {
			return nil, err
		}
	}
	kinds := 0
	for _, flag := range []struct {
		tag  int
		set  *bool // or nil for onlySomeReasons
		kind bool
	}{{1, &s.onlyUserCerts, true}, {2, &s.onlyCACerts, true}, {3, nil, false}, {4, &s.indirect, false}, {5, &s.onlyAttributeCerts, true}} {
		field, ok := r.Optional(der.Context(flag.tag))
		if !ok {
			continue
		}
		if flag.set == nil {
			s.reasons, err = parseReasons(field)
		} else {
			*flag.set, err = field.Bool()
		}
		if err != nil {
			return nil, err
		}
		if flag.kind && *flag.set {
			kinds++
		}
	}
	if kinds > 1 {
		return nil, e.Errorf("IssuingDistributionPoint is for several kinds of certificates at once")
	}
	return s, r.End("IssuingDistributionPoint")
}

// A pointName says where a list is, in one of two ways.
//
//	DistributionPointName ::= CHOICE {
//	    fullName                 [0] GeneralNames,
//	    nameRelativeToCRLIssuer  [1] RelativeDistinguishedName }
type pointName struct {
	full     []generalName
	relative []byte // contents of the SET
}

// parsePointName reads the name inside an explicitly tagged field.
func parsePointName(field der.Element) (*pointName, error) {
	r := field.Reader()
	e, ok := r.Next()
	if !ok {
		return nil, field.Errorf("DistributionPointName is missing")
	}
	p := &pointName{}
	var err error
	switch e.Tag {
	case der.ContextConstructed(0):
		if p.full, err = parseGeneralNames(e); err != nil {
			return nil, err
		}
	case der.ContextConstructed(1):
		if p.relative = e.Body; len(e.Body) == 0 {
			return nil, e.Errorf("nameRelativeToCRLIssuer is empty")
		}
	default:
		return nil, e.Errorf("DistributionPointName has tag %v", e.Tag)
	}
	return p, r.End("DistributionPointName")
}

// names returns the names of the point in full, given the CRL issuer's.
func (p *pointName) names(crlIssuer []byte) []generalName {
	if p.relative == nil {
		return p.full
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		var rdns cryptobyte.String
		issuer := cryptobyte.String(crlIssuer)
		issuer.ReadASN1(&rdns, cbasn1.SEQUENCE)
		b.AddBytes(rdns)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(p.relative) })
	})
	return []generalName{{formDirectory, b.BytesOrPanic()}}
}

// The forms of a GeneralName that are told apart here, by tag number.
const (
	formDirectory = 4
	formURI       = 6
)

// A generalName is a GeneralName (RFC 5280, Section 4.2.1.6). value is the Name
// of a directoryName and the contents of any other.
type generalName struct {
	form  int
	value []byte
}

// parseGeneralNames reads SEQUENCE SIZE (1..MAX) OF GeneralName, however tagged.
func parseGeneralNames(e der.Element) ([]generalName, error) {
	var names []generalName
	r := e.Reader()
	for name := range r.All() {
		if !name.Tag.IsContext() || name.Tag.Number() > 8 {
			return nil, name.Errorf("GeneralName has tag %v", name.Tag)
		}
		if len(names) == maxNames {
			return nil, &der.LimitError{What: "names", Limit: maxNames}
		}
		names = append(names, generalName{name.Tag.Number(), name.Body})
	}
	if len(names) == 0 {
		return nil, e.Errorf("GeneralNames is empty")
	}
	return names, nil
}

func (n generalName) equal(other generalName) bool {
	if n.form != other.form {
		return false
	}
	if n.form == formDirectory {
		return certpath.SameName(n.value, other.value)
	}
	return bytes.Equal(n.value, other.value)
}

// intersect reports whether one name is among both.
func intersect(a, b []generalName) bool {
	for _, x := range a {
		for _, y := range b {
			if x.equal(y) {
				return true
			}
		}
	}
	return false
}
