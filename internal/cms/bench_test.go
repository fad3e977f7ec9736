package cms_test

import (
	"bytes"
	"testing"

	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der/dertest"
)

// BenchmarkParse is to show that time and memory do not depend on the size of
// content that comes in one piece.
func BenchmarkParse(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"10k", 10 << 10}, {"1M", 1 << 20}} {
		b.Run("content="+size.name, func(b *testing.B) {
			data := sign(b, make([]byte, size.bytes), false, alice())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := cms.Parse(data, cms.Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHostile is to show the same time per byte, or less, for the larger
// size.
func BenchmarkHostile(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64k", 64 << 10}, {"1M", 1 << 20}} {
		for _, input := range hostile(size.bytes) {
			b.Run("input="+input.Name+"/size="+size.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = cms.Parse(input.Data, cms.Limits{})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(input.Data)), "ns/byte")
			})
		}
	}
}

// hostile returns messages of about size bytes in which one part is as large as
// can be.
func hostile(size int) []dertest.Input {
	null := []byte{0x05, 0x00}
	nulls := bytes.Repeat(null, size/2)
	id := signer{signedAttrs: tlv(0xa0, attribute(null))}.bytes()
	withAttributes := func(tag byte, attributes []byte) []byte {
		s := signer{unsignedAttrs: tlv(tag, attributes)}
		if tag == 0xa0 {
			s = signer{signedAttrs: tlv(tag, attributes)}
		}
		return message{signers: tlv(0x31, s.bytes())}.bytes()
	}
	content := func(octets []byte) []byte {
		return message{encapsulated: tlv(0x30, oidData, tlv(0xa0, octets))}.bytes()
	}
	return []dertest.Input{
		{Name: "signers copied", Data: message{signers: tlv(0x31, bytes.Repeat(id, size/len(id)))}.bytes()},
		{Name: "certificates", Data: message{certificates: tlv(0xa0, bytes.Repeat([]byte{0x30, 0x00}, size/2))}.bytes()},
		{Name: "one large certificate", Data: message{certificates: tlv(0xa0, tlv(0x30, nulls))}.bytes()},
		{Name: "digest algorithms", Data: message{digests: tlv(0x31, bytes.Repeat(sha256Identifier, size/len(sha256Identifier)))}.bytes()},
		{Name: "signed attributes", Data: withAttributes(0xa0, bytes.Repeat(attribute(), size/len(attribute())))},
		{Name: "one large signed attribute", Data: withAttributes(0xa0, attribute(tlv(0x30, nulls)))},
		{Name: "values of a signed attribute", Data: withAttributes(0xa0, attribute(nulls))},
		{Name: "values of an unsigned attribute", Data: withAttributes(0xa1, attribute(nulls))},
		{Name: "large attribute certificate in BER", Data: message{element: indefinite, certificates: indefinite(0xa0, tlv(0xa2, nulls))}.bytes()},
		{Name: "content in empty pieces", Data: content(indefinite(0x24, bytes.Repeat([]byte{0x04, 0x00}, size/2)))},
		{Name: "serial number", Data: message{signers: tlv(0x31, signer{sid: tlv(0x30, issuer, tlv(0x02, bytes.Repeat([]byte{1}, size)))}.bytes())}.bytes()},
		{Name: "content type", Data: message{encapsulated: tlv(0x30, tlv(0x06, bytes.Repeat([]byte{0xff}, size), []byte{1}))}.bytes()},
		{Name: "version", Data: tlv(0x30, oidSignedData, tlv(0xa0, tlv(0x30, tlv(0x02, bytes.Repeat([]byte{1}, size)))))},
	}
}
