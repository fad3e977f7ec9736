package certpath

import "testing"

const (
	printable, utf8String, teletex, bmp, ia5 = 0x13, 0x0c, 0x14, 0x1e, 0x16
)

// attribute is one RDN of one attribute, in DER.
func attribute(id byte, tag byte, value string) []byte {
	return tlv(0x31, pair(id, tag, value))
}

func pair(id byte, tag byte, value string) []byte {
	return tlv(0x30, []byte{6, 3, 0x55, 4, id}, text(tag, value))
}

func name(rdns ...[]byte) []byte { return tlv(0x30, rdns...) }

func TestSameName(t *testing.T) {
	const cn, o, ou = 3, 10, 11
	tests := []struct {
		name string
		a, b []byte
		want bool
	}{
		{"case", name(attribute(cn, utf8String, "Root CA")), name(attribute(cn, utf8String, "ROOT ca")), true},
		{"case beyond ASCII", name(attribute(cn, utf8String, "École Σς")), name(attribute(cn, utf8String, "éCOLE σσ")), true},
		{"white space", name(attribute(cn, utf8String, " Root \t CA ")), name(attribute(cn, utf8String, "Root CA")), true},
		{"ideographic space", name(attribute(cn, utf8String, "政府\u3000憑證")), name(attribute(cn, utf8String, "政府 憑證")), true},
		{"white space that matters", name(attribute(cn, utf8String, "RootCA")), name(attribute(cn, utf8String, "Root CA")), false},
		{"string types", name(attribute(cn, utf8String, "Root")), name(attribute(cn, printable, "root")), true},
		{"BMPString", name(attribute(cn, utf8String, "政府")), name(attribute(cn, bmp, "\x65\x3f\x5e\x9c")), true},
		{"TeletexString", name(attribute(cn, utf8String, "É")), name(attribute(cn, teletex, "\xe9")), true},
		{"another attribute", name(attribute(cn, utf8String, "Root")), name(attribute(o, utf8String, "Root")), false},
		{"another value", name(attribute(cn, utf8String, "Root")), name(attribute(cn, utf8String, "Roof")), false},
		{"prefix", name(attribute(o, utf8String, "a")), name(attribute(o, utf8String, "a"), attribute(ou, utf8String, "b")), false},
		{"order of RDNs", name(attribute(o, utf8String, "a"), attribute(ou, utf8String, "b")),
			name(attribute(ou, utf8String, "b"), attribute(o, utf8String, "a")), false},
		{"order within an RDN", name(tlv(0x31, pair(o, utf8String, "a"), pair(ou, utf8String, "b"))),
			name(tlv(0x31, pair(ou, utf8String, "B"), pair(o, utf8String, "A"))), true},
		{"one RDN or two", name(tlv(0x31, pair(o, utf8String, "a"), pair(ou, utf8String, "b"))),
			name(attribute(o, utf8String, "a"), attribute(ou, utf8String, "b")), false},
		{"not text, equal", name(attribute(cn, 4, "x")), name(attribute(cn, 4, "x")), true},
		{"not text, case", name(attribute(cn, 4, "x")), name(attribute(cn, 4, "X")), false},
		{"not UTF-8", name(attribute(cn, utf8String, "\xff")), name(attribute(cn, utf8String, "\xfe")), false},
		{"malformed", []byte{0x30, 1}, name(), false},
		{"malformed, equal", []byte{0x30, 1}, []byte{0x30, 1}, true},
		{"empty", name(), name(), true},
	}
	for _, test := range tests {
		if got := SameName(test.a, test.b); got != test.want {
			t.Errorf("%s: got %t, want %t", test.name, got, test.want)
		}
		if got := SameName(test.b, test.a); got != test.want {
			t.Errorf("%s, the other way: got %t, want %t", test.name, got, test.want)
		}
	}
}

func TestCanonicalNameMalformed(t *testing.T) {
	for _, raw := range [][]byte{
		nil,
		tlv(0x31),
		name(tlv(0x31)),
		name(tlv(0x30, pair(3, utf8String, "a"))),
		name(tlv(0x31, tlv(0x30))),
		name(tlv(0x31, tlv(0x30, []byte{6, 3, 0x55, 4, 3}))),
		name(tlv(0x31, tlv(0x30, []byte{6, 3, 0x55, 4, 3, 5, 0, 5, 0}))),
		append(name(), 0),
	} {
		if key, err := CanonicalName(raw); err == nil {
			t.Errorf("%x: got %q, want an error", raw, key)
		}
	}
}
