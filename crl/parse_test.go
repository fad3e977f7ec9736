package crl

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"testing"
	"testing/iotest"
	"time"

	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// What we and package x509 both read we read alike.
func FuzzParse(f *testing.F) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		f.Fatal(err)
	}
	defer pki.Close()
	for _, o := range []pkitest.CRLOptions{{}, {Filler: 3}, {Partition: true, NoNextUpdate: true}} {
		der, err := pki.G3.MOICA.CRL(o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	for _, seed := range dertest.Seeds(f, "crl") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, err := Parse(data)
		streamed, streamErr := Read(iotest.HalfReader(bytes.NewReader(data)), 0)
		if (err == nil) != (streamErr == nil) && !bytes.HasPrefix(data, []byte(pemMark)) {
			t.Fatalf("got %v, and %v as a stream", err, streamErr)
		}
		if err != nil {
			return
		}
		if ours.digest != streamed.digest || ours.Len() != streamed.Len() {
			t.Errorf("got %d entries, digest %x, and %d, %x as a stream", ours.Len(), ours.digest, streamed.Len(), streamed.digest)
		}
		if theirs, err := x509.ParseRevocationList(data); err == nil {
			compare(t, ours, theirs)
		}
	})
}

func compare(t *testing.T, ours *List, theirs *x509.RevocationList) {
	switch {
	case !bytes.Equal(ours.RawIssuer, theirs.RawIssuer):
		t.Errorf("got issuer %x, want %x", ours.RawIssuer, theirs.RawIssuer)
	case !ours.ThisUpdate.Equal(theirs.ThisUpdate), !ours.NextUpdate.Equal(theirs.NextUpdate):
		t.Errorf("got %v, %v, want %v, %v", ours.ThisUpdate, ours.NextUpdate, theirs.ThisUpdate, theirs.NextUpdate)
	case !bytes.Equal(ours.authority.keyID, theirs.AuthorityKeyId):
		t.Errorf("got key identifier %x, want %x", ours.authority.keyID, theirs.AuthorityKeyId)
	case (ours.Number == nil) != (theirs.Number == nil) || ours.Number != nil && ours.Number.Cmp(theirs.Number) != 0:
		t.Errorf("got number %v, want %v", ours.Number, theirs.Number)
	case ours.digest != sha256.Sum256(theirs.RawTBSRevocationList) || !bytes.Equal(ours.signed.Signature, theirs.Signature):
		t.Error("what is signed, or the signature, differs")
	}
	if ours.foreign != nil {
		return // package x509 leaves the issuers of entries to the caller
	}
	serials := map[string]bool{}
	for _, e := range theirs.RevokedCertificateEntries {
		serials[e.SerialNumber.String()] = true
		got, ok, _ := ours.lookup(&x509.Certificate{RawIssuer: ours.RawIssuer, SerialNumber: e.SerialNumber})
		want := entryOf(e)
		if !ok || got.status() < want.status() || want.status() != verify.Unknown && got.effective() > want.effective() {
			t.Errorf("serial number %x: got %+v, %v, want it no better than %+v", e.SerialNumber, got, ok, want)
		}
	}
	if ours.Len() != len(serials) {
		t.Errorf("got %d serial numbers, want %d", ours.Len(), len(serials))
	}
}

// entryOf has no invalidityDate, which package x509 does not read.
func entryOf(e x509.RevocationListEntry) entry {
	at := e.RevocationTime.Unix()
	return entry{revokedAt: at, invalidFrom: at, reason: int8(e.ReasonCode)}
}

func TestIntegerOctets(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want []byte
	}{
		{0, []byte{0}}, {1, []byte{1}}, {127, []byte{0x7f}}, {128, []byte{0, 0x80}}, {255, []byte{0, 0xff}}, {256, []byte{1, 0}},
		{-1, []byte{0xff}}, {-128, []byte{0x80}}, {-129, []byte{0xff, 0x7f}}, {-256, []byte{0xff, 0}},
	} {
		if got := integerOctets(big.NewInt(c.n)); !bytes.Equal(got, c.want) {
			t.Errorf("%d: got %x, want %x", c.n, got, c.want)
		}
		if got := integerFrom(c.want); got.Int64() != c.n {
			t.Errorf("%x: got %d, want %d", c.want, got, c.n)
		}
	}
}

// A list may name the certificate of the key by issuer and serial number.
func TestAuthorityKey(t *testing.T) {
	name := []byte{0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09, 0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 'T', 'W'}
	other := bytes.Replace(name, []byte("TW"), []byte("HK"), 1)
	issuer := &x509.Certificate{RawIssuer: name, SerialNumber: big.NewInt(0x80), SubjectKeyId: []byte{1, 2}}
	names := func(name []byte) []byte { return dertest.TLV(0xa1, dertest.TLV(0xa4, name)) }
	serial := func(octets ...byte) []byte { return dertest.TLV(0x82, octets) }
	keyID := func(octets ...byte) []byte { return dertest.TLV(0x80, octets) }
	for _, c := range []struct {
		name      string
		parts     [][]byte
		want      bool
		malformed bool
	}{
		{name: "nothing", want: true},
		{name: "key", parts: [][]byte{keyID(1, 2)}, want: true},
		{name: "other key", parts: [][]byte{keyID(1, 3)}},
		{name: "issuer and serial", parts: [][]byte{names(name), serial(0, 0x80)}, want: true},
		{name: "other issuer", parts: [][]byte{names(other), serial(0, 0x80)}},
		{name: "other serial", parts: [][]byte{names(name), serial(0x80)}},
		{name: "other key, issuer and serial", parts: [][]byte{keyID(1, 3), names(name), serial(0, 0x80)}},
		{name: "issuer alone", parts: [][]byte{names(other)}, want: true},
		{name: "no names", parts: [][]byte{dertest.TLV(0xa1)}, malformed: true},
		{name: "no name", parts: [][]byte{dertest.TLV(0xa1, []byte{0x30, 0})}, malformed: true},
		{name: "empty serial", parts: [][]byte{names(name), serial()}, malformed: true},
		{name: "more", parts: [][]byte{dertest.TLV(0x83)}, malformed: true},
	} {
		key, err := parseAuthorityKey(&revocation.Extension{Value: dertest.TLV(0x30, c.parts...)})
		if (err != nil) != c.malformed {
			t.Errorf("%s: got %v, want malformed = %v", c.name, err, c.malformed)
		}
		if got := err == nil && key.names(issuer); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestScope(t *testing.T) {
	url := dertest.TLV(0xa0, dertest.TLV(0xa0, dertest.TLV(0x86, []byte("http://a/"))))
	set := func(tag byte) []byte { return []byte{tag, 1, 0xff} }
	for _, c := range []struct {
		name  string
		parts [][]byte
		ok    bool
	}{
		{"point", [][]byte{url}, true},
		{"point and kind", [][]byte{url, set(0x81)}, true},
		{"kind not set", [][]byte{{0x81, 1, 0}}, true},
		{"kind set to 1", [][]byte{{0x81, 1, 1}}, false},
		{"out of order", [][]byte{set(0x81), url}, false},
		{"two kinds", [][]byte{set(0x81), set(0x85)}, false},
		{"two kinds, one not set", [][]byte{set(0x81), {0x85, 1, 0}}, true},
		{"reasons", [][]byte{{0x83, 2, 1, 2}}, true},
		{"reasons without bits", [][]byte{{0x83, 0}}, false},
		{"nothing", nil, false},
		{"point without name", [][]byte{dertest.TLV(0xa0)}, false},
		{"point without names", [][]byte{dertest.TLV(0xa0, dertest.TLV(0xa0))}, false},
		{"point of another kind", [][]byte{dertest.TLV(0xa0, dertest.TLV(0xa2))}, false},
		{"point with two names", [][]byte{dertest.TLV(0xa0, dertest.TLV(0xa1, []byte{5, 0}), dertest.TLV(0xa1, []byte{5, 0}))}, false},
		{"empty relative name", [][]byte{dertest.TLV(0xa0, dertest.TLV(0xa1))}, false},
		{"more", [][]byte{url, set(0x86)}, false},
	} {
		if _, err := parseScope(&revocation.Extension{Value: dertest.TLV(0x30, c.parts...)}); (err == nil) != c.ok {
			t.Errorf("%s: got %v, want ok = %v", c.name, err, c.ok)
		}
	}
}

func TestDescribe(t *testing.T) {
	at := time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)
	e := entry{revokedAt: at.Unix(), invalidFrom: at.Add(-time.Hour).Unix(), hasInvalid: true, reason: 1}
	var r verify.StatusReport
	e.describe(&r)
	if r.Says != verify.Revoked || !r.RevokedAt.Equal(at) || !r.InvalidityDate.Equal(at.Add(-time.Hour)) || r.ReasonCode != 1 {
		t.Errorf("got %+v", r)
	}
}
