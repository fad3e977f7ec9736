package certpath

import (
	"github.com/citizencert/citizencert/internal/der"
)

const (
	oidAnyPolicy  = "2.5.29.32.0"
	oidCPS        = "1.3.6.1.5.5.7.2.1"
	oidUserNotice = "1.3.6.1.5.5.7.2.2"
)

// maxPolicies bounds how many policies, or mappings of them, one certificate may
// hold. National schemes use up to five.
const maxPolicies = 1024

// parsePolicies reads certificatePolicies (RFC 5280, Section 4.2.1.4).
//
//	certificatePolicies ::= SEQUENCE SIZE (1..MAX) OF PolicyInformation
//	PolicyInformation ::= SEQUENCE {
//	    policyIdentifier  OBJECT IDENTIFIER,
//	    policyQualifiers  SEQUENCE SIZE (1..MAX) OF PolicyQualifierInfo OPTIONAL }
func (x *extensions) parsePolicies(e der.Element, critical bool) error {
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return e.Errorf("certificatePolicies is not a SEQUENCE of policies")
	}
	x.policies = &certificatePolicies{}
	seen := map[string]bool{}
	r := e.Reader()
	for information := range r.All() {
		if len(seen) == maxPolicies {
			return &der.LimitError{What: "certificate policies", Limit: maxPolicies}
		}
		if information.Tag != der.Sequence {
			return information.Errorf("PolicyInformation has tag %v", information.Tag)
		}
		fields := information.Reader()
		id, err := readObjectID(&fields, "policyIdentifier")
		if err != nil {
			return err
		}
		if seen[id] {
			return information.Errorf("policy %s occurs twice", id)
		}
		seen[id] = true
		if id == oidAnyPolicy {
			x.policies.any = true
		} else {
			x.policies.ids = append(x.policies.ids, id)
		}
		if qualifiers, ok := fields.Optional(der.Sequence); ok {
			if err := x.checkQualifiers(qualifiers, critical); err != nil {
				return err
			}
		}
		if err := fields.End("PolicyInformation"); err != nil {
			return err
		}
	}
	return nil
}

// checkQualifiers reads policyQualifiers. In a critical extension those that
// cannot be interpreted refuse the certificate; the two that RFC 5280 defines
// are for people to read.
//
//	PolicyQualifierInfo ::= SEQUENCE {
//	    policyQualifierId  OBJECT IDENTIFIER,
//	    qualifier          ANY DEFINED BY policyQualifierId }
func (x *extensions) checkQualifiers(qualifiers der.Element, critical bool) error {
	r := qualifiers.Reader()
	for qualifier := range r.All() {
		if qualifier.Tag != der.Sequence {
			return qualifier.Errorf("PolicyQualifierInfo has tag %v", qualifier.Tag)
		}
		fields := qualifier.Reader()
		id, err := readObjectID(&fields, "policyQualifierId")
		if err != nil {
			return err
		}
		if critical && id != oidCPS && id != oidUserNotice {
			x.violate("policy qualifier %s of a critical certificatePolicies is not processed", id)
		}
	}
	return nil
}

// parsePolicyMappings reads policyMappings (Section 4.2.1.5).
//
//	PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
//	    issuerDomainPolicy   CertPolicyId,
//	    subjectDomainPolicy  CertPolicyId }
func (x *extensions) parsePolicyMappings(e der.Element, _ bool) error {
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return e.Errorf("PolicyMappings is not a SEQUENCE of mappings")
	}
	r := e.Reader()
	for mapping := range r.All() {
		if len(x.mappings) == maxPolicies {
			return &der.LimitError{What: "policy mappings", Limit: maxPolicies}
		}
		if mapping.Tag != der.Sequence {
			return mapping.Errorf("mapping has tag %v", mapping.Tag)
		}
		var m policyMapping
		var err error
		fields := mapping.Reader()
		if m.issuerDomain, err = readObjectID(&fields, "issuerDomainPolicy"); err != nil {
			return err
		}
		if m.subjectDomain, err = readObjectID(&fields, "subjectDomainPolicy"); err != nil {
			return err
		}
		if err := fields.End("mapping"); err != nil {
			return err
		}
		x.mappings = append(x.mappings, m)
	}
	return nil
}

// parsePolicyConstraints reads policyConstraints (Section 4.2.1.11), which must
// not be empty. It must be critical as well, but is not in many valid paths of
// the NIST test suite; it binds in either case.
//
//	PolicyConstraints ::= SEQUENCE {
//	    requireExplicitPolicy  [0] SkipCerts OPTIONAL,
//	    inhibitPolicyMapping   [1] SkipCerts OPTIONAL }
func (x *extensions) parsePolicyConstraints(e der.Element, _ bool) (err error) {
	if e.Tag != der.Sequence || len(e.Body) == 0 {
		return e.Errorf("PolicyConstraints is not a SEQUENCE of constraints")
	}
	r := e.Reader()
	for n, field := range []*int{&x.requireExplicitPolicy, &x.inhibitPolicyMapping} {
		skip, ok := r.Optional(der.Context(n))
		if !ok {
			continue
		}
		skip.Tag = der.Integer // it is tagged implicitly
		if *field, err = skipCerts(skip); err != nil {
			return err
		}
	}
	return r.End("PolicyConstraints")
}

// parseInhibitAnyPolicy reads inhibitAnyPolicy ::= SkipCerts (Section 4.2.1.14),
// which must be critical.
func (x *extensions) parseInhibitAnyPolicy(e der.Element, critical bool) (err error) {
	if !critical {
		x.violate("inhibitAnyPolicy is not critical")
	}
	x.inhibitAnyPolicy, err = skipCerts(e)
	return err
}

func readObjectID(r *der.Reader, name string) (string, error) {
	id, err := r.Expect(der.OID, name)
	if err != nil {
		return "", err
	}
	return id.ObjectID()
}
