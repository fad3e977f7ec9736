package certpath

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
)

// The instant of the tests, and the dates of their certificates.
var (
	now       = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	notBefore = now.AddDate(-1, 0, 0)
	notAfter  = now.AddDate(1, 0, 0)
)

// An entity is a certificate with its key.
type entity struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

var lastSerial int64

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate with the given common name. Without an issuer it is
// self-signed. change may alter the template.
func issue(t testing.TB, issuer *entity, name string, change func(*x509.Certificate)) *entity {
	t.Helper()
	return certify(t, issuer, name, newKey(t), change)
}

// certify is issue for a key that exists.
func certify(t testing.TB, issuer *entity, name string, key *ecdsa.PrivateKey, change func(*x509.Certificate)) *entity {
	t.Helper()
	return &entity{parse(t, sign(t, issuer, name, key, key.Public(), change)), key}
}

func sign(t testing.TB, issuer *entity, name string, key *ecdsa.PrivateKey, public crypto.PublicKey, change func(*x509.Certificate)) []byte {
	t.Helper()
	lastSerial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(lastSerial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    notBefore,
		NotAfter:     notAfter,
	}
	if change != nil {
		change(template)
	}
	if issuer == nil {
		issuer = &entity{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.Certificate, public, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// isCA is the change that makes a CA.
func isCA(c *x509.Certificate) {
	c.BasicConstraintsValid, c.IsCA = true, true
	c.KeyUsage = x509.KeyUsageCertSign
}

// both applies several changes.
func both(changes ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		for _, change := range changes {
			change(c)
		}
	}
}

// withoutKeyID returns the issuer as one that leaves the authorityKeyIdentifier
// out of what it issues.
func (e *entity) withoutKeyID() *entity {
	cert := *e.Certificate
	cert.SubjectKeyId = nil
	return &entity{&cert, e.key}
}

func certs(entities ...*entity) []*x509.Certificate {
	var list []*x509.Certificate
	for _, e := range entities {
		list = append(list, e.Certificate)
	}
	return list
}

func newTestSet(t testing.TB, anchors, intermediates []*x509.Certificate) *Set {
	t.Helper()
	set, err := NewSet(anchors, intermediates, algorithm.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// checkKind checks that err is an *Error of the given kind about cert.
func checkKind(t testing.TB, err error, kind Kind, cert *x509.Certificate) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error of kind %v", err, kind)
	}
	if e.Kind != kind {
		t.Errorf("got kind %v, want %v: %v", e.Kind, kind, err)
	}
	if cert != nil && e.Cert != cert {
		t.Errorf("got an error about another certificate than %s: %v", label(cert), err)
	}
}

// extension adds an extension to a template.
func extension(id asn1.ObjectIdentifier, critical bool, value []byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

func extensionID(last int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, last} }

// tlv encodes one element in DER.
func tlv(tag byte, contents ...[]byte) []byte {
	var body []byte
	for _, c := range contents {
		body = append(body, c...)
	}
	n := len(body)
	switch {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, body...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, body...)
	}
	return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, body...)
}

func text(tag byte, s string) []byte { return tlv(tag, []byte(s)) }

func oid(t testing.TB, dotted string) []byte {
	t.Helper()
	id, err := x509.ParseOID(dotted)
	if err != nil {
		t.Fatal(err)
	}
	der, err := id.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return tlv(6, der)
}

// policyExtension is certificatePolicies with the given policies.
func policyExtension(t testing.TB, ids ...string) func(*x509.Certificate) {
	t.Helper()
	var list []byte
	for _, id := range ids {
		list = append(list, tlv(0x30, oid(t, id))...)
	}
	return extension(extensionID(32), false, tlv(0x30, list))
}
