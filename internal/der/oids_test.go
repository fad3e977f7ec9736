package der

import (
	"crypto/x509"
	"testing"
)

// Identifiers that are known come out as decoding has them.
func TestDotted(t *testing.T) {
	known := 0
	for _, name := range []string{
		"1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5",
		"1.2.840.113549.1.9.15", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11", "2.16.840.1.101.3.4.2.1",
		"2.5.4.3", "2.5.4.5", "2.5.4.6",
		"2.16.886.1.100.2.1", "2.16.886.1.100.2.51", "2.16.886.1.100.3.1.1", "2.16.886.101.0.3.3",
		"2.5.4.4", "1.2.840.113549.1.9.6",
	} {
		oid, err := x509.ParseOID(name)
		if err != nil {
			t.Fatal(err)
		}
		body, err := oid.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if got := dotted(body); got != "" && got != name {
			t.Errorf("got %s, want %s", got, name)
		} else if got != "" {
			known++
		}
	}
	if known != 16 {
		t.Errorf("got %d identifiers known, want 16", known)
	}
}
