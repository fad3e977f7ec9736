package crl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"testing"
	"testing/iotest"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/der/dertest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A list that comes in pieces, or as PEM, is the one that is in memory.
func TestRead(t *testing.T) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pki.Close()
	for _, filler := range []int{0, 1, 20_000} { // some of more than two blocks
		data, err := pki.G3.MOICA.CRL(pkitest.CRLOptions{Filler: filler})
		if err != nil {
			t.Fatal(err)
		}
		want, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: data})
		for name, r := range map[string]io.Reader{
			"whole":       bytes.NewReader(data),
			"half":        iotest.HalfReader(bytes.NewReader(data)),
			"error early": iotest.DataErrReader(bytes.NewReader(data)),
			"octets":      iotest.OneByteReader(bytes.NewReader(data[:len(data):len(data)])),
			"PEM":         bytes.NewReader(text),
		} {
			got, err := Read(r, 0)
			if err != nil {
				t.Errorf("%d entries, %s: got %v", filler, name, err)
				continue
			}
			if got.digest != want.digest || got.Len() != want.Len() || got.Size != int64(len(data)) || got.Number.Cmp(want.Number) != 0 {
				t.Errorf("%d entries, %s: got %d entries of %d bytes, digest %x, want %d, %d, %x",
					filler, name, got.Len(), got.Size, got.digest, want.Len(), len(data), want.digest)
			}
			if err := got.signed.Verify(pki.G3.MOICA.Cert.PublicKey, strict); err != nil {
				t.Errorf("%d entries, %s: got %v", filler, name, err)
			}
		}
	}
}

// Whatever a signature is over, it is verified of a list that comes in pieces.
func TestReadSignatures(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{edwards, p384} {
		issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "Test CA"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
		template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Unix(0, 0), NextUpdate: time.Unix(1, 0)}
		for i := range 10_000 {
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(int64(i + 1)), RevocationTime: time.Unix(0, 0)})
		}
		data, err := x509.CreateRevocationList(rand.Reader, template, issuer, key)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Read(iotest.HalfReader(bytes.NewReader(data)), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.signed.Verify(key.Public(), strict); err != nil {
			t.Errorf("%T: got %v", key, err)
		}
		data[len(data)/2] ^= 1
		if l, err = Read(bytes.NewReader(data), 0); err == nil {
			err = l.signed.Verify(key.Public(), strict)
		}
		if err == nil {
			t.Errorf("%T: flipped bit: got no error", key)
		}
	}
}

func TestReadFailures(t *testing.T) {
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer pki.Close()
	data, err := pki.G3.MOICA.CRL(pkitest.CRLOptions{Filler: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: data})
	failure := errors.New("test failure")
	huge := append([]byte{0x30, 0x84, 0x03, 0, 0, 0}, dertest.TLV(0x30)...) // claims 48 MiB
	for _, c := range []struct {
		name   string
		r      io.Reader
		max    int64
		reason verify.Reason
	}{
		{"exactly the limit", bytes.NewReader(data), int64(len(data)), ""},
		{"more than the limit", bytes.NewReader(data), int64(len(data)) - 1, verify.ReasonLimit},
		{"cut short", bytes.NewReader(data[:len(data)-1]), 0, verify.ReasonMalformed},
		{"broken off", io.MultiReader(bytes.NewReader(data[:100_000]), iotest.ErrReader(failure)), 0, verify.ReasonStatusUnavailable},
		{"broken off after the end", io.MultiReader(bytes.NewReader(data), iotest.ErrReader(failure)), 0, verify.ReasonStatusUnavailable},
		{"bytes afterwards", io.MultiReader(bytes.NewReader(data), bytes.NewReader([]byte{0})), 0, verify.ReasonMalformed},
		{"claims to be large", bytes.NewReader(huge), 0, verify.ReasonMalformed},
		{"idle", idleReader{}, 0, verify.ReasonStatusUnavailable},
		{"PEM cut short", bytes.NewReader(text[:len(text)/2]), 0, verify.ReasonMalformed},
		{"PEM with text afterwards", io.MultiReader(bytes.NewReader(text), bytes.NewReader([]byte("more"))), 0, verify.ReasonMalformed},
		{"PEM of a certificate", bytes.NewReader(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: data})), 0, verify.ReasonMalformed},
	} {
		l, err := Read(c.r, c.max)
		e, _ := errors.AsType[*verify.Error](err)
		if (l != nil) != (c.reason == "") || e != nil && e.Reason != c.reason || c.reason == verify.ReasonStatusUnavailable && c.name != "idle" && !errors.Is(err, failure) {
			t.Errorf("%s: got %v, want reason %q", c.name, err, c.reason)
		}
	}
}

type idleReader struct{}

func (idleReader) Read([]byte) (int, error) { return 0, nil }

// What scanEntry reads it reads as parseEntry does.
func FuzzScanEntry(f *testing.F) {
	for _, text := range []string{
		"301e02010117" + "0d3236303331373132303030305a" + "300a30080603551d1504010a",
		"3020020101170d3236303331373132303030305a300c300a0603551d1504030a0101",
		"3012020101170d3236303232393132303030305a",
		"30130202ff7f170d3530303130313030303030305a",
		"3014020300008f170d3439313233313233353935395a",
	} {
		f.Add(hexBytes(f, text), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, isV2 bool) {
		number, got, size := scanEntry(data, isV2)
		if size == 0 {
			return
		}
		doc, err := der.Strict(data[:size], der.Limits{})
		if err != nil {
			t.Fatalf("read %x, which is not DER: %v", data[:size], err)
		}
		contents, want, err := (&List{}).parseEntry(doc.Root(), isV2, &entryContext{})
		if err != nil {
			t.Fatalf("read %x, which is none: %v", data[:size], err)
		}
		if other, _ := serialOf(contents.Body); got != want || !bytes.Equal(number.octets, other.octets) || number.negative != other.negative {
			t.Errorf("got %+v for %x, want %+v for %x", got, number.octets, want, other.octets)
		}
	})
}

// A UTCTime is read as package der reads it, on every day of its century.
func TestUTCTime(t *testing.T) {
	for at := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2050; at = at.Add(24*time.Hour + 61*time.Minute + time.Second) {
		if got, ok := utcTime([]byte(at.Format("060102150405Z"))); !ok || got != at.Unix() {
			t.Fatalf("%v: got %d, %v, want %d", at, got, ok, at.Unix())
		}
	}
	for _, text := range []string{"260229120000Z", "261301120000Z", "260100120000Z", "260001120000Z", "260101240000Z", "260101126000Z",
		"260101120060Z", "260101120000+", "2601011200:0Z", "26010112000 Z"} {
		if _, ok := utcTime([]byte(text)); ok {
			t.Errorf("%s: got a time", text)
		}
	}
}

func hexBytes(tb testing.TB, text string) []byte {
	tb.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

var strict = algorithm.Policy{}
