package moica

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/verify"
)

// The names in MOICA's certificates.
const (
	oidCommonName         = "2.5.4.3"
	oidSerialNumber       = "2.5.4.5"
	oidSubjectType        = "2.16.886.1.100.2.1"
	oidHolderRank         = "2.16.886.1.100.2.2"
	oidTailOfCitizenID    = "2.16.886.1.100.2.51"
	subjectCitizen        = "2.16.886.1.100.3.1.1"
	subjectAlienResident  = "2.16.886.1.100.3.1.9"
	subjectSerialDigits   = 16
	tailLength            = 4
	maxDirectoryAttribute = 16
)

var oidSubjectDirectory = asn1.ObjectIdentifier{2, 5, 29, 9}

// identify reads the holder out of an end-entity certificate. What is missing is
// an error or an empty field, never a guess.
func (s anchorSet) identify(cert *x509.Certificate) (verify.Identity, error) {
	id := verify.Identity{Scheme: Name, Carrier: verify.Card, Generation: s.generations[string(cert.AuthorityKeyId)]}
	if err := readSubject(cert, &id); err != nil {
		return verify.Identity{}, err
	}
	attributes, err := directoryAttributes(cert)
	if err != nil {
		return verify.Identity{}, err
	}
	if err := readKind(attributes, &id); err != nil {
		return verify.Identity{}, err
	}
	if err := readCarrier(attributes, &id); err != nil {
		return verify.Identity{}, err
	}
	if tail, ok := attributes[oidTailOfCitizenID]; ok {
		text, err := stringOf(tail)
		if err != nil || utf8.RuneCountInString(text) != tailLength {
			return verify.Identity{}, errors.New("the tail of the citizen ID is not a string of 4 characters")
		}
		id.LastFour = text
	}
	return id, nil
}

// readSubject reads the common name and the 16 digits of the serialNumber, each
// of which must be there once.
func readSubject(cert *x509.Certificate, id *verify.Identity) error {
	doc, err := der.Strict(cert.RawSubject, der.Limits{})
	if err != nil {
		return err
	}
	values := make(map[string]der.Element)
	rdns := doc.Root().Reader()
	for rdn := range rdns.All() {
		members := rdn.Reader()
		for member := range members.All() {
			pair := member.Reader()
			oid, err := pair.Expect(der.OID, "attribute type")
			if err != nil {
				return err
			}
			name, err := oid.ObjectID()
			if err != nil {
				return err
			}
			if _, twice := values[name]; twice {
				return fmt.Errorf("subject attribute %s occurs twice", name)
			}
			values[name], _ = pair.Next()
		}
	}
	serial, ok := values[oidSerialNumber]
	if !ok || serial.Tag != der.PrintableString || !isSubjectSerial(serial.Body) {
		return fmt.Errorf("the subject has no serialNumber that is a PrintableString of %d digits", subjectSerialDigits)
	}
	id.SerialNumber = string(serial.Body)
	name, ok := values[oidCommonName]
	if !ok {
		return errors.New("the subject has no commonName")
	}
	if id.Name, err = stringOf(name); err != nil {
		return errors.New("the commonName is not a UTF8String or PrintableString")
	}
	return nil
}

func isSubjectSerial(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) == subjectSerialDigits
}

// stringOf reads the string types that MOICA's certificates use.
func stringOf(e der.Element) (string, error) {
	switch e.Tag {
	case der.UTF8String, der.PrintableString, der.IA5String:
		if len(e.Body) > 0 && utf8.Valid(e.Body) {
			return string(e.Body), nil
		}
	}
	return "", e.Errorf("is not a string")
}

// directoryAttributes reads the one value of each attribute in
//
//	SubjectDirectoryAttributes ::= SEQUENCE SIZE (1..MAX) OF Attribute
//	Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
//
// (RFC 5280, Section 4.2.1.8). A certificate without the extension has none.
func directoryAttributes(cert *x509.Certificate) (map[string]der.Element, error) {
	values := make(map[string]der.Element)
	ext, ok := certpath.Extension(cert, oidSubjectDirectory)
	if !ok {
		return values, nil
	}
	doc, err := der.Strict(ext.Value, der.Limits{})
	if err != nil {
		return nil, fmt.Errorf("subjectDirectoryAttributes: %w", err)
	}
	attributes := doc.Root().Reader()
	for a := range attributes.All() {
		if err := addAttribute(values, a); err != nil {
			return nil, fmt.Errorf("subjectDirectoryAttributes: %w", err)
		}
	}
	return values, nil
}

func addAttribute(values map[string]der.Element, a der.Element) error {
	if len(values) == maxDirectoryAttribute {
		return a.Errorf("more than %d attributes", maxDirectoryAttribute)
	}
	r := a.Reader()
	oid, err := r.Expect(der.OID, "attribute type")
	if err != nil {
		return err
	}
	set, err := r.Expect(der.Set, "attribute values")
	if err != nil {
		return err
	}
	if err := r.End("attribute"); err != nil {
		return err
	}
	name, err := oid.ObjectID()
	if err != nil {
		return err
	}
	if _, twice := values[name]; twice {
		return a.Errorf("attribute %s occurs twice", name)
	}
	members := set.Reader()
	value, ok := members.Next()
	if !ok || members.End(name) != nil {
		return a.Errorf("attribute %s does not have one value", name)
	}
	values[name] = value
	return nil
}

// readKind reads the subjectType, without which nobody knows whether the holder
// is a person.
func readKind(attributes map[string]der.Element, id *verify.Identity) error {
	value, ok := attributes[oidSubjectType]
	if !ok {
		return errors.New("the certificate has no subjectType")
	}
	subjectType, err := value.ObjectID()
	if err != nil {
		return fmt.Errorf("subjectType: %w", err)
	}
	switch subjectType {
	case subjectCitizen:
		id.Kind = verify.Citizen
	case subjectAlienResident:
		id.Kind = verify.ForeignResident
	default:
		return fmt.Errorf("subjectType %s is not a citizen or foreign resident", subjectType)
	}
	return nil
}

// readCarrier reads what holds the key: mobile certificates say so, cards of
// MOICA say nothing. Another value is passed on as it stands, since more of them
// may exist.
func readCarrier(attributes map[string]der.Element, id *verify.Identity) error {
	value, ok := attributes[oidHolderRank]
	if !ok {
		return nil
	}
	text, err := stringOf(value)
	if err != nil {
		return errors.New("the carrier is not a string")
	}
	id.Carrier = verify.Carrier(text)
	return nil
}
