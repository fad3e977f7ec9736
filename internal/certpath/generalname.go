package certpath

import (
	"slices"

	"github.com/citizencert/citizencert/internal/der"
)

// The forms of a GeneralName, by their tag numbers.
//
//	GeneralName ::= CHOICE {
//	    otherName                 [0]  OtherName,
//	    rfc822Name                [1]  IA5String,
//	    dNSName                   [2]  IA5String,
//	    x400Address               [3]  ORAddress,
//	    directoryName             [4]  Name,
//	    ediPartyName              [5]  EDIPartyName,
//	    uniformResourceIdentifier [6]  IA5String,
//	    iPAddress                 [7]  OCTET STRING,
//	    registeredID              [8]  OBJECT IDENTIFIER }
type nameForm int

const (
	formOther        nameForm = 0
	formRFC822       nameForm = 1
	formDNS          nameForm = 2
	formX400         nameForm = 3
	formDirectory    nameForm = 4
	formEDIParty     nameForm = 5
	formURI          nameForm = 6
	formIP           nameForm = 7
	formRegisteredID nameForm = 8
	nameForms                 = 9
)

// oidSmtpUTF8Mailbox is the otherName of an internationalized mail address (RFC
// 9598).
const oidSmtpUTF8Mailbox = "1.3.6.1.5.5.7.8.9"

func (f nameForm) String() string {
	return [nameForms]string{"otherName", "rfc822Name", "dNSName", "x400Address", "directoryName",
		"ediPartyName", "uniformResourceIdentifier", "iPAddress", "registeredID"}[f]
}

// A generalName is one name of a certificate, or the base of a name constraint.
type generalName struct {
	form nameForm
	// value is the DER of the Name for a directoryName, the type in dotted
	// notation for an otherName, the octets of the string or address otherwise.
	value string
}

// maxNames bounds how many names one extension may hold. Certificates for
// hundreds of web servers exist, those of citizens name one or two.
const maxNames = 1024

func parseGeneralName(e der.Element) (generalName, error) {
	form := nameForm(e.Tag.Number())
	if !e.Tag.IsContext() || form >= nameForms {
		return generalName{}, e.Errorf("GeneralName has tag %v", e.Tag)
	}
	constructed := form == formOther || form == formX400 || form == formDirectory || form == formEDIParty
	if e.Tag.Constructed() != constructed {
		return generalName{}, e.Errorf("%v has tag %v", form, e.Tag)
	}
	name := generalName{form, string(e.Body)}
	switch form {
	case formOther:
		r := e.Reader()
		id, err := r.Expect(der.OID, "type-id")
		if err != nil {
			return generalName{}, err
		}
		if name.value, err = id.ObjectID(); err != nil {
			return generalName{}, err
		}
	case formRFC822, formDNS, formURI:
		if !isASCII(e.Body) {
			return generalName{}, e.Errorf("%v is not an IA5String", form)
		}
	case formDirectory:
		// Name is a CHOICE, so the tag is explicit: the Body is the Name.
		if _, err := CanonicalName(e.Body); err != nil {
			return generalName{}, e.Errorf("directoryName is malformed: %v", err)
		}
	}
	return name, nil
}

// parseGeneralNames reads GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName,
// whatever tag it carries.
func parseGeneralNames(e der.Element) ([]generalName, error) {
	var names []generalName
	r := e.Reader()
	for child := range r.All() {
		if len(names) == maxNames {
			return nil, &der.LimitError{What: "names in an extension", Limit: maxNames}
		}
		name, err := parseGeneralName(child)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, e.Errorf("GeneralNames is empty")
	}
	return names, nil
}

// oidEmailAddress is the content of 1.2.840.113549.1.9.1.
var oidEmailAddress = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01}

// subjectNames returns what a subject contributes to the names that name
// constraints apply to (RFC 5280, Section 4.2.1.10): itself unless it is empty,
// and the addresses in its legacy emailAddress attributes. The RFC looks at
// those only if there is no subjectAltName; an address that is not permitted is
// refused here in either case.
func subjectNames(subject []byte) ([]generalName, error) {
	doc, err := der.Strict(subject, nameLimits)
	if err != nil {
		return nil, err
	}
	if len(doc.Root().Body) == 0 {
		return nil, nil
	}
	names := []generalName{{formDirectory, string(subject)}}
	rdns := doc.Root().Reader()
	for rdn := range rdns.All() {
		r := rdn.Reader()
		for e := range r.All() {
			id, value, err := readAttribute(e)
			if err != nil {
				return nil, err
			}
			if slices.Equal(id.Body, oidEmailAddress) {
				address, ok := decodeString(value)
				if !ok {
					return nil, value.Errorf("emailAddress is not a character string")
				}
				names = append(names, generalName{formRFC822, string(address)})
			}
		}
	}
	return names, nil
}
