package cms_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/pkcs7"

	"github.com/citizencert/citizencert/internal/der/dertest"
)

// Encodings that the hand-made messages are put together from.
var (
	oidSignedData = oid(1, 2, 840, 113549, 1, 7, 2)
	oidData       = oid(1, 2, 840, 113549, 1, 7, 1)
	oidSHA256     = oid(2, 16, 840, 1, 101, 3, 4, 2, 1)
	oidECDSA      = oid(1, 2, 840, 10045, 4, 3, 2)
	oidAttribute  = oid(1, 2, 3)

	sha256Identifier = tlv(0x30, oidSHA256)
	issuer           = tlv(0x30, tlv(0x31, tlv(0x30, oid(2, 5, 4, 3), tlv(0x0c, []byte("CA")))))
	bySerial         = tlv(0x30, issuer, tlv(0x02, []byte{0x07}))
	byKeyID          = tlv(0x80, []byte("key id"))
)

func tlv(identifier byte, contents ...[]byte) []byte { return dertest.TLV(identifier, contents...) }

func indefinite(identifier byte, contents ...[]byte) []byte {
	return dertest.Indefinite(identifier, contents...)
}

func oid(arcs ...int) []byte {
	encoded, err := asn1.Marshal(asn1.ObjectIdentifier(arcs))
	if err != nil {
		panic(err)
	}
	return encoded
}

// A signer is a SignerInfo put together by hand. A nil field is left out,
// except that there are defaults for sid, digest, algorithm and signature.
type signer struct {
	version       byte
	sid           []byte
	digest        []byte
	signedAttrs   []byte
	algorithm     []byte
	signature     []byte
	unsignedAttrs []byte
	rest          []byte
}

func (s signer) bytes() []byte {
	if s.version == 0 {
		s.version = 1
	}
	return tlv(0x30,
		tlv(0x02, []byte{s.version}),
		or(s.sid, bySerial),
		or(s.digest, sha256Identifier),
		s.signedAttrs,
		or(s.algorithm, tlv(0x30, oidECDSA)),
		or(s.signature, tlv(0x04, []byte("signature"))),
		s.unsignedAttrs,
		s.rest)
}

// A message is a ContentInfo with SignedData put together by hand. A nil field
// is left out, except that there are defaults for the mandatory ones.
type message struct {
	contentType  []byte
	version      byte
	digests      []byte
	encapsulated []byte
	certificates []byte
	crls         []byte
	signers      []byte
	rest         []byte // in the SignedData, behind the last field
	element      func(identifier byte, contents ...[]byte) []byte
}

func (m message) bytes() []byte {
	if m.version == 0 {
		m.version = 1
	}
	if m.element == nil {
		m.element = tlv
	}
	return m.element(0x30,
		or(m.contentType, oidSignedData),
		m.element(0xa0, m.element(0x30,
			tlv(0x02, []byte{m.version}),
			or(m.digests, m.element(0x31, sha256Identifier)),
			or(m.encapsulated, m.element(0x30, oidData, m.element(0xa0, tlv(0x04, []byte("content"))))),
			m.certificates,
			m.crls,
			or(m.signers, m.element(0x31, signer{}.bytes())),
			m.rest)))
}

func or(field, otherwise []byte) []byte {
	if field != nil {
		return field
	}
	return otherwise
}

// attribute encodes an Attribute with the given encoded values.
func attribute(values ...[]byte) []byte { return tlv(0x30, oidAttribute, tlv(0x31, values...)) }

// repeat returns n distinct elements, each made from its number.
func repeat(n int, element func(i int) []byte) []byte {
	var all []byte
	for i := range n {
		all = append(all, element(i)...)
	}
	return all
}

// An identity is a certificate with its key.
type identity struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// alice and bob sign what pkcs7 builds.
var alice, bob = newIdentity("alice", 7), newIdentity("bob", 8)

func newIdentity(name string, serial int64) func() identity {
	return sync.OnceValue(func() identity {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(serial),
			Subject:      pkix.Name{CommonName: name},
			SubjectKeyId: []byte(name),
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
		}
		encoded, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			panic(err)
		}
		certificate, err := x509.ParseCertificate(encoded)
		if err != nil {
			panic(err)
		}
		return identity{certificate, key}
	})
}

// sign lets pkcs7 build a SignedData by the given signers.
func sign(tb testing.TB, content []byte, detached bool, signers ...identity) []byte {
	tb.Helper()
	builder, err := pkcs7.NewSignedData(content)
	if err != nil {
		tb.Fatal(err)
	}
	builder.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	for _, s := range signers {
		if err := builder.AddSigner(s.certificate, s.key, pkcs7.SignerInfoConfig{}); err != nil {
			tb.Fatal(err)
		}
	}
	if detached {
		builder.Detach()
	}
	data, err := builder.Finish()
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Clone(data)
}
