package main

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// wrapped is base64 in lines, as people paste it.
func wrapped(data []byte) []byte {
	var text []byte
	for chunk := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(data)), 60) {
		text = append(append(append(text, "  "...), chunk...), "\r\n"...)
	}
	return text
}

func TestEncodings(t *testing.T) {
	w := newWorld(t)
	card, moica := w.card.Cert.Raw, w.moica
	text := encodePEM("CERTIFICATE", card)
	key := encodePEM("PRIVATE KEY", []byte("no key"))
	for _, test := range []struct {
		name string
		data []byte
		want [][]byte // nil if refused
	}{
		{"DER", card, [][]byte{card}},
		{"PEM", text, [][]byte{card}},
		{"PEM with text around", slices.Concat([]byte("0 s:CN = 王測試\n"), text, []byte("---\n")), [][]byte{card}},
		{"PEM with CRLF", bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), [][]byte{card}},
		{"PEM with a byte order mark and no final line end", slices.Concat([]byte("\xef\xbb\xbf\n"), bytes.TrimSpace(text)), [][]byte{card}},
		{"bundle", encodePEM("CERTIFICATE", card, moica), [][]byte{card, moica}},
		{"bundle with a key", slices.Concat(key, text), [][]byte{card}},
		{"other label", encodePEM("X509 CERTIFICATE", card), [][]byte{card}},
		{"base64", []byte(base64.StdEncoding.EncodeToString(card)), [][]byte{card}},
		{"base64 in lines", wrapped(card), [][]byte{card}},
		{"a block that cannot be read", slices.Concat(text, []byte("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")), nil},
		{"a block cut short", text[:len(text)-30], nil},
		{"no certificate", key, nil},
		{"empty", nil, nil},
		{"white space", []byte(" \n"), [][]byte{[]byte(" \n")}}, // left to the parser
	} {
		got, err := (&files{}).objects(writeTemp(t, "file", test.data), certificateFormat)
		if !slices.EqualFunc(got, test.want, bytes.Equal) {
			t.Errorf("%s: got %d objects and error %v, want %d", test.name, len(got), err, len(test.want))
		}
		if refused, ok := err.(*verify.Error); test.want == nil && (!ok || refused.Reason != verify.ReasonMalformed) {
			t.Errorf("%s: got error %v, want malformed", test.name, err)
		}
	}
}

// A SignedData over a PEM file is no PEM file.
func TestEncodingPEMInside(t *testing.T) {
	w := newWorld(t)
	message, err := w.card.SignPKCS7(encodePEM("CERTIFICATE", w.moica), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&files{}).object(writeTemp(t, "file", message), signedDataFormat)
	if err != nil || !bytes.Equal(got, message) {
		t.Errorf("got %d bytes and error %v, want the message as it is", len(got), err)
	}
}

// Messages in the three encodings have one verdict.
func TestVerifyEncodings(t *testing.T) {
	w := newWorld(t)
	flags := with(with([]string{"verify"}, w.pathFlags(t)...), "-insecure-skip-revocation")
	for name, data := range map[string][]byte{
		"PEM, CMS":   encodePEM("CMS", w.attached),
		"PEM, PKCS7": encodePEM("PKCS7", w.attached),
		"base64":     wrapped(w.attached),
		"DER":        w.attached,
	} {
		t.Run(name, func(t *testing.T) {
			checkVerdict(t, call(t, with(flags, writeTemp(t, "filing", data))...), "")
			checkVerdict(t, callWith(t, string(data), with(flags, "-")...), "")
		})
	}
	two := writeTemp(t, "two.pem", encodePEM("CMS", w.attached, w.attached))
	checkVerdict(t, call(t, with(flags, two)...), verify.ReasonMalformed)
}

func TestVerifyStreamed(t *testing.T) {
	w := newWorld(t)
	flags := with(with([]string{"verify"}, w.pathFlags(t)...), "-insecure-skip-revocation")
	ber, err := w.card.SignPKCS7(w.document, &pkitest.CMSOptions{Chunks: 3})
	if err != nil {
		t.Fatal(err)
	}
	checkVerdict(t, call(t, with(flags, writeTemp(t, "filing.p7m", ber))...), "")
	detached := writeTemp(t, "filing.p7s", w.detached)
	checkVerdict(t, callWith(t, string(w.document), with(flags, "-content", "-", detached)...), "")
	callWith(t, string(w.detached), with(flags, "-content", "-", "-")...).checkUsage(t, "standard input")
}

func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	missing, folder := writeTemp(t, "x", nil)+".missing", t.TempDir()
	filing, detached := writeTemp(t, "filing.p7m", w.attached), writeTemp(t, "filing.p7s", w.detached)
	flags := with([]string{"verify"}, w.pathFlags(t)...)
	for _, args := range [][]string{
		{"inspect", "-json", missing},
		with(flags, missing),
		with(flags, "-content", missing, detached),
		with(flags, "-crl", missing, filing),
		with(flags, "-ocsp", missing, filing),
		with(flags, "-intermediates", missing, filing),
		{"verify", "-json", "-anchors", missing, filing},
	} {
		call(t, args...).checkUsage(t, "no such file")
	}
	call(t, with(flags, folder)...).checkUsage(t, "want a file")
	call(t, with(flags, "-content", folder, detached)...).checkUsage(t, "want a file")
}

func TestTooLarge(t *testing.T) {
	_, err := (&files{stdin: strings.NewReader(strings.Repeat(" ", maxFile+1))}).read("-")
	if refused, ok := err.(*verify.Error); !ok || refused.Reason != verify.ReasonLimit {
		t.Errorf("got %v, want limit", err)
	}
}
