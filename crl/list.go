package crl

import (
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// DefaultMaxBytes is the largest list accepted unless the configuration says
// otherwise. MOICA's complete list takes 20 MB with 400,000 entries.
const DefaultMaxBytes = 64 << 20

// A List is a certificate revocation list that has been parsed. Nobody has
// verified it yet: [Judge] does, for one certificate. A List is immutable and
// safe for concurrent use.
type List struct {
	Raw        []byte // as given to Parse
	RawIssuer  []byte // DER of the issuer's Name
	ThisUpdate time.Time
	NextUpdate time.Time // zero if absent

	// Number is the CRLNumber (RFC 5280, Section 5.2.3), or nil if absent.
	Number *big.Int

	// DeltaBase is the number of the list that this one is the difference to
	// (Section 5.2.4), or nil for a list that stands alone.
	DeltaBase *big.Int

	// RetainsFrom is expiredCertsOnCRL (X.509, Section 9.5.2.8): certificates
	// that expired at or after it stay on the list. Zero if absent.
	RetainsFrom time.Time

	// HasFreshest reports whether there is a freshestCRL extension, which says
	// that delta CRLs exist (Section 5.2.6).
	HasFreshest bool

	signed     revocation.Signed
	authority  authorityKey
	scope      *scope // issuingDistributionPoint, or nil if absent
	entries    map[string]entry
	foreign    *foreignEntries // of other issuers, or nil
	unhandled  string          // a critical extension that is not processed
	badProfile string          // what Section 5.2 forbids, and leaves the list readable
}

// An entry is what the list says about a serial number. Of an entry that occurs
// several times it is the worst reading.
type entry struct {
	revokedAt   int64 // Unix time
	invalidFrom int64 // invalidityDate, or revokedAt if absent
	reason      int8
	hasInvalid  bool
}

// Reason codes (RFC 5280, Section 5.3.1) that make a difference here.
const (
	reasonHold          = 6
	reasonRemoveFromCRL = 8
)

func (e entry) status() verify.Status {
	switch e.reason {
	case reasonHold:
		return verify.Suspended
	case reasonRemoveFromCRL:
		return verify.Unknown
	}
	return verify.Revoked
}

// merge returns what two entries with one serial number amount to, whatever
// their order: a revocation counts before a hold, and that before a removal,
// which belongs into delta CRLs. It takes effect when the first of them does, so
// that a hold which became a revocation leaves no gap.
func (e entry) merge(f entry) entry {
	if f.status() > e.status() {
		e, f = f, e
	}
	if f.status() != verify.Unknown && f.effective() < e.effective() {
		e.invalidFrom, e.hasInvalid = f.effective(), true
	}
	return e
}

// effective returns since when the certificate must not be relied on.
func (e entry) effective() int64 { return min(e.revokedAt, e.invalidFrom) }

// Len returns the number of certificates on the list, by issuer and serial number.
func (l *List) Len() int {
	n := len(l.entries)
	if l.foreign != nil {
		n += len(l.foreign.entries)
	}
	return n
}

// Parse reads a CertificateList (RFC 5280, Section 5.1) in DER of at most
// [DefaultMaxBytes]. It checks the syntax alone. The List keeps data, which must
// not be modified. Errors are a [*verify.Error] with ReasonMalformed,
// ReasonNotDER or ReasonLimit.
func Parse(data []byte) (*List, error) { return parse(data, DefaultMaxBytes) }

// ParsePEM is Parse for the one list in PEM that text begins with.
func ParsePEM(text []byte) (*List, error) {
	data, err := decodePEM(text)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

func decodePEM(text []byte) ([]byte, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "X509 CRL" {
		return nil, revocation.Malformed("no PEM block of type %q", "X509 CRL")
	}
	return block.Bytes, nil
}

// lookup returns what the list says about the certificate.
func (l *List) lookup(cert *x509.Certificate) (found entry, listed bool) {
	serial := string(integerOctets(cert.SerialNumber))
	if l.direct(cert) {
		found, listed = l.entries[serial]
	}
	if l.foreign == nil {
		return found, listed
	}
	if e, ok := l.foreign.lookup(cert.RawIssuer, serial); ok {
		if listed {
			e = found.merge(e)
		}
		return e, true
	}
	return found, listed
}

// maxSerial is how many octets of a serial number are accepted. RFC 5280,
// Section 4.1.2.2 allows 20.
const maxSerial = 64

// integerOctets returns the contents of the INTEGER n in DER.
func integerOctets(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	// Two's complement in the fewest octets: -n-1 with all bits turned over.
	b := new(big.Int).Not(n).Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

// serialOctets returns the octets of a serial number in an entry as integerOctets
// would. Superfluous octets, which DER forbids, are dropped, since two spellings
// of one number must not tell a revoked certificate from itself.
func serialOctets(e der.Element) ([]byte, error) {
	b := e.Body
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > maxSerial {
		return nil, e.Errorf("serial number of %d octets", len(b))
	}
	return b, nil
}
