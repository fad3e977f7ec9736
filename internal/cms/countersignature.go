package cms

import (
	"fmt"

	"github.com/citizencert/citizencert/internal/der"
)

// id-countersignature (RFC 5652, Section 11.4).
const oidCounterSignature = "1.2.840.113549.1.9.6"

// CounterSignatures returns the values of the counter-signature attributes, in
// order:
//
//	Countersignature ::= SignerInfo
//
// Whether they can be read is told by [ParseCounterSignature], for each.
func (s *SignerInfo) CounterSignatures() []der.Element {
	var all []der.Element
	for _, attribute := range s.UnsignedAttributes {
		if attribute.Type == oidCounterSignature {
			all = append(all, attribute.Values...)
		}
	}
	return all
}

// ParseCounterSignature reads one of them. Errors are as those of [Parse].
func ParseCounterSignature(value der.Element, limits Limits) (*SignerInfo, error) {
	s := new(SignerInfo)
	if err := s.parse(value, limits.withDefaults()); err != nil {
		return nil, fmt.Errorf("cms: counter-signature: %w", err)
	}
	return s, nil
}
