package crl

import (
	"slices"

	"github.com/citizencert/citizencert/internal/certpath"
)

// An issuerIndex finds the operator's lists that may be about a certificate, so
// that a query costs as much as there are of those, and not of all. It is never
// modified.
type issuerIndex struct {
	names    map[string]string     // canonical names, by the DER of those that occur
	direct   map[string][]*holding // by the canonical name of their issuer
	indirect []*holding            // which may be about certificates of any issuer
}

func newIssuerIndex(own []*holding) *issuerIndex {
	x := &issuerIndex{names: map[string]string{}, direct: map[string][]*holding{}}
	for _, h := range own {
		if h.list.indirect() {
			x.indirect = append(x.indirect, h)
			continue
		}
		name, err := certpath.CanonicalName(h.list.RawIssuer)
		if err != nil {
			name = malformedName(h.list.RawIssuer)
		}
		x.names[string(h.list.RawIssuer)] = name
		x.direct[name] = append(x.direct[name], h)
	}
	return x
}

// malformedName stands for the canonical form of a name that has none, and which is
// the same as itself octet by octet alone: see certpath.SameName. No canonical name
// begins like it, since they begin with a length, and none is that long.
func malformedName(raw []byte) string { return "\xff\xff\xff\xff" + string(raw) }

// of returns the lists that may be about certificates of an issuer by that name: all
// those of its name, of whatever key, and the indirect ones.
func (x *issuerIndex) of(rawIssuer []byte) []*holding {
	if x == nil {
		return nil
	}
	name, ok := x.names[string(rawIssuer)]
	if !ok {
		var err error
		if name, err = certpath.CanonicalName(rawIssuer); err != nil {
			return x.indirect
		}
	}
	direct := x.direct[name]
	if len(x.indirect) == 0 {
		return direct
	}
	return append(slices.Clip(direct), x.indirect...)
}
