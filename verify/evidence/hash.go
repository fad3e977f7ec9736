package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
