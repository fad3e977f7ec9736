package certpath

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"slices"
	"testing"

	"github.com/citizencert/citizencert/internal/der"
)

func parseOne(id int, value []byte) (extensions, error) {
	return parseExtensions(&x509.Certificate{Extensions: []pkix.Extension{{Id: extensionID(id), Critical: true, Value: value}}})
}

// Package x509 refuses much of this before it comes here; what is read again is
// checked again.
func TestParseExtensionsMalformed(t *testing.T) {
	policy := tlv(0x30, oid(t, "1.2.3"))
	tests := []struct {
		name  string
		id    int
		value []byte
	}{
		{"not DER", 19, []byte{0x30, 0x81, 0x00}},
		{"bytes behind", 19, []byte{0x30, 0x00, 0x00}},
		{"keyUsage is no BIT STRING", 15, []byte{4, 1, 4}},
		{"unused bits set", 15, []byte{3, 2, 1, 5}},
		{"CA flag is no BOOLEAN in DER", 19, tlv(0x30, []byte{1, 1, 1})},
		{"pathLen is negative", 19, tlv(0x30, []byte{1, 1, 0xff, 2, 1, 0xff})},
		{"field behind pathLen", 19, tlv(0x30, []byte{1, 1, 0xff, 2, 1, 0, 2, 1, 0})},
		{"dNSName with underscore", 17, tlv(0x30, text(0x82, "a_b.example"))},
		{"dNSName is an address", 17, tlv(0x30, text(0x82, "192.0.2.1"))},
		{"dNSName with inner wildcard", 17, tlv(0x30, text(0x82, "a.*.example"))},
		{"iPAddress of 5 octets", 17, tlv(0x30, tlv(0x87, []byte{1, 2, 3, 4, 5}))},
		{"name of an unknown form", 17, tlv(0x30, text(0x89, "x"))},
		{"rfc822Name constructed", 17, tlv(0x30, tlv(0xa1, text(0x16, "a@b")))},
		{"rfc822Name not in ASCII", 17, tlv(0x30, text(0x81, "王@example.tw"))},
		{"directoryName without a Name", 17, tlv(0x30, tlv(0xa4))},
		{"otherName without a type", 17, tlv(0x30, tlv(0xa0))},
		{"no policies", 32, tlv(0x30)},
		{"policy twice", 32, tlv(0x30, policy, policy)},
		{"policy is no SEQUENCE", 32, tlv(0x30, oid(t, "1.2.3"))},
		{"no mappings", 33, tlv(0x30)},
		{"mapping to nothing", 33, tlv(0x30, policy)},
		{"no policy constraints", 36, tlv(0x30)},
		{"policy constraints out of order", 36, tlv(0x30, []byte{0x81, 1, 0, 0x80, 1, 0})},
		{"negative number of certificates", 54, []byte{2, 1, 0x80}},
		{"authority serial without digits", 35, tlv(0x30, []byte{0x82, 0})},
		{"distribution points", 31, tlv(0x30)},
		{"no name constraints", 30, tlv(0x30)},
		{"no subtrees", 30, tlv(0x30, tlv(0xa0))},
		{"subtree with minimum 1", 30, tlv(0x30, tlv(0xa0, tlv(0x30, text(0x82, "example"), []byte{0x80, 1, 1})))},
		{"subtree with maximum", 30, tlv(0x30, tlv(0xa0, tlv(0x30, text(0x82, "example"), []byte{0x81, 1, 9})))},
		{"dNSName subtree with wildcard", 30, tlv(0x30, tlv(0xa0, tlv(0x30, text(0x82, "*.example"))))},
		{"dNSName subtree with leading period", 30, tlv(0x30, tlv(0xa0, tlv(0x30, text(0x82, ".example"))))},
		{"iPAddress subtree without mask", 30, tlv(0x30, tlv(0xa0, tlv(0x30, tlv(0x87, []byte{192, 0, 2, 0}))))},
		{"iPAddress subtree with holes", 30, tlv(0x30, tlv(0xa0, tlv(0x30, tlv(0x87, []byte{192, 0, 2, 0, 255, 0, 255, 0}))))},
		{"rfc822Name subtree with two @", 30, tlv(0x30, tlv(0xa0, tlv(0x30, text(0x81, "a@b@example.tw"))))},
	}
	for _, test := range tests {
		if _, err := parseOne(test.id, test.value); err == nil {
			t.Errorf("%s: accepted", test.name)
		}
	}
}

func TestParseExtensionTwice(t *testing.T) {
	ext := pkix.Extension{Id: extensionID(19), Value: tlv(0x30)}
	if _, err := parseExtensions(&x509.Certificate{Extensions: []pkix.Extension{ext, ext}}); err == nil {
		t.Error("accepted")
	}
}

func TestParseExtensionLimits(t *testing.T) {
	tests := []struct {
		name string
		id   int
		list func(n int) []byte
		max  int
	}{
		{"names", 17, func(n int) []byte { return tlv(0x30, slices.Repeat(text(0x81, "a@b"), n)) }, maxNames},
		{"mappings", 33, func(n int) []byte {
			return tlv(0x30, slices.Repeat(tlv(0x30, oid(t, "1.2.3"), oid(t, "1.2.4")), n))
		}, maxPolicies},
		{"purposes", 37, func(n int) []byte { return tlv(0x30, slices.Repeat(oid(t, "1.2.3"), n)) }, maxPurposes},
		{"subtrees", 30, func(n int) []byte { // two elements each, and two around them
			return tlv(0x30, tlv(0xa1, slices.Repeat(tlv(0x30, text(0x82, "a")), n)))
		}, (certificateLimits.Elements - 2) / 2},
	}
	for _, test := range tests {
		if _, err := parseOne(test.id, test.list(test.max)); err != nil {
			t.Errorf("%s: at the limit: %v", test.name, err)
		}
		_, err := parseOne(test.id, test.list(test.max+1))
		if _, ok := errors.AsType[*der.LimitError](err); !ok {
			t.Errorf("%s: got %v, want a *der.LimitError", test.name, err)
		}
	}
}

func TestParseExtensions(t *testing.T) {
	// cA FALSE, which DER leaves out.
	x, err := parseOne(19, tlv(0x30, []byte{1, 1, 0}))
	if err != nil || x.basicConstraints.isCA || x.basicConstraints.pathLen != absent {
		t.Errorf("got %+v, %v", x.basicConstraints, err)
	}
	x, err = parseOne(19, tlv(0x30, []byte{1, 1, 0xff, 2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0}))
	if err != nil || !x.basicConstraints.isCA || x.basicConstraints.pathLen != 1<<31-1 {
		t.Errorf("got %+v, %v, want a CA with a large pathLen", x.basicConstraints, err)
	}
	x, err = parseOne(36, tlv(0x30, []byte{0x81, 1, 3}))
	if err != nil || x.requireExplicitPolicy != absent || x.inhibitPolicyMapping != 3 {
		t.Errorf("got %d, %d, %v", x.requireExplicitPolicy, x.inhibitPolicyMapping, err)
	}
	x, err = parseOne(14, tlv(4, []byte{1}))
	if err != nil || len(x.violations) != 1 {
		t.Errorf("critical subjectKeyIdentifier: got %v, %v, want one violation", x.violations, err)
	}
}
