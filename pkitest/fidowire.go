package pkitest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// checksum makes an idp_checksum.
func (f *Fido) checksum(fields ...string) string {
	aead := f.aead()
	iv := make([]byte, aead.NonceSize())
	rand.Read(iv)
	return hex.EncodeToString(aead.Seal(iv, iv, fidoDigest(fields), nil))
}

// checks reports whether sum is a checksum of these fields.
func (f *Fido) checks(sum string, fields ...string) bool {
	raw, err := hex.DecodeString(sum)
	if err != nil || len(raw) != 92 {
		return false
	}
	digest, err := f.aead().Open(nil, raw[:12], raw[12:], nil)
	return err == nil && string(digest) == string(fidoDigest(fields))
}

func (f *Fido) aead() cipher.AEAD {
	block, err := aes.NewCipher(f.key)
	if err != nil {
		panic(fmt.Sprintf("pkitest: FidoConfig.Key: %v", err))
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("pkitest: FidoConfig.Key: %v", err))
	}
	return aead
}

func fidoDigest(fields []string) []byte {
	sum := sha256.Sum256([]byte(strings.Join(fields, "")))
	return []byte(hex.EncodeToString(sum[:]))
}

// FidoHash is the hashed_id_num of an ID number.
func FidoHash(idNumber string) string {
	sum := sha256.Sum256([]byte(idNumber))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// FidoTicket makes a ticket of the members given: anybody can.
func FidoTicket(members map[string]any) string {
	body, err := json.Marshal(members)
	if err != nil {
		panic(fmt.Sprintf("pkitest: FidoTicket: %v", err))
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(sum[:])
}

// FidoMembers returns what is in a ticket.
func FidoMembers(ticket string) map[string]any {
	body, _, _ := strings.Cut(ticket, ".")
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil
	}
	var members map[string]any
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	return members
}

func unixMilli(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
