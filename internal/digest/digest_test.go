package digest_test

import (
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"github.com/citizencert/citizencert/internal/digest"
	"github.com/citizencert/citizencert/verify"
)

// What is shared is hashed once: a change that nobody may make is not seen.
func TestSharedIsHashedOnce(t *testing.T) {
	var s digest.Shared
	list := make([]byte, 1<<10)
	ca := &x509.Certificate{IsCA: true, Raw: make([]byte, 1<<10)}
	report := verify.StatusReport{Kind: verify.CRLEvidence, Source: "http://crl.example/test.crl", DER: list}
	ofList, ofCA := s.OfReport(&report), s.OfCertificate(ca)
	if want := sha256.Sum256(list); ofList != want || ofCA != want {
		t.Fatalf("got %x and %x, want %x", ofList, ofCA, want)
	}
	list[0], ca.Raw[0] = 1, 1
	if s.OfReport(&report) != ofList || s.OfCertificate(ca) != ofCA {
		t.Error("it was hashed again")
	}
}

// What may be in a buffer that is used again is hashed each time.
func TestBuffersAreHashedEachTime(t *testing.T) {
	var s digest.Shared
	for _, c := range []struct {
		name string
		sum  func(data []byte) digest.Sum
	}{
		{"a list that came with the message", func(data []byte) digest.Sum {
			return s.OfReport(&verify.StatusReport{Kind: verify.CRLEvidence, Source: verify.SourceSupplied, DER: data})
		}},
		{"a list from nowhere", func(data []byte) digest.Sum {
			return s.OfReport(&verify.StatusReport{Kind: verify.CRLEvidence, DER: data})
		}},
		{"an OCSP answer", func(data []byte) digest.Sum {
			return s.OfReport(&verify.StatusReport{Kind: verify.OCSPEvidence, Source: "http://ocsp.example/", DER: data})
		}},
		{"a certificate of a holder", func(data []byte) digest.Sum { return s.OfCertificate(&x509.Certificate{Raw: data}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := make([]byte, 1<<10)
			for i := range data[:2] {
				data[i]++
				if got, want := c.sum(data), sha256.Sum256(data); got != want {
					t.Errorf("got %x, want %x", got, want)
				}
			}
		})
	}
}

// There can be more than are remembered.
func TestSharedForgets(t *testing.T) {
	var s digest.Shared
	for i := range 3_000 {
		ca := &x509.Certificate{IsCA: true, Raw: []byte{byte(i), byte(i >> 8)}}
		for range 2 {
			if got, want := s.OfCertificate(ca), sha256.Sum256(ca.Raw); got != want {
				t.Fatalf("certificate %d: got %x, want %x", i, got, want)
			}
		}
	}
}
