package pkitest

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Names of RFC 3161 and RFC 5816.
var (
	OIDTimeStampToken     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	OIDSigningCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}

	// OIDTSAPolicy is the policy of the look-alike authority, in an arc for
	// examples.
	OIDTSAPolicy = asn1.ObjectIdentifier{2, 999, 3161}
)

// A TSA is a time-stamping authority (RFC 3161). One put together from the Cert
// and Key of an [Issued] stamps as well.
type TSA struct {
	Issuer *CA // revokes the authority's certificate
	Cert   *x509.Certificate
	Key    crypto.Signer
}

// NewTSA makes a time-stamping authority under a root of its own, which is
// TSA.Issuer and has nothing to do with the government's.
func (p *PKI) NewTSA() (*TSA, error) {
	root, err := p.SelfSigned(Template{})
	if err != nil {
		return nil, err
	}
	return root.IssueTSA()
}

// IssueTSA issues the certificate of a time-stamping authority: ten years of
// digitalSignature and, critical and alone, id-kp-timeStamping (RFC 3161, Section
// 2.3). Options change the template; the extension is in Template.Extensions.
func (ca *CA) IssueTSA(opts ...func(*Template)) (*TSA, error) {
	now := ca.pki.now()
	t := Template{
		RawSubject: Name(
			NameAttribute{Type: OIDCountry, Value: "TW"},
			NameAttribute{Type: OIDOrganization, Value: "測試"},
			NameAttribute{Type: OIDCommonName, Value: "(測試用) TSA " + ca.Name},
		),
		SubjectDirectory: []Attribute{},
		Policies:         []asn1.ObjectIdentifier{},
		NotBefore:        now.Add(-time.Hour),
		NotAfter:         now.AddDate(10, 0, 0),
		Extensions:       []pkix.Extension{ExtKeyUsage(true, OIDTimeStamping)},
	}
	for _, opt := range opts {
		opt(&t)
	}
	issued, err := ca.Issue(t)
	if err != nil {
		return nil, err
	}
	return &TSA{ca, issued.Cert, issued.Key}, nil
}

// ExtKeyUsage returns the extension extKeyUsage for Template.Extensions, where
// Template.ExtKeyUsage is never critical.
func ExtKeyUsage(critical bool, purposes ...asn1.ObjectIdentifier) pkix.Extension {
	t := Template{ExtKeyUsage: purposes}
	return pkix.Extension{Id: OIDExtKeyUsage, Critical: critical, Value: encode(t.marshalExtKeyUsage)}
}

// TimestampOptions says how a time-stamp token differs from a proper one: of the
// present second, accurate to one second, over the SHA-256 of what is given.
type TimestampOptions struct {
	Time     time.Time // genTime, with its fraction of a second; if zero, now
	RawTime  string    // genTime as it is
	Accuracy *Accuracy // if nil, one second; empty is left out

	Hash    crypto.Hash // of the messageImprint; if zero, SHA-256
	Imprint []byte      // hashedMessage; if nil, the digest

	Version    int                   // if zero, 1
	Policy     asn1.ObjectIdentifier // if nil, OIDTSAPolicy
	Serial     *big.Int              // if nil, 1
	Ordering   bool
	Nonce      *big.Int
	Extensions []pkix.Extension
	Trailing   []byte // after the last field, inside TSTInfo

	RawTSTInfo []byte // in place of all of the above

	// Names is the certificate that the signing-certificate attribute names, by
	// NamesHash. If nil, the authority's; if zero, SHA-256. With NamesV1 it is
	// the attribute of RFC 2634, whose hash is SHA-1.
	Names     *x509.Certificate
	NamesHash crypto.Hash
	NamesV1   bool
	NoNames   bool // leave the attribute out

	// CMS is the SignedData around it all.
	CMS CMSOptions
}

// Accuracy is the accuracy of a genTime (RFC 3161, Section 2.4.2). A part that is
// zero is absent.
type Accuracy struct{ Seconds, Millis, Micros int64 }

// Timestamp returns a time-stamp token over data, as DER: what a requester takes
// out of the authority's response. Its messageImprint is a digest of data.
func (a *TSA) Timestamp(data []byte, o *TimestampOptions) ([]byte, error) {
	if o == nil {
		o = new(TimestampOptions)
	}
	info := o.RawTSTInfo
	if info == nil {
		info = o.encode(data, a.Issuer.pki.now())
	}
	cms := o.CMS
	if cms.ContentType == nil {
		cms.ContentType = OIDTSTInfo
	}
	if !o.NoNames {
		cms.Attributes = append([]Attribute{o.names(a.Cert)}, cms.Attributes...)
	}
	card := &Card{Cert: a.Cert, Key: a.Key, Issuer: a.Issuer}
	return card.SignPKCS7(info, &cms)
}

func (o *TimestampOptions) names(cert *x509.Certificate) Attribute {
	if o.Names != nil {
		cert = o.Names
	}
	if !o.NamesV1 {
		return SigningCertificateV2(cert, cmp.Or(o.NamesHash, crypto.SHA256))
	}
	// SigningCertificate ::= SEQUENCE { certs SEQUENCE OF SEQUENCE { certHash OCTET STRING } }
	value := definite(cbasn1.OCTET_STRING, digest(crypto.SHA1, cert.Raw))
	for range 3 {
		value = definite(cbasn1.SEQUENCE, value)
	}
	return Attribute{OIDSigningCertificate, [][]byte{value}}
}

// encode writes
//
//	TSTInfo ::= SEQUENCE { version INTEGER, policy OBJECT IDENTIFIER, messageImprint, serialNumber INTEGER,
//	    genTime GeneralizedTime, accuracy OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL,
//	    tsa [0] OPTIONAL, extensions [1] IMPLICIT OPTIONAL }
func (o *TimestampOptions) encode(data []byte, now time.Time) []byte {
	policy := o.Policy
	if policy == nil {
		policy = OIDTSAPolicy
	}
	serial := o.Serial
	if serial == nil {
		serial = big.NewInt(1)
	}
	return encode(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(cmp.Or(o.Version, 1)))
			b.AddASN1ObjectIdentifier(policy)
			o.addImprint(b, data)
			b.AddASN1BigInt(serial)
			b.AddBytes(encodeString(cbasn1.GeneralizedTime, o.time(now)))
			o.addAccuracy(b)
			if o.Ordering {
				b.AddASN1Boolean(true)
			}
			if o.Nonce != nil {
				b.AddASN1BigInt(o.Nonce)
			}
			if len(o.Extensions) > 0 {
				list := encode(func(b *cryptobyte.Builder) { addExtensionList(b, given(o.Extensions)) })
				list[0] = byte(cbasn1.Tag(1).ContextSpecific().Constructed()) // implicit
				b.AddBytes(list)
			}
			b.AddBytes(o.Trailing)
		})
	})
}

// addImprint adds MessageImprint ::= SEQUENCE { hashAlgorithm, hashedMessage OCTET STRING }.
func (o *TimestampOptions) addImprint(b *cryptobyte.Builder, data []byte) {
	hash := cmp.Or(o.Hash, crypto.SHA256)
	imprint := o.Imprint
	if imprint == nil {
		imprint = digest(hash, data)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addAlgorithmIdentifier(b, hashOIDs[hash], true)
		b.AddASN1OctetString(imprint)
	})
}

func (o *TimestampOptions) time(now time.Time) string {
	if o.RawTime != "" {
		return o.RawTime
	}
	if !o.Time.IsZero() {
		now = o.Time
	}
	return now.UTC().Format("20060102150405.999999999Z")
}

// addAccuracy adds Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL,
// millis [0] INTEGER OPTIONAL, micros [1] INTEGER OPTIONAL }.
func (o *TimestampOptions) addAccuracy(b *cryptobyte.Builder) {
	a := Accuracy{Seconds: 1}
	if o.Accuracy != nil {
		a = *o.Accuracy
	}
	if a == (Accuracy{}) {
		return
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if a.Seconds != 0 {
			b.AddASN1Int64(a.Seconds)
		}
		for tag, n := range []int64{a.Millis, a.Micros} {
			if n != 0 {
				b.AddASN1Int64WithTag(n, cbasn1.Tag(tag).ContextSpecific())
			}
		}
	})
}
