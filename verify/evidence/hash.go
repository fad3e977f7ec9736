package evidence

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"sync"
	"weak"
)

// A Hash is the SHA-256 of an object, by which it is known. In text it has 64
// lower-case hexadecimal digits.
type Hash [sha256.Size]byte

// HashOf returns the hash of an object.
func HashOf(data []byte) Hash { return sha256.Sum256(data) }

// String returns the digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether there is no hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText returns the digits.
func (h Hash) MarshalText() ([]byte, error) {
	text := make([]byte, hex.EncodedLen(len(h)))
	hex.Encode(text, h[:])
	return text, nil
}

// UnmarshalText reads the digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("evidence: a SHA-256 has 64 hexadecimal digits, got %d characters", len(text))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("evidence: a SHA-256 has 64 hexadecimal digits: %v", err)
	}
	return nil
}

// What is hashed again and again is shared: revocation lists, of which one stands
// behind thousands of verdicts, and certificates of CAs. Sources and verifiers hold
// them, and nobody modifies them; what came with a message may be in a buffer that is
// used for the next one, and is not for this.
const (
	minRememberedSize = 512 // bytes; to hash less costs no more than to look it up
	maxRemembered     = 1024
)

// remembered are the hashes of shared objects, by where they are in memory. They are
// not kept alive by that, and a pointer to what has been freed equals no other.
type remembered struct {
	mu   sync.RWMutex
	sums map[any]Hash // by place, or weak.Pointer[x509.Certificate]
}

type place struct {
	first weak.Pointer[byte]
	size  int
}

// of returns the hash of a list.
func (r *remembered) of(data []byte) Hash {
	if len(data) < minRememberedSize {
		return HashOf(data)
	}
	return r.get(place{weak.Make(&data[0]), len(data)}, data)
}

// ofCertificate returns the hash of a certificate. That of an end entity is not
// remembered: there are too many.
func (r *remembered) ofCertificate(cert *x509.Certificate) Hash {
	if !cert.IsCA {
		return HashOf(cert.Raw)
	}
	return r.get(weak.Make(cert), cert.Raw)
}

func (r *remembered) get(key any, data []byte) Hash {
	r.mu.RLock()
	sum, ok := r.sums[key]
	r.mu.RUnlock()
	if ok {
		return sum
	}
	sum = HashOf(data)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sums == nil {
		r.sums = make(map[any]Hash)
	}
	if len(r.sums) >= maxRemembered {
		clear(r.sums)
	}
	r.sums[key] = sum
	return sum
}
