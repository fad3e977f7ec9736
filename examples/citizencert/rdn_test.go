package main

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

func TestNameText(t *testing.T) {
	cn, o, dc, private := asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 10},
		asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 1466, 0}
	text := func(tag int, value string) asn1.RawValue { return asn1.RawValue{Tag: tag, Bytes: []byte(value)} }
	one := func(id asn1.ObjectIdentifier, value asn1.RawValue) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: id, Value: value}}
	}
	for _, test := range []struct {
		name string
		dn   pkix.RDNSequence
		want string
	}{
		{"empty", nil, ""},
		{"last first", pkix.RDNSequence{one(dc, text(asn1.TagIA5String, "net")), one(dc, text(asn1.TagIA5String, "example")), one(cn, text(asn1.TagUTF8String, "王測試"))},
			"CN=王測試,DC=example,DC=net"},
		{"several in one RDN", pkix.RDNSequence{append(one(cn, text(asn1.TagPrintableString, "a")), one(o, text(asn1.TagPrintableString, "b"))...)}, "CN=a+O=b"},
		{"special characters", pkix.RDNSequence{one(cn, text(asn1.TagUTF8String, `a,b+c"d\e<f>g;h=i#j`))}, `CN=a\,b\+c\"d\\e\<f\>g\;h=i#j`},
		{"number sign and spaces at the ends", pkix.RDNSequence{one(cn, text(asn1.TagUTF8String, "#a b ")), one(cn, text(asn1.TagUTF8String, " "))}, `CN=\ ,CN=\#a b\ `},
		{"what cannot be seen", pkix.RDNSequence{one(cn, text(asn1.TagUTF8String, "a\x00\r\u202eb"))}, `CN=a\00\0D\E2\80\AEb`},
		{"unknown type", pkix.RDNSequence{one(private, text(asn1.TagOctetString, "Hi"))}, "1.3.6.1.4.1.1466.0=#04024869"},
		{"no string", pkix.RDNSequence{one(cn, text(asn1.TagOctetString, "Hi"))}, "CN=#04024869"},
		{"not UTF-8", pkix.RDNSequence{one(cn, text(asn1.TagUTF8String, "\xff"))}, "CN=#0c01ff"},
		{"BMPString", pkix.RDNSequence{one(cn, text(asn1.TagBMPString, "\x73\x8b"))}, "CN=王"},
	} {
		raw, err := asn1.Marshal(test.dn)
		if err != nil {
			t.Fatal(err)
		}
		if got := nameText(raw); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
	if got := nameText([]byte{0x30, 5}); got != "#3005" {
		t.Errorf("no Name: got %s, want #3005", got)
	}
}
