package certpath

import (
	"bytes"
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// A subtree is the base of a name constraint, ready for comparison.
type subtree struct {
	form nameForm
	rdns []string // directoryName: canonical RDNs

	// host is that of a dNSName, rfc822Name or URI, in lower case and without
	// the leading period of a domain; empty in a base that contains everything.
	host   string
	domain bool   // subdomains of host are meant, not host itself
	local  string // rfc822Name: local part of one mailbox, or empty

	address, mask []byte // iPAddress
}

func newSubtree(name generalName) (subtree, error) {
	base := subtree{form: name.form}
	switch name.form {
	case formDirectory:
		rdns, err := canonicalRDNs([]byte(name.value))
		base.rdns = rdns
		return base, err
	case formDNS:
		return base, base.setHost(name.value)
	case formRFC822, formURI:
		host := name.value
		if local, domain, ok := strings.Cut(host, "@"); ok && name.form == formRFC822 {
			if !validLocalPart(local) || domain == "" {
				return base, errors.New("not a mailbox")
			}
			base.local, host = local, domain
		} else {
			host, base.domain = strings.CutPrefix(host, ".")
		}
		if base.domain && host == "" {
			return base, errors.New("not a domain")
		}
		return base, base.setHost(host)
	case formIP:
		return base, base.setAddress([]byte(name.value))
	}
	return base, nil
}

// setHost takes a host name, or nothing: an empty base contains every name.
func (s *subtree) setHost(host string) error {
	if host != "" && (!validDNSName(host) || strings.HasPrefix(host, "*")) {
		return errors.New("not a host name")
	}
	s.host = strings.ToLower(host)
	return nil
}

// setAddress takes an address followed by a mask of leading ones (RFC 4632).
func (s *subtree) setAddress(value []byte) error {
	if len(value) != 8 && len(value) != 32 {
		return errors.New("neither 8 nor 32 octets")
	}
	s.address, s.mask = value[:len(value)/2], value[len(value)/2:]
	ended := false
	for _, b := range s.mask {
		for bit := byte(0x80); bit != 0; bit >>= 1 {
			if one := b&bit != 0; one && ended {
				return errors.New("mask is not a prefix")
			} else if !one {
				ended = true
			}
		}
	}
	return nil
}

// A constrainedName is a name of a certificate, ready for comparison.
type constrainedName struct {
	form     nameForm
	rdns     []string
	host     string // in lower case, without the "*." of a wildcard
	wildcard bool
	local    string
	address  []byte

	// unprocessed says why the name cannot be compared. It is refused if names
	// of its form are constrained, and is nobody's business otherwise.
	unprocessed error
	// mailboxElsewhere marks an otherName that holds a mail address.
	mailboxElsewhere bool
}

func newConstrainedName(general generalName) constrainedName {
	name := constrainedName{form: general.form}
	switch general.form {
	case formDirectory:
		name.rdns, name.unprocessed = canonicalRDNs([]byte(general.value))
	case formDNS:
		host, wildcard := strings.CutPrefix(general.value, "*.")
		name.host, name.wildcard = strings.ToLower(host), wildcard
	case formRFC822:
		at := strings.LastIndexByte(general.value, '@')
		if at < 0 || !validLocalPart(general.value[:at]) || !validHost(general.value[at+1:]) {
			name.unprocessed = errors.New("not a mailbox")
			break
		}
		name.local, name.host = general.value[:at], strings.ToLower(general.value[at+1:])
	case formURI:
		u, err := url.Parse(general.value)
		if err != nil || !validHost(u.Hostname()) {
			name.unprocessed = errors.New("has no host name")
			break
		}
		name.host = strings.ToLower(u.Hostname())
	case formIP:
		name.address = []byte(general.value)
	case formOther:
		name.mailboxElsewhere = general.value == oidSmtpUTF8Mailbox
		name.unprocessed = errors.New("form is not processed")
	default:
		name.unprocessed = errors.New("form is not processed")
	}
	return name
}

// contains reports whether everything the name stands for lies in the subtree.
func (s *subtree) contains(name constrainedName) bool {
	switch s.form {
	case formDirectory:
		return hasPrefix(name.rdns, s.rdns)
	case formDNS:
		// "Any DNS name that can be constructed by simply adding zero or more
		// labels to the left-hand side of the name satisfies the name constraint."
		return s.host == "" || name.host == s.host || isSubdomain(name.host, s.host)
	case formRFC822, formURI:
		switch {
		case s.local != "":
			return name.local == s.local && name.host == s.host
		case s.domain:
			return isSubdomain(name.host, s.host)
		}
		return s.host == "" || name.host == s.host
	case formIP:
		return len(name.address) == len(s.address) && bytes.Equal(masked(name.address, s.mask), masked(s.address, s.mask))
	}
	return false
}

// mayContain reports whether something the name stands for lies in the subtree.
// That differs from contains for a wildcard, which reaches down into subtrees one
// label below it.
func (s *subtree) mayContain(name constrainedName) bool {
	if name.wildcard {
		if label, ok := strings.CutSuffix(s.host, "."+name.host); ok && !strings.Contains(label, ".") {
			return true
		}
	}
	return s.contains(name)
}

func hasPrefix(rdns, prefix []string) bool {
	if len(rdns) < len(prefix) {
		return false
	}
	for i, rdn := range prefix {
		if rdns[i] != rdn {
			return false
		}
	}
	return true
}

func isSubdomain(host, domain string) bool { return strings.HasSuffix(host, "."+domain) }

func masked(address, mask []byte) []byte {
	out := make([]byte, len(address))
	for i := range address {
		out[i] = address[i] & mask[i]
	}
	return out
}

// validDNSName reports whether a dNSName is in the preferred name syntax of RFC
// 1034, Section 3.5 as changed by RFC 1123, Section 2.1, optionally with "*" as
// the whole leftmost label. An address is no such name. Labels may exceed 63
// octets: no host has such a name, but a digest in hexadecimal has been put there.
func validDNSName(s string) bool {
	s, _ = strings.CutPrefix(s, "*.")
	return validHost(s)
}

func validHost(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	_, err := netip.ParseAddr(s)
	return err != nil
}

// validLocalPart reports whether s is a dot-atom (RFC 5322, Section 3.2.3).
// Quoted local parts can be spelled in several ways and are not compared.
func validLocalPart(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for _, c := range []byte(atom) {
			if !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(c)) {
				return false
			}
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
