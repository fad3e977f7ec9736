package pkitest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strconv"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// CRLOptions says how a CRL differs from the one that the endpoint serves. The
// zero value is the complete list of what the CA has revoked.
type CRLOptions struct {
	// Partition asks for the list of the partition that certificates name
	// first: the same entries and an issuingDistributionPoint.
	Partition bool

	// Signer signs in place of the CA, under the CA's name.
	Signer *Signer

	// RawIssuer is the DER of the issuer. If nil, the name of the CA.
	RawIssuer []byte

	// SignatureAlgorithm is what Signer signs with. If zero, SHA-256 with a
	// key of its kind. Ed25519 is not supported, as it needs the whole list
	// in memory.
	SignatureAlgorithm x509.SignatureAlgorithm

	// Version is the version as people count it. If zero, 2. With 1, the
	// field is absent, extensions or not.
	Version int

	// ThisUpdate is when the list was issued. If zero, the present edition's:
	// the CA issues one in every hour and after every change.
	ThisUpdate time.Time

	// NextUpdate is when it ends. If zero, 24 hours after ThisUpdate.
	NextUpdate   time.Time
	NoNextUpdate bool

	// Number is the CRLNumber. If nil, YYYYMMDDHH in Taipei, and the next
	// number after that if the hour has had its list already.
	Number *big.Int

	// AuthorityKeyID is the keyIdentifier. If nil, that of the CA.
	AuthorityKeyID []byte

	// IssuingDistributionPoint is the extension. If nil, by Partition.
	IssuingDistributionPoint *IssuingDistributionPoint

	// DeltaBase makes this a delta CRL of the list with that number.
	DeltaBase *big.Int

	// ExpiredCertsOnCRL is the extension of X.509, since when expired
	// certificates stay on the list. If zero, absent.
	ExpiredCertsOnCRL time.Time

	// Extensions are added after all others. Omit lists extensions to leave
	// out.
	Extensions []pkix.Extension
	Omit       []asn1.ObjectIdentifier

	// Entries come after those of the CA, as they are, duplicates too.
	// OnlyEntries leaves those of the CA out.
	Entries     []CRLEntry
	OnlyEntries bool

	// EmptyList writes revokedCertificates when there is no entry, which
	// RFC 5280, Section 5.1.2.6 forbids.
	EmptyList bool

	// Filler is a number of made-up entries after all others, to give the
	// list the size of a nation. Their serial numbers are FillerSerial(0) and
	// so on, their date is ThisUpdate, their reason superseded.
	Filler int

	// BreakSignature flips a bit of the signature, and Trailing follows the
	// list.
	BreakSignature bool
	Trailing       []byte
}

// CRLEntry is an entry of revokedCertificates (RFC 5280, Section 5.1.2.6).
type CRLEntry struct {
	// Serial is the certificate's. RawSerial has precedence: the content
	// octets of the INTEGER as they are.
	Serial    *big.Int
	RawSerial []byte

	RevocationDate time.Time
	Reason         int              // reasonCode; absent if zero
	InvalidityDate time.Time        // absent if zero
	Extensions     []pkix.Extension // after those
}

// IssuingDistributionPoint is the extension of RFC 5280, Section 5.2.5.
type IssuingDistributionPoint struct {
	URL                string // distributionPoint; absent if empty
	OnlyUserCerts      bool
	OnlyCACerts        bool
	OnlyAttributeCerts bool
	Indirect           bool

	// OnlySomeReasons is a set of ReasonFlags, bit 1 for keyCompromise. If
	// zero, absent.
	OnlySomeReasons uint16

	NotCritical bool
}

// Extensions of CRLs and of their entries (RFC 5280, Sections 5.2 and 5.3).
var (
	OIDCRLNumber                = asn1.ObjectIdentifier{2, 5, 29, 20}
	OIDReasonCode               = asn1.ObjectIdentifier{2, 5, 29, 21}
	OIDInvalidityDate           = asn1.ObjectIdentifier{2, 5, 29, 24}
	OIDDeltaCRLIndicator        = asn1.ObjectIdentifier{2, 5, 29, 27}
	OIDIssuingDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	OIDCertificateIssuer        = asn1.ObjectIdentifier{2, 5, 29, 29}
	OIDExpiredCertsOnCRL        = asn1.ObjectIdentifier{2, 5, 29, 60}
)

// CRL returns a list as DER. With Filler in the millions, WriteCRL needs less
// memory.
func (ca *CA) CRL(o CRLOptions) ([]byte, error) {
	var buf bytes.Buffer
	if err := ca.WriteCRL(&buf, o); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// edition is an issue of the CA's list. Within it the bytes stay the same, so
// that no two lists with one number differ.
type edition struct {
	thisUpdate time.Time
	hour       int64
	number     int64
	entries    [sha256.Size]byte
}

// taipei is where the number of a CRL is a date.
var taipei = time.FixedZone("Asia/Taipei", 8*60*60)

// currentEdition returns the edition in force, a new one if the hour or the
// CA's own entries have changed.
func (ca *CA) currentEdition(now time.Time, entries []byte) edition {
	hour, _ := strconv.ParseInt(now.In(taipei).Format("2006010215"), 10, 64)
	sum := sha256.Sum256(entries)

	ca.mu.Lock()
	defer ca.mu.Unlock()
	e := ca.edition
	if e.hour != hour || e.entries != sum || now.Before(e.thisUpdate) {
		ca.edition = edition{now, hour, max(hour, e.number+1), sum}
	}
	return ca.edition
}

// extensions returns the CRL's extensions.
func (o *CRLOptions) extensions(ca *CA, number *big.Int) []extension {
	authority := &AuthorityKeyID{KeyID: o.AuthorityKeyID}
	if o.AuthorityKeyID == nil {
		authority.KeyID = ca.Cert.SubjectKeyId
	}
	point := o.IssuingDistributionPoint
	if point == nil && o.Partition {
		point = &IssuingDistributionPoint{URL: ca.URLs.Partition}
	}
	list := []extension{
		{OIDAuthorityKeyID, false, authority.marshal},
		{OIDCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1BigInt(number) }},
	}
	if point != nil {
		list = append(list, extension{OIDIssuingDistributionPoint, !point.NotCritical, point.marshal})
	}
	if o.DeltaBase != nil {
		list = append(list, extension{OIDDeltaCRLIndicator, true, func(b *cryptobyte.Builder) { b.AddASN1BigInt(o.DeltaBase) }})
	}
	if !o.ExpiredCertsOnCRL.IsZero() {
		list = append(list, extension{OIDExpiredCertsOnCRL, false, func(b *cryptobyte.Builder) {
			b.AddASN1GeneralizedTime(o.ExpiredCertsOnCRL.UTC())
		}})
	}
	return append(omit(list, o.Omit), given(o.Extensions)...)
}

func (p *IssuingDistributionPoint) marshal(b *cryptobyte.Builder) {
	flag := func(b *cryptobyte.Builder, tag uint8, set bool) {
		if set {
			b.AddASN1(cbasn1.Tag(tag).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddUint8(0xff) })
		}
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if p.URL != "" {
			addDistributionPointName(b, p.URL)
		}
		flag(b, 1, p.OnlyUserCerts)
		flag(b, 2, p.OnlyCACerts)
		if p.OnlySomeReasons != 0 {
			addNamedBits(b, cbasn1.Tag(3).ContextSpecific(), p.OnlySomeReasons)
		}
		flag(b, 4, p.Indirect)
		flag(b, 5, p.OnlyAttributeCerts)
	})
}

func (e CRLEntry) marshal(b *cryptobyte.Builder) {
	serial := e.RawSerial
	if serial == nil {
		serial = integerOctets(cmp.Or(e.Serial, new(big.Int)))
	}
	var list []extension
	if e.Reason != 0 {
		list = append(list, extension{OIDReasonCode, false, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(e.Reason)) }})
	}
	if !e.InvalidityDate.IsZero() {
		list = append(list, extension{OIDInvalidityDate, false, func(b *cryptobyte.Builder) {
			b.AddASN1GeneralizedTime(e.InvalidityDate.UTC())
		}})
	}
	list = append(list, given(e.Extensions)...)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(serial) })
		addTime(b, e.RevocationDate)
		if len(list) > 0 {
			addExtensionList(b, list)
		}
	})
}
