package fido

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Sizes of a checksum: IV, the hexadecimal digest as plaintext, tag.
const (
	keySize      = 32
	ivSize       = 12
	digestHex    = 2 * sha256.Size
	tagSize      = 16
	checksumSize = ivSize + digestHex + tagSize // 92 bytes, 184 hexadecimal digits
)

// A Key is the AES-256 key that MOI has given the service provider. fmt and slog
// print it redacted. The zero Key is refused by the constructors of [Client].
type Key struct {
	aead cipher.AEAD
}

// ParseKey reads a key: 32 bytes in base64, standard or URL-safe, with or without
// padding, as the onboarding letter or a configuration may spell it.
func ParseKey(text string) (Key, error) {
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	raw, err := encoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return Key{}, errors.New("fido: key is not base64") // the cause would show where
	}
	if len(raw) != keySize {
		return Key{}, fmt.Errorf("fido: key has %d bytes, want %d", len(raw), keySize)
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return Key{}, fmt.Errorf("fido: key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return Key{}, fmt.Errorf("fido: key: %w", err)
	}
	return Key{aead}, nil
}

// Format prints nothing of the key, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, "fido.Key(redacted)") }

// MarshalText prints nothing of the key either.
func (Key) MarshalText() ([]byte, error) { return []byte("fido.Key(redacted)"), nil }

// checksum returns the sp_checksum of a message: SHA-256 over its fields one after
// the other, in hexadecimal, encrypted. The IV is random: with one fixed IV, two
// checksums give away the authentication key of GCM (NIST SP 800-38D, Appendix A),
// and anybody could make more.
func (k Key) checksum(fields ...string) string {
	var iv [ivSize]byte
	rand.Read(iv[:]) // never fails
	return k.seal(iv, fields)
}

func (k Key) seal(iv [ivSize]byte, fields []string) string {
	return hex.EncodeToString(k.aead.Seal(iv[:], iv[:], payloadDigest(fields), nil))
}

// verify reports whether text is a checksum of these fields: one that opens under
// the IV that it carries. It is never computed anew and compared as text.
func (k Key) verify(text string, fields ...string) bool {
	if len(text) != 2*checksumSize {
		return false
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return false
	}
	digest, err := k.aead.Open(nil, raw[:ivSize], raw[ivSize:], nil)
	return err == nil && subtle.ConstantTimeCompare(digest, payloadDigest(fields)) == 1
}

// payloadDigest joins fields without separators, as the interface has it. Whoever
// calls it has checked the form of each, so that none can grow at the cost of the
// next.
func payloadDigest(fields []string) []byte {
	h := sha256.New()
	for _, field := range fields {
		io.WriteString(h, field)
	}
	return hex.AppendEncode(nil, h.Sum(nil))
}
