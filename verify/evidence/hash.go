package evidence

import (
	"crypto/sha256"
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
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

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

// What is hashed again and again is large and shared: revocation lists of many
// megabytes, of which one stands behind thousands of verdicts. A source holds them,
// and nobody modifies them; what came with a message may be in a buffer that is used
// for the next one, and is not for this.
const (
	minRememberedSize = 64 << 10
	maxRemembered     = 64
)

// remembered are the hashes of large objects, by where they are in memory. They are
// not kept alive by that, and a pointer to what has been freed equals no other.
type remembered struct {
	mu   sync.Mutex
	sums map[place]Hash
}

type place struct {
	first weak.Pointer[byte]
	size  int
}

// of returns the hash of an object.
func (r *remembered) of(data []byte) Hash {
	if len(data) < minRememberedSize {
		return HashOf(data)
	}
	key := place{weak.Make(&data[0]), len(data)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if sum, ok := r.sums[key]; ok {
		return sum
	}
	if r.sums == nil {
		r.sums = make(map[place]Hash)
	}
	if len(r.sums) >= maxRemembered {
		clear(r.sums)
	}
	sum := HashOf(data)
	r.sums[key] = sum
	return sum
}
