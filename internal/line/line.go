// Package line is the grammar of the one line of text that a citizen signs to
// sign in, to consent or to file a document. The comment of package signin
// gives the format.
package line

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Sizes of a line and its parts, in bytes. MaxLine is what a phone can sign.
const (
	MaxLine       = 1024
	ChallengeSize = 32

	maxHost    = 253 // RFC 1035, Section 2.3.4, as text without the trailing dot
	maxLabel   = 63
	maxService = 64
	maxExpiry  = 253402300799 // the end of the year 9999
)

// Prefix begins every line of every version. No document that is signed for
// itself may begin with it; package verify refuses it.
const Prefix = "citizencert:"

const (
	version   = Prefix + "1"
	devPrefix = "dev-"
)

// A Purpose says what a signature is for.
type Purpose string

// The purposes. Consent and File lines carry a digest.
const (
	SignIn  Purpose = "signin"
	Consent Purpose = "consent"
	File    Purpose = "file"
)

func (p Purpose) known() bool     { return p == SignIn || p == Consent || p == File }
func (p Purpose) hasDigest() bool { return p == Consent || p == File }

// A Line is what a citizen signs to sign in, to consent or to file a document.
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
	if err := l.check(); err != nil {
		return "", err
	}
	purpose := string(l.Purpose)
	if IsLoopback(l.Host) {
		purpose = devPrefix + purpose
	}
	parts := []string{
		version,
		purpose,
		l.Host,
		l.Service,
		strconv.FormatInt(l.Expiry.Unix(), 10),
		base64.RawURLEncoding.EncodeToString(l.Challenge[:]),
	}
	if l.Purpose.hasDigest() {
		parts = append(parts, hex.EncodeToString(l.Digest[:]))
	}
	return strings.Join(parts, "/"), nil
}

// Parse reads a line. It accepts exactly what Encode returns. The Line means
// nothing if there is an error.
func Parse(text string) (l Line, err error) {
	if len(text) > MaxLine {
		return l, fmt.Errorf("longer than %d bytes", MaxLine)
	}
	parts := strings.SplitN(text, "/", 8) // one more than a line has, so that an excess shows
	if len(parts) < 6 || parts[0] != version {
		return l, fmt.Errorf("does not have the form %s/…", version)
	}
	l.Purpose = Purpose(strings.TrimPrefix(parts[1], devPrefix))
	l.Host, l.Service = parts[2], parts[3]
	expiry, err := strconv.ParseInt(parts[4], 10, 64)
	if err != nil {
		return l, errors.New("expiry is not a number")
	}
	l.Expiry = time.Unix(expiry, 0).UTC()
	if l.Challenge, err = DecodeChallenge(parts[5]); err != nil {
		return l, err
	}
	if len(parts) > 6 {
		if n, err := hex.Decode(l.Digest[:], []byte(parts[6][:min(len(parts[6]), 64)])); err != nil || n != sha256.Size {
			return l, errors.New("digest is not 64 hexadecimal digits")
		}
	}
	// What is left is every other way to write the same values: upper case,
	// leading zeros, a missing or an excess part, the wrong dev- prefix.
	canonical, err := l.Encode()
	if err != nil {
		return l, err
	}
	if canonical != text {
		return l, errors.New("not written as a line is")
	}
	return l, nil
}

func (l Line) check() error {
	switch {
	case !l.Purpose.known():
		return fmt.Errorf("purpose %.20q is not known", l.Purpose)
	case l.Expiry.Unix() <= 0 || l.Expiry.Unix() > maxExpiry:
		return errors.New("expiry is not between 1970 and 9999")
	case l.Challenge == [ChallengeSize]byte{}:
		return errors.New("challenge is all zeros")
	case l.Purpose.hasDigest() && l.Digest == [sha256.Size]byte{}:
		return errors.New("digest is missing")
	case !l.Purpose.hasDigest() && l.Digest != [sha256.Size]byte{}:
		return errors.New("digest is not for this purpose")
	}
	if err := CheckHost(l.Host); err != nil {
		return err
	}
	return CheckService(l.Service)
}

// DecodeChallenge reads base64url without padding. Strict refuses the spellings
// whose unused last bits are not zero; the length leaves no room for the line
// breaks that encoding/base64 skips.
func DecodeChallenge(text string) (value [ChallengeSize]byte, err error) {
	if len(text) != base64.RawURLEncoding.EncodedLen(ChallengeSize) {
		return value, errors.New("challenge is not 43 characters")
	}
	if n, err := base64.RawURLEncoding.Strict().Decode(value[:], []byte(text)); err != nil || n != ChallengeSize {
		return value, errors.New("challenge is not base64url")
	}
	return value, nil
}

// CheckService accepts the name of a service within a host.
func CheckService(service string) error {
	if service == "" || len(service) > maxService {
		return fmt.Errorf("service name must have 1 to %d characters", maxService)
	}
	for i, c := range []byte(service) {
		if !isLowerAlnum(c) && (i == 0 || c != '-' && c != '.' && c != '_') {
			return fmt.Errorf("service name %q: want lower-case letters, digits, '.', '_' and '-', and a letter or digit first", service)
		}
	}
	return nil
}

// CheckHost accepts a lower-case host[:port] in the one form browsers give it.
func CheckHost(hostport string) error {
	host, port, found := strings.Cut(hostport, ":")
	if found {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return fmt.Errorf("host %.300q: port is not a number from 1 to 65535", hostport)
		}
		if n == 443 {
			return fmt.Errorf("host %.300q: leave out port 443", hostport)
		}
	}
	if len(host) > maxHost {
		return fmt.Errorf("host is longer than %d characters", maxHost)
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return fmt.Errorf("host %.300q: want a lower-case ASCII name or an IPv4 address", hostport)
		}
	}
	// Browsers take a host whose last label is a number for an IPv4 address,
	// also 127.1 and 0x7f.1 (WHATWG URL, Section 3.5).
	if last := labels[len(labels)-1]; isNumber(last) {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is4() {
			return fmt.Errorf("host %.300q: ends in a number and is not an IPv4 address", hostport)
		}
	}
	return nil
}

func isLabel(label string) bool {
	if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, c := range []byte(label) {
		if !isLowerAlnum(c) && c != '-' {
			return false
		}
	}
	return true
}

func isNumber(label string) bool {
	return strings.Trim(label, "0123456789") == "" ||
		strings.HasPrefix(label, "0x") && strings.Trim(label[2:], "0123456789abcdef") == ""
}

func isLowerAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// IsLoopback reports whether a host[:port] is this machine for every browser:
// localhost and the names below it (RFC 6761, Section 6.3), and 127.0.0.0/8.
func IsLoopback(hostport string) bool {
	host, _, _ := strings.Cut(hostport, ":")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
