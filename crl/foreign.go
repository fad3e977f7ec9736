package crl

import (
	"github.com/citizencert/citizencert/internal/certpath"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/distribution"
	"github.com/citizencert/citizencert/internal/revocation"
)

// foreignEntries are the entries of an indirect list that stand under a
// certificateIssuer (RFC 5280, Section 5.3.3).
type foreignEntries struct {
	groups  map[string]int   // by the DER of the extension
	byName  map[string][]int // groups, by canonical name of an issuer
	entries map[foreignKey]entry
}

// A foreignKey names a certificate by the group that its issuer is in, so that a
// long name is kept once and not for every entry below it.
type foreignKey struct {
	group  int
	serial string
}

// group returns the number of the group that an extension opens, from 1.
func (f *foreignEntries) group(x *revocation.Extension) (int, error) {
	if n, ok := f.groups[string(x.Value)]; ok {
		return n, nil
	}
	e, err := x.Parse()
	if err != nil {
		return 0, err
	}
	if e.Tag != der.Sequence {
		return 0, e.Errorf("certificateIssuer has tag %v", e.Tag)
	}
	names, err := distribution.ParseGeneralNames(e)
	if err != nil {
		return 0, err
	}
	n, named := len(f.groups)+1, false
	for _, name := range names {
		if name.Form != distribution.FormDirectory {
			continue
		}
		canonical, err := certpath.CanonicalName(name.Value)
		if err != nil {
			return 0, err
		}
		f.byName[canonical], named = append(f.byName[canonical], n), true
	}
	if !named {
		return 0, e.Errorf("certificateIssuer has no directoryName")
	}
	f.groups[string(x.Value)] = n
	return n, nil
}

func (f *foreignEntries) add(group int, serial string, found entry) {
	key := foreignKey{group, serial}
	if held, ok := f.entries[key]; ok {
		found = held.merge(found)
	}
	f.entries[key] = found
}

// lookup returns the worst of what the list says about a certificate.
func (f *foreignEntries) lookup(issuer []byte, serial string) (found entry, listed bool) {
	return f.among(f.groupsOf(issuer), serial)
}

// groupsOf returns the groups of a certificate's issuer.
func (f *foreignEntries) groupsOf(issuer []byte) []int {
	if f == nil {
		return nil
	}
	canonical, err := certpath.CanonicalName(issuer)
	if err != nil {
		return nil
	}
	return f.byName[canonical]
}

func (f *foreignEntries) among(groups []int, serial string) (found entry, listed bool) {
	for _, group := range groups {
		e, ok := f.entries[foreignKey{group, serial}]
		if ok && listed {
			e = found.merge(e)
		}
		if ok {
			found, listed = e, true
		}
	}
	return found, listed
}

// foreignGroup notes under which certificateIssuer the entries from here on stand.
func (l *List) foreignGroup(x *revocation.Extension) (int, error) {
	if l.foreign == nil {
		l.foreign = &foreignEntries{groups: map[string]int{}, byName: map[string][]int{}, entries: map[foreignKey]entry{}}
	}
	return l.foreign.group(x)
}
