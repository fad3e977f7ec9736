package pkitest

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/asn1"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// encode writes the certificate (RFC 5280, Section 4.1) and signs it.
// x509.CreateCertificate is not used because it has an order, a criticality
// and an opinion of its own. The template is complete; spki is the holder's
// SubjectPublicKeyInfo.
func (t *Template) encode(ca *CA, spki []byte) ([]byte, error) {
	key := t.SigningKey
	if key == nil {
		key = ca.Key
	}
	outer, err := algorithmFor(key, t.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	inner := outer
	if t.InnerAlgorithm != 0 {
		if inner, err = algorithmFor(key, t.InnerAlgorithm); err != nil {
			return nil, err
		}
	}
	tbs, err := t.encodeTBS(ca, spki, inner)
	if err != nil {
		return nil, fmt.Errorf("pkitest: encoding the certificate: %w", err)
	}
	signature, err := outer.sign(key, tbs)
	if err != nil {
		return nil, fmt.Errorf("pkitest: signing the certificate: %w", err)
	}
	if t.BreakSignature {
		breakSignature(signature)
	}
	return encodeSigned(tbs, outer, signature, nil)
}

func (t *Template) encodeTBS(ca *CA, spki []byte, inner algorithm) ([]byte, error) {
	extensions := t.extensions(ca, spki)
	serial := t.serialOctets()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if t.Version != 1 {
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1Int64(int64(t.Version - 1))
			})
		}
		b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(serial) })
		inner.marshal(b)
		b.AddBytes(t.RawIssuer)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, t.NotBefore)
			addTime(b, t.NotAfter)
		})
		b.AddBytes(t.RawSubject)
		b.AddBytes(spki)
		addExtensions(b, 3, extensions)
	})
	return b.Bytes()
}

// addTime adds a Time as RFC 5280, Section 4.1.2.5 wants it: UTCTime through
// the year 2049, then GeneralizedTime.
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC().Truncate(time.Second)
	if t.Year() < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t)
	}
}

// serialOctets returns the content octets of the serialNumber.
func (t *Template) serialOctets() []byte {
	if t.RawSerial != nil {
		return t.RawSerial
	}
	if t.Serial != nil {
		return integerOctets(t.Serial)
	}
	// Sixteen random bytes, the first not zero: real serial numbers are
	// positive and take 16 or 17 octets.
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] |= 0x40
	if serial[0] >= 0x80 {
		serial = append([]byte{0}, serial...)
	}
	return serial
}

// subjectPublicKey returns the bits of the key inside a SubjectPublicKeyInfo,
// which for RSA are the RSAPublicKey. It returns nil if spki is something else.
func subjectPublicKey(spki []byte) []byte {
	in := cryptobyte.String(spki)
	var info cryptobyte.String
	var key asn1.BitString
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) ||
		!info.SkipASN1(cbasn1.SEQUENCE) ||
		!info.ReadASN1BitString(&key) {
		return nil
	}
	return key.Bytes
}

// keyID is the identifier of a key (RFC 5280, Section 4.2.1.2, method 1).
func keyID(spki []byte) []byte {
	sum := sha1.Sum(subjectPublicKey(spki))
	return sum[:]
}

// extension is an extension whose value is still to be written.
type extension struct {
	oid      asn1.ObjectIdentifier
	critical bool
	value    func(b *cryptobyte.Builder)
}

// addExtensions adds Extensions under the explicit tag that certificates,
// CRLs and OCSP responses each choose for themselves. No extensions, no field.
func addExtensions(b *cryptobyte.Builder, tag uint8, extensions []extension) {
	if len(extensions) == 0 {
		return
	}
	b.AddASN1(cbasn1.Tag(tag).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		addExtensionList(b, extensions)
	})
}

func addExtensionList(b *cryptobyte.Builder, extensions []extension) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range extensions {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(e.oid)
				if e.critical {
					b.AddASN1Boolean(true)
				}
				b.AddASN1(cbasn1.OCTET_STRING, e.value)
			})
		}
	})
}

// omit drops the extensions of the types given.
func omit(extensions []extension, types []asn1.ObjectIdentifier) []extension {
	return slices.DeleteFunc(extensions, func(e extension) bool {
		return slices.ContainsFunc(types, e.oid.Equal)
	})
}

// arrange drops what is to be omitted and moves to the front what Order names.
func (t *Template) arrange(extensions []extension) []extension {
	extensions = omit(extensions, t.Omit)
	rank := func(e extension) int {
		if i := slices.IndexFunc(t.Order, e.oid.Equal); i >= 0 {
			return i
		}
		return len(t.Order)
	}
	slices.SortStableFunc(extensions, func(a, b extension) int { return rank(a) - rank(b) })
	return extensions
}

// addNamedBits adds a BIT STRING with named bits, such as KeyUsage, without
// trailing zeros as DER wants it. Bit 0 of the name list is bit 0 of flags,
// and the most significant one in the first octet.
func addNamedBits(b *cryptobyte.Builder, tag cbasn1.Tag, flags uint16) {
	octets := []byte{bits.Reverse8(uint8(flags)), bits.Reverse8(uint8(flags >> 8))}
	for len(octets) > 0 && octets[len(octets)-1] == 0 {
		octets = octets[:len(octets)-1]
	}
	unused := 0
	if n := len(octets); n > 0 {
		unused = bits.TrailingZeros8(octets[n-1])
	}
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		b.AddUint8(uint8(unused))
		b.AddBytes(octets)
	})
}
