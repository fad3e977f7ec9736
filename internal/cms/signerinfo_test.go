package cms_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/internal/cms"
)

func parseSigner(t *testing.T, s signer) *cms.SignerInfo {
	t.Helper()
	got, err := cms.Parse(message{signers: tlv(0x31, s.bytes())}.bytes(), cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &got.SignerInfos[0]
}

func TestSignerIdentifier(t *testing.T) {
	for _, test := range []struct {
		name    string
		version byte
		sid     []byte
		serial  int64
		keyID   string
	}{
		{"issuer and serial number", 1, bySerial, 7, ""},
		{"issuer and serial number under version 3", 3, bySerial, 7, ""},
		{"indefinite length around the issuer", 1, indefinite(0x30, issuer, tlv(0x02, []byte{0x07})), 7, ""},
		{"negative serial number", 1, tlv(0x30, issuer, tlv(0x02, []byte{0xff})), -1, ""},
		{"key identifier", 3, byKeyID, 0, "key id"},
		{"key identifier under version 1", 1, byKeyID, 0, "key id"},
		{"key identifier in pieces", 3, tlv(0xa0, tlv(0x04, []byte("key")), tlv(0x04, []byte(" id"))), 0, "key id"},
		{"empty key identifier", 3, tlv(0x80), 0, ""},
		{"empty key identifier of no pieces", 3, tlv(0xa0), 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := parseSigner(t, signer{version: test.version, sid: test.sid})
			if got.Version != int(test.version) {
				t.Errorf("got version %d", got.Version)
			}
			if test.serial == 0 {
				if got.SubjectKeyID == nil || string(got.SubjectKeyID) != test.keyID || got.Issuer != nil || got.Serial != nil {
					t.Errorf("got %x, %v and key identifier %q", got.Issuer, got.Serial, got.SubjectKeyID)
				}
			} else if !bytes.Equal(got.Issuer, issuer) || got.Serial.Int64() != test.serial || got.SubjectKeyID != nil {
				t.Errorf("got %x, %v and key identifier %q", got.Issuer, got.Serial, got.SubjectKeyID)
			}
		})
	}
}

func TestSignature(t *testing.T) {
	for _, test := range []struct {
		name      string
		signature []byte
		want      string
	}{
		{"one piece", tlv(0x04, []byte("abc")), "abc"},
		{"two pieces", indefinite(0x24, tlv(0x04, []byte("ab")), tlv(0x04, []byte("c"))), "abc"},
		{"empty", tlv(0x04), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := parseSigner(t, signer{signature: test.signature}).Signature; string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	one, two := tlv(0x02, []byte{1}), tlv(0x02, []byte{2})
	a, b := attribute(one), attribute(two)
	for _, test := range []struct {
		name     string
		signer   signer
		signed   int
		unsigned int
		unsorted bool
	}{
		{"none", signer{}, 0, 0, false},
		{"signed", signer{signedAttrs: tlv(0xa0, a, b)}, 2, 0, false},
		{"signed, out of order", signer{signedAttrs: tlv(0xa0, b, a)}, 2, 0, true},
		{"signed, twice the same", signer{signedAttrs: tlv(0xa0, a, a)}, 2, 0, false},
		{"signed, values in order", signer{signedAttrs: tlv(0xa0, attribute(one, two))}, 1, 0, false},
		{"signed, values out of order", signer{signedAttrs: tlv(0xa0, attribute(two, one))}, 1, 0, true},
		{"signed, no value", signer{signedAttrs: tlv(0xa0, attribute())}, 1, 0, false},
		{"unsigned", signer{unsignedAttrs: tlv(0xa1, a)}, 0, 1, false},
		{"unsigned, out of order", signer{unsignedAttrs: tlv(0xa1, b, a)}, 0, 2, false},
		{"unsigned, in BER", signer{unsignedAttrs: indefinite(0xa1, a, indefinite(0x30, oidAttribute, indefinite(0x31)))}, 0, 2, false},
		{"unsigned, empty set", signer{unsignedAttrs: tlv(0xa1)}, 0, 0, false},
		{"both", signer{signedAttrs: tlv(0xa0, a), unsignedAttrs: tlv(0xa1, b)}, 1, 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := parseSigner(t, test.signer)
			if len(got.SignedAttributes) != test.signed || len(got.UnsignedAttributes) != test.unsigned || got.UnsortedAttrs != test.unsorted {
				t.Errorf("got %d signed attributes, %d unsigned, out of order %v", len(got.SignedAttributes), len(got.UnsignedAttributes), got.UnsortedAttrs)
			}
			if !bytes.Equal(got.SignedAttrs, test.signer.signedAttrs) {
				t.Errorf("got signedAttrs %x, want %x", got.SignedAttrs, test.signer.signedAttrs)
			}
			set := got.SignedAttrsAsSet(nil)
			if (set == nil) != (test.signer.signedAttrs == nil) {
				t.Fatalf("got set %x", set)
			}
			if set != nil && (set[0] != 0x31 || !bytes.Equal(set[1:], test.signer.signedAttrs[1:]) || got.SignedAttrs[0] != 0xa0) {
				t.Errorf("got set %x of %x", set, got.SignedAttrs)
			}
		})
	}
	t.Run("contents", func(t *testing.T) {
		got := parseSigner(t, signer{signedAttrs: tlv(0xa0, attribute(one, two))}).SignedAttributes[0]
		if got.Type != "1.2.3" || len(got.Values) != 2 || !bytes.Equal(got.Values[1].Raw, two) || !bytes.Equal(got.Raw, attribute(one, two)) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestSignerInfoErrors(t *testing.T) {
	a := attribute(tlv(0x05))
	for _, test := range []struct {
		name   string
		signer []byte
		want   string
	}{
		{"a SET", tlv(0x31), "SignerInfo has tag"},
		{"version 4", signer{version: 4}.bytes(), "version 4 is not between 1 and 3"},
		{"sid missing", tlv(0x30, tlv(0x02, []byte{1})), "sid is missing"},
		{"sid of another tag", signer{sid: tlv(0x81)}.bytes(), "sid has tag"},
		{"issuer missing", signer{sid: tlv(0x30)}.bytes(), "issuer is missing"},
		{"issuer not in DER", signer{sid: tlv(0x30, indefinite(0x30), tlv(0x02, []byte{7}))}.bytes(), "issuer: der:"},
		{"serial number missing", signer{sid: tlv(0x30, issuer)}.bytes(), "serialNumber is missing"},
		{"serial number with leading zero", signer{sid: tlv(0x30, issuer, tlv(0x02, []byte{0, 7}))}.bytes(), "serialNumber: der:"},
		{"element behind the serial number", signer{sid: tlv(0x30, issuer, tlv(0x02, []byte{7}), tlv(0x05))}.bytes(), "unexpected element"},
		{"key identifier with a foreign piece", signer{sid: tlv(0xa0, tlv(0x0c))}.bytes(), "sid: der:"},
		{"digestAlgorithm malformed", signer{digest: tlv(0x30)}.bytes(), "digestAlgorithm: der:"},
		{"digestAlgorithm of another tag", signer{digest: tlv(0x31)}.bytes(), "digestAlgorithm has tag"},
		{"signedAttrs empty", signer{signedAttrs: tlv(0xa0)}.bytes(), "signedAttrs: der:"},
		{"signedAttrs primitive", signer{signedAttrs: tlv(0x80)}.bytes(), "signatureAlgorithm has tag"},
		{"signedAttrs of indefinite length", signer{signedAttrs: indefinite(0xa0, a)}.bytes(), "indefinite length is not DER"},
		{"signedAttrs with a length too long", signer{signedAttrs: append([]byte{0xa0, 0x81, byte(len(a))}, a...)}.bytes(), "shortest form"},
		{"value with a length too long", signer{signedAttrs: tlv(0xa0, attribute([]byte{0x05, 0x81, 0x00}))}.bytes(), "shortest form"},
		{"value in pieces", signer{signedAttrs: tlv(0xa0, attribute(tlv(0x24, tlv(0x04))))}.bytes(), "constructed string is not DER"},
		{"attribute of another tag", signer{signedAttrs: tlv(0xa0, tlv(0x31))}.bytes(), "Attribute has tag"},
		{"attribute without type", signer{signedAttrs: tlv(0xa0, tlv(0x30))}.bytes(), "attrType is missing"},
		{"attribute without values", signer{signedAttrs: tlv(0xa0, tlv(0x30, oidAttribute))}.bytes(), "attrValues is missing"},
		{"attribute with values twice", signer{signedAttrs: tlv(0xa0, tlv(0x30, oidAttribute, tlv(0x31), tlv(0x31)))}.bytes(), "unexpected element"},
		{"signatureAlgorithm malformed", signer{algorithm: tlv(0x30)}.bytes(), "signatureAlgorithm: der:"},
		{"signature a BIT STRING", signer{signature: tlv(0x03, []byte{0})}.bytes(), "signature has tag"},
		{"signature with a foreign piece", signer{signature: tlv(0x24, tlv(0x03))}.bytes(), "signature: der:"},
		{"unsigned attribute malformed", signer{unsignedAttrs: tlv(0xa1, tlv(0x30))}.bytes(), "unsignedAttrs: der:"},
		{"element behind", signer{rest: tlv(0x05)}.bytes(), "SignerInfo has an unexpected element"},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkRefused(t, message{signers: tlv(0x31, test.signer)}.bytes(), test.want)
		})
	}
}
