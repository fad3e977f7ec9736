package fido

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The forms of fields. A checksum covers the fields without separators, so each
// has to be told from its neighbours by its form.
var (
	transactionForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	serviceForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,99}$`)
	idNumberForm    = regexp.MustCompile(`^[A-Z][A-D0-9][0-9]{8}$`) // national ID, ARC number of either form
	ticketIDForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	hashedIDForm    = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

// maxText is the longest hint or device name, in bytes. The interface does not
// state a limit; this is more than a phone shows.
const maxText = 300

// newTransactionID returns a UUID of version 4 (RFC 9562, Section 5.4). The
// interface wants a new one for each ticket.
func newTransactionID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// checkIDNumber accepts the form of a national ID or ARC number. What is wrong with
// a number is not said, for the number would be.
func checkIDNumber(id string) error {
	if !idNumberForm.MatchString(id) {
		return &Error{Class: ClassIDNumber, Detail: "the ID number does not have the form of a national ID or ARC number"}
	}
	return nil
}

// checkText accepts what a citizen can be shown: one line of text.
func checkText(name, text string) error {
	switch {
	case text == "":
		return ourFault("%s is empty", name)
	case len(text) > maxText:
		return ourFault("%s has %d bytes, want at most %d", name, len(text), maxText)
	case !utf8.ValidString(text):
		return ourFault("%s is not UTF-8", name)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return ourFault("%s has a character that cannot be shown in one line", name)
	}
	return nil
}

// hashID is how the interface names a person: an unsalted hash over so few numbers
// that it is no less personal than the number.
func hashID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sameText compares in constant time.
func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
