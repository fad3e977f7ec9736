package signin

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/citizencert/citizencert/internal/line"
)

// Sizes of a line and its parts, in bytes. MaxLine is what a phone can sign.
const (
	MaxLine       = line.MaxLine
	ChallengeSize = line.ChallengeSize
)

// A Purpose says what a signature is for.
type Purpose string

// The purposes. Consent and File lines carry a digest.
const (
	SignIn  Purpose = Purpose(line.SignIn)
	Consent Purpose = Purpose(line.Consent)
	File    Purpose = Purpose(line.File)
)

// A Line is what a citizen signs to sign in, to consent or to file a document.
// The package comment gives its format.
type Line struct {
	Purpose   Purpose
	Host      string // host[:port]; a loopback name makes it a development line
	Service   string
	Expiry    time.Time // to the second; what is below it is not written
	Challenge [ChallengeSize]byte

	// Digest is the SHA-256 of the displayed text (Consent) or of the document
	// (File), and zero for SignIn.
	Digest [sha256.Size]byte
}

// Encode returns the text of the line. A part that was left zero by mistake is
// an error: no challenge and no digest are all zeros.
func (l Line) Encode() (string, error) {
	text, err := line.Line{
		Purpose:   line.Purpose(l.Purpose),
		Host:      l.Host,
		Service:   l.Service,
		Expiry:    l.Expiry,
		Challenge: l.Challenge,
		Digest:    l.Digest,
	}.Encode()
	if err != nil {
		return "", fmt.Errorf("signin: building a line: %w", err)
	}
	return text, nil
}

// ParseLine reads a line. It accepts exactly what Encode returns.
//
// A parsed line tells what a text claims to be. Whether it was ever issued is
// another matter: verification builds the line anew from what the server
// remembers and compares bytes.
func ParseLine(text string) (Line, error) {
	l, err := line.Parse(text)
	if err != nil {
		return Line{}, fmt.Errorf("signin: parsing a line: %w", err)
	}
	return Line{
		Purpose:   Purpose(l.Purpose),
		Host:      l.Host,
		Service:   l.Service,
		Expiry:    l.Expiry,
		Challenge: l.Challenge,
		Digest:    l.Digest,
	}, nil
}

// lowerASCII lowers A to Z. strings.ToLower would also fold letters such as the
// Kelvin sign into ASCII.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
