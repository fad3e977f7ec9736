package certpath

import (
	"errors"
	"fmt"

	"github.com/citizencert/citizencert/internal/der"
)

// nameConstraints is the extension of one CA, its subtrees sorted by form.
type nameConstraints struct {
	permitted, excluded [nameForms][]subtree
}

// parseNameConstraints reads nameConstraints (RFC 5280, Section 4.2.1.10), which
// must be critical and not empty.
//
//	NameConstraints ::= SEQUENCE {
//	    permittedSubtrees  [0] GeneralSubtrees OPTIONAL,
//	    excludedSubtrees   [1] GeneralSubtrees OPTIONAL }
func (x *extensions) parseNameConstraints(e der.Element, critical bool) (err error) {
	if !critical {
		x.violate("nameConstraints is not critical")
	}
	x.constraints, err = readNameConstraints(e)
	return err
}

func readNameConstraints(e der.Element) (*nameConstraints, error) {
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return nil, e.Errorf("NameConstraints is not a SEQUENCE of subtrees")
	}
	c := &nameConstraints{}
	r := e.Reader()
	for n, subtrees := range []*[nameForms][]subtree{&c.permitted, &c.excluded} {
		field, ok := r.Optional(der.ContextConstructed(n))
		if !ok {
			continue
		}
		if err := readSubtrees(field, subtrees); err != nil {
			return nil, err
		}
	}
	return c, r.End("NameConstraints")
}

// readSubtrees reads subtrees whose minimum is 0 and whose maximum is absent, as
// the profile requires.
//
//	GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF GeneralSubtree
//	GeneralSubtree ::= SEQUENCE {
//	    base     GeneralName,
//	    minimum  [0] BaseDistance DEFAULT 0,
//	    maximum  [1] BaseDistance OPTIONAL }
func readSubtrees(field der.Element, subtrees *[nameForms][]subtree) error {
	if len(field.Body) == 0 {
		return field.Errorf("GeneralSubtrees is empty")
	}
	r := field.Reader()
	for e := range r.All() {
		if e.Tag != der.Sequence {
			return e.Errorf("GeneralSubtree has tag %v", e.Tag)
		}
		fields := e.Reader()
		child, ok := fields.Next()
		if !ok {
			return e.Errorf("base is missing")
		}
		base, err := readBase(child)
		if err != nil {
			return err
		}
		if minimum, ok := fields.Optional(der.Context(0)); ok && string(minimum.Body) != "\x00" {
			return minimum.Errorf("minimum is not 0")
		}
		if err := fields.End("GeneralSubtree"); err != nil {
			return err
		}
		subtrees[base.form] = append(subtrees[base.form], base)
	}
	return nil
}

// readBase reads the base of a subtree. Its iPAddress has another length than
// that of a certificate, and the forms that are not processed are kept by form
// alone.
func readBase(e der.Element) (subtree, error) {
	name, err := parseGeneralName(e)
	if err != nil {
		return subtree{}, err
	}
	base, err := newSubtree(name)
	if err != nil {
		return subtree{}, e.Errorf("%v: %v", name.form, err)
	}
	return base, nil
}

// checkNames is Section 6.1.3 (b) and (c): each name of the certificate lies
// within the permitted subtrees of every CA above that gives any for its form,
// and within no excluded one.
func (s *state) checkNames(cert *node) error {
	if len(s.constraints) == 0 {
		return nil
	}
	names, err := subjectNames(cert.RawSubject)
	if err != nil {
		return blame(cert, Malformed, err)
	}
	names = append(names, cert.subjectAltNames...)
	for _, general := range names {
		name := newConstrainedName(general)
		for _, c := range s.constraints {
			if err := c.check(name, s.w); err != nil {
				return blame(cert, Constraints, err)
			}
		}
	}
	return nil
}

// check reports why a name violates the constraints. Its errors do not repeat
// the name, which may be a person's.
func (c *nameConstraints) check(name constrainedName, w *work) error {
	permitted, excluded := c.permitted[name.form], c.excluded[name.form]
	if name.mailboxElsewhere && len(c.permitted[formRFC822])+len(c.excluded[formRFC822]) > 0 {
		return errors.New("SmtpUTF8Mailbox under constraints on rfc822Name, which are not processed for it")
	}
	if len(permitted)+len(excluded) == 0 {
		return nil
	}
	if err := w.spend(len(permitted) + len(excluded)); err != nil {
		return err
	}
	if name.unprocessed != nil {
		return fmt.Errorf("%v is constrained: %w", name.form, name.unprocessed)
	}
	for _, base := range excluded {
		if base.mayContain(name) {
			return fmt.Errorf("%v lies in an excluded subtree", name.form)
		}
	}
	if len(permitted) == 0 {
		return nil
	}
	for _, base := range permitted {
		if base.contains(name) {
			return nil
		}
	}
	return fmt.Errorf("%v lies in no permitted subtree", name.form)
}
