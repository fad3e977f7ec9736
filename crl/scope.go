package crl

import (
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/distribution"
	"github.com/citizencert/citizencert/internal/revocation"
)

// A scope is the issuingDistributionPoint of a list: which certificates it is
// about.
type scope struct {
	point *distribution.Name // or nil if absent: all points

	onlyUserCerts, onlyCACerts, onlyAttributeCerts bool

	reasons  distribution.Reasons // onlySomeReasons, or all
	indirect bool                 // indirectCRL

	der []byte
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
	s := &scope{reasons: distribution.AllReasons, der: x.Value}
	r := e.Reader()
	if field, ok := r.Optional(der.ContextConstructed(0)); ok {
		if s.point, err = distribution.ParseName(field); err != nil {
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
			s.reasons, err = distribution.ParseReasons(field)
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
