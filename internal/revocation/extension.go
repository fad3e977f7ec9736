package revocation

import (
	"bytes"
	"time"

	"github.com/citizencert/citizencert/internal/der"
)

// MaxExtensions bounds a list of extensions. Answers and lists carry up to six.
const MaxExtensions = 32

// An Extension is one extension of an answer, a list, or an entry of either.
type Extension struct {
	ID       []byte // contents of the OBJECT IDENTIFIER
	Critical bool
	Value    []byte // the DER in extnValue

	id der.Element
}

// Name returns the object identifier in dotted notation, for messages.
func (x *Extension) Name() string {
	if name, err := x.id.ObjectID(); err == nil {
		return name
	}
	return "with a malformed identifier"
}

// AppendExtensions reads
//
//	Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
//	Extension  ::= SEQUENCE {
//	    extnID     OBJECT IDENTIFIER,
//	    critical   BOOLEAN DEFAULT FALSE,
//	    extnValue  OCTET STRING }
//
// (RFC 5280, Section 4.1) into list, whose storage it uses again. None may occur
// twice. An encoded FALSE, which DER leaves out, is accepted.
func AppendExtensions(list []Extension, e der.Element) ([]Extension, error) {
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return nil, e.Errorf("Extensions is not a SEQUENCE of at least one")
	}
	list = list[:0]
	r := e.Reader()
	for element := range r.All() {
		if len(list) == MaxExtensions {
			return nil, &der.LimitError{What: "extensions", Limit: MaxExtensions}
		}
		x, err := parseExtension(element)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if bytes.Equal(list[i].ID, x.ID) {
				return nil, element.Errorf("extension %s occurs twice", x.Name())
			}
		}
		list = append(list, x)
	}
	return list, nil
}

func parseExtension(e der.Element) (Extension, error) {
	var x Extension
	if e.Tag != der.Sequence {
		return x, e.Errorf("Extension has tag %v", e.Tag)
	}
	r := e.Reader()
	var err error
	if x.id, err = r.Expect(der.OID, "extnID"); err != nil {
		return x, err
	}
	x.ID = x.id.Body
	if critical, ok := r.Optional(der.Boolean); ok {
		if x.Critical, err = critical.Bool(); err != nil {
			return x, err
		}
	}
	value, err := r.Expect(der.OctetString, "extnValue")
	if err != nil {
		return x, err
	}
	x.Value = value.Body
	return x, r.End("Extension")
}

// Parse returns the value as the one DER element it has to be.
func (x *Extension) Parse() (der.Element, error) {
	doc, err := der.Strict(x.Value, der.Limits{})
	if err != nil {
		return der.Element{}, err
	}
	return doc.Root(), nil
}

// Time returns the value of an extension with the syntax GeneralizedTime.
func (x *Extension) Time() (time.Time, error) {
	e, err := x.Parse()
	if err != nil {
		return time.Time{}, err
	}
	if e.Tag != der.GeneralizedTime {
		return time.Time{}, e.Errorf("extension %s is not a GeneralizedTime", x.Name())
	}
	return e.Time()
}
