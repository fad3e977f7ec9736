package crl

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"time"

	"github.com/citizencert/citizencert/internal/distribution"
	"github.com/citizencert/citizencert/internal/revocation"
)

// DefaultMaxBytes is the largest list accepted unless the configuration says
// otherwise. MOICA's complete list takes 20 MB with 400,000 entries.
const DefaultMaxBytes = 64 << 20

// A List is a certificate revocation list that has been parsed. Nobody has
// verified it yet: [Judge] does, for one certificate. A List is immutable and
// safe for concurrent use.
type List struct {
	Raw        []byte // as given to Parse; nil if it was read by Read
	Size       int64  // in bytes of DER
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

	signed       revocation.Signed
	signedDigest []byte            // what the signature is over; nil if that is not a digest
	digest       [sha256.Size]byte // SHA-256 of tbsCertList
	frame        frame
	original     *original // of a list that was read from a file, or nil
	authority    authorityKey
	freshest     []distribution.Point // freshestCRL
	scope        *scope               // issuingDistributionPoint, or nil if absent
	index        *index
	foreign      *foreignEntries // of other issuers, or nil
	unhandled    string          // a critical extension that is not processed
	badProfile   string          // what Section 5.2 forbids, and leaves the list readable
}

// Len returns the number of certificates on the list, by issuer and serial number.
func (l *List) Len() int {
	n := l.index.count
	if l.foreign != nil {
		n += len(l.foreign.entries)
	}
	return n
}

// Parse reads a CertificateList (RFC 5280, Section 5.1) in DER of at most
// [DefaultMaxBytes], in which no entry, no name and not all extensions together take
// more than 64 KiB. It checks the syntax alone. The List keeps data, which must
// not be modified. Errors are a [*verify.Error] with ReasonMalformed,
// ReasonNotDER or ReasonLimit.
func Parse(data []byte) (*List, error) { return parse(data, DefaultMaxBytes) }

// Read is Parse for a list of any form and up to maxBytes (zero: DefaultMaxBytes)
// that comes as a stream, in DER or PEM. It holds a few blocks of the list at a
// time besides the index, and neither List.Raw nor what [Judge] reports has the
// bytes afterwards. An error of r is wrapped, with ReasonStatusUnavailable.
func Read(r io.Reader, maxBytes int64) (*List, error) {
	if maxBytes == 0 {
		maxBytes = DefaultMaxBytes
	}
	return parseStream(newStream(derFrom(r)), maxBytes)
}

// ParsePEM is Parse for the first PEM block (RFC 7468) in text, which must be of type
// "X509 CRL". What is before and after it is passed over.
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
func (l *List) lookup(cert *x509.Certificate) (found entry, listed bool, err error) {
	var room [maxSerial]byte
	number, ok := serialNumber(cert.SerialNumber, &room)
	if !ok {
		return found, false, nil
	}
	if l.direct(cert) {
		found, listed, err = l.index.lookup(number)
		if err == nil && !listed && !l.index.intact() {
			err = errDamaged
		}
		if err != nil {
			return found, false, err
		}
	}
	if l.foreign == nil {
		return found, listed, nil
	}
	if e, ok := l.foreign.lookup(cert.RawIssuer, string(number.contents())); ok {
		if listed {
			e = found.merge(e)
		}
		return e, true, nil
	}
	return found, listed, nil
}
