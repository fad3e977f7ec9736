// Package digest remembers the SHA-256 of what many verdicts share.
package digest

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"weak"

	"github.com/citizencert/citizencert/verify"
)

// A Sum is a SHA-256.
type Sum = [sha256.Size]byte

// What is hashed again and again is shared: revocation lists, of which one stands
// behind thousands of verdicts, and certificates of CAs. Sources and verifiers hold
// them, and nobody modifies them; what came with a message may be in a buffer that is
// used for the next one, and is not for this.
const (
	minSize = 512 // bytes; to hash less costs no more than to look it up
	maxSums = 1024
)

// Shared are the sums of shared objects, by where they are in memory. They are not
// kept alive by that, and a pointer to what has been freed equals no other. When
// there are too many, all are forgotten. The zero value is ready; methods may be
// called concurrently.
type Shared struct {
	mu   sync.RWMutex
	sums map[any]Sum // by place, or weak.Pointer[x509.Certificate]
}

type place struct {
	first weak.Pointer[byte]
	size  int
}

// OfReport returns the sum of what a report rests on. That of a list is remembered, unless
// it came with a message or nobody says from where.
func (s *Shared) OfReport(r *verify.StatusReport) Sum {
	if r.Kind != verify.CRLEvidence || r.Source == "" || r.Source == verify.SourceSupplied || len(r.DER) < minSize {
		return sha256.Sum256(r.DER)
	}
	return s.get(place{weak.Make(&r.DER[0]), len(r.DER)}, r.DER)
}

// OfCertificate returns the sum of a certificate. That of an end entity is not
// remembered: there are too many.
func (s *Shared) OfCertificate(cert *x509.Certificate) Sum {
	if !cert.IsCA {
		return sha256.Sum256(cert.Raw)
	}
	return s.get(weak.Make(cert), cert.Raw)
}

func (s *Shared) get(key any, data []byte) Sum {
	s.mu.RLock()
	sum, ok := s.sums[key]
	s.mu.RUnlock()
	if ok {
		return sum
	}
	sum = sha256.Sum256(data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sums == nil {
		s.sums = make(map[any]Sum)
	}
	if len(s.sums) >= maxSums {
		clear(s.sums)
	}
	s.sums[key] = sum
	return sum
}
