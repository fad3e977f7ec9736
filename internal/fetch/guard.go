package fetch

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// A Guard admits requests to the hosts of a list and nowhere else.
type Guard struct {
	suffixes []string       // domain names
	prefixes []netip.Prefix // addresses, and those admitted though not public
}

// localhost is the one name that stands for addresses by itself (RFC 6761,
// Section 6.3).
const localhost = "localhost"

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// NewGuard returns a Guard for a list of entries, each one of:
//
//   - a domain name, which admits the host of that name and all below it, as
//     long as they have public addresses
//   - an IP address or a prefix in CIDR notation, which admits these addresses,
//     in URLs and as the addresses of admitted names, public or not
//   - "localhost", which admits that name and the loopback addresses
//
// An empty list admits nothing.
func NewGuard(entries []string) (*Guard, error) {
	g := &Guard{}
	for _, entry := range entries {
		if prefix, err := netip.ParsePrefix(entry); err == nil {
			g.prefixes = append(g.prefixes, prefix.Masked())
		} else if addr, err := netip.ParseAddr(entry); err == nil {
			g.prefixes = append(g.prefixes, netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()))
		} else if name, ok := hostName(entry); !ok {
			return nil, fmt.Errorf("allowed host %q is neither a domain name nor an address", entry)
		} else {
			g.suffixes = append(g.suffixes, name)
			if name == localhost {
				g.prefixes = append(g.prefixes, loopback...)
			}
		}
	}
	return g, nil
}

// hostName returns a domain name in lower case without a final dot, or false if
// it is not one in ASCII letters, digits, hyphens and dots.
func hostName(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if s == "" || len(s) > 253 {
		return "", false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return "", false
		}
		for _, c := range []byte(label) {
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return "", false
			}
		}
	}
	return s, true
}

// An AddressError says why a URL, or an address that its host has, is not gone
// to. The host is named, and not the rest of the URL.
type AddressError struct {
	Host string
	Msg  string
}

func (e *AddressError) Error() string { return fmt.Sprintf("host %q %s", e.Host, e.Msg) }

// URL parses an address found in a certificate, and refuses it unless it is a
// plain http or https URL of an admitted host.
func (g *Guard) URL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, &AddressError{"", "cannot be read: the URL is malformed"}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, &AddressError{u.Host, fmt.Sprintf("is not asked by %q, only by http and https", u.Scheme)}
	case u.User != nil || u.Opaque != "" || u.Host == "":
		return nil, &AddressError{u.Hostname(), "stands in a URL with credentials or without a host"}
	case !g.host(u.Hostname()):
		return nil, &AddressError{u.Hostname(), "is not on the list of allowed hosts"}
	}
	u.Fragment = ""
	return u, nil
}

func (g *Guard) host(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.listed(addr.Unmap())
	}
	name, ok := hostName(host)
	if !ok {
		return false
	}
	for _, suffix := range g.suffixes {
		if name == suffix || strings.HasSuffix(name, "."+suffix) {
			return true
		}
	}
	return false
}

func (g *Guard) listed(addr netip.Addr) bool {
	for _, prefix := range g.prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// notPublic are the special-purpose blocks (RFC 6890 and its registry) that the
// methods of netip.Addr do not tell: this network, shared address space, protocol
// assignments, benchmarks, reserved, and those that hold an IPv4 address inside.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// address decides about the address a connection is about to be made to.
func (g *Guard) address(addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	if g.listed(addr) {
		return nil
	}
	public := addr.IsGlobalUnicast() && !addr.IsPrivate()
	for _, prefix := range notPublic {
		public = public && !prefix.Contains(addr)
	}
	if !public {
		return &AddressError{addr.String(), "is not a public address, and not on the list of allowed hosts"}
	}
	return nil
}

// Client returns an HTTP client that follows no redirects. If base is nil it is
// one of its own that asks the Guard about each address after the name has been
// resolved and immediately before connecting, so that a name cannot have another
// address when it is used than when it was looked at. With a base, connecting is
// the business of its Transport.
func (g *Guard) Client(base *http.Client) *http.Client {
	client := &http.Client{}
	if base != nil {
		*client = *base
	} else {
		client.Transport = g.transport()
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Jar = nil
	return client
}

// maxIdlePerHost is how many connections to one host are kept for the next requests.
// A country has one responder, which many sign-ins ask at the same time.
const maxIdlePerHost = 16

// transport has no proxy: a proxy would be the one to resolve names.
func (g *Guard) transport() *http.Transport {
	dialer := &net.Dialer{
		Timeout: 5 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return &AddressError{address, "is not an address"}
			}
			return g.address(at.Addr())
		},
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}
