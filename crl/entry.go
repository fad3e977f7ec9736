package crl

import (
	"math/big"
	"time"

	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/verify"
)

// An entry is what the list says about a serial number. Of an entry that occurs
// several times it is the worst reading.
type entry struct {
	revokedAt   int64 // Unix time
	invalidFrom int64 // invalidityDate, or revokedAt if absent
	reason      int8
	hasInvalid  bool
}

// Reason codes (RFC 5280, Section 5.3.1) that make a difference here.
const (
	reasonHold          = 6
	reasonRemoveFromCRL = 8
	maxReason           = 10
	undefinedReason     = 7
)

func (e entry) status() verify.Status {
	switch e.reason {
	case reasonHold:
		return verify.Suspended
	case reasonRemoveFromCRL:
		return verify.Unknown
	}
	return verify.Revoked
}

// merge returns what two entries with one serial number amount to, whatever
// their order: a revocation counts before a hold, and that before a removal,
// which belongs into delta CRLs. It takes effect when the first of them does, so
// that a hold which became a revocation leaves no gap.
func (e entry) merge(f entry) entry {
	if f.status() > e.status() {
		e, f = f, e
	}
	if f.status() != verify.Unknown && f.effective() < e.effective() {
		e.invalidFrom, e.hasInvalid = f.effective(), true
	}
	return e
}

// effective returns since when the certificate must not be relied on.
func (e entry) effective() int64 { return min(e.revokedAt, e.invalidFrom) }

func (e entry) describe(report *verify.StatusReport) {
	report.Says = e.status()
	report.ReasonCode = int(e.reason)
	report.RevokedAt = time.Unix(e.revokedAt, 0).UTC()
	if e.hasInvalid {
		report.InvalidityDate = time.Unix(e.invalidFrom, 0).UTC()
	}
}

// maxSerial is how many octets of a serial number are accepted. RFC 5280,
// Section 4.1.2.2 allows 20.
const maxSerial = 64

// A serial is a serial number: its absolute value without leading zeros if it is
// not negative, the contents of its INTEGER if it is. It may be short-lived: the
// octets are somebody else's.
type serial struct {
	octets   []byte
	negative bool
}

// serialOf reads the contents of an INTEGER. Superfluous octets, which DER
// forbids, are dropped, since two spellings of one number must not tell a revoked
// certificate from itself.
func serialOf(contents []byte) (serial, bool) {
	b := contents
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > maxSerial {
		return serial{}, false
	}
	if b[0] >= 0x80 {
		return serial{b, true}, true
	}
	if len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return serial{octets: b}, true
}

// serialNumber returns the serial number n, in room if it is not negative. No list
// has one that is too long.
func serialNumber(n *big.Int, room *[maxSerial]byte) (serial, bool) {
	if n.Sign() < 0 {
		return serialOf(integerOctets(n))
	}
	size := max(1, (n.BitLen()+7)/8)
	if size > maxSerial {
		return serial{}, false
	}
	return serial{octets: n.FillBytes(room[:size])}, true
}

// contents returns the contents of the INTEGER in DER.
func (s serial) contents() []byte {
	if !s.negative && s.octets[0] >= 0x80 {
		return append([]byte{0}, s.octets...)
	}
	return append([]byte(nil), s.octets...)
}

// integerOctets returns the contents of the INTEGER n in DER.
func integerOctets(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	// Two's complement in the fewest octets: -n-1 with all bits turned over.
	b := new(big.Int).Not(n).Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

// reasonCodeExtension is all of crlEntryExtensions if there is only a reasonCode,
// not critical, up to its value.
const reasonCodeExtension = "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"

const utcTimeLen = len("060102150405Z")

// scanEntry reads an entry of the form that nearly all have, at the beginning of
// data, and returns its length: a serial number, a UTCTime, and either no extension
// or a reasonCode. It reads nothing else: parseEntry does, and reads what this
// function reads alike.
func scanEntry(data []byte, isV2 bool) (number serial, found entry, size int) {
	if len(data) < 4 || data[0] != tagSequence || data[1] >= 0x80 || int(data[1]) > len(data)-2 {
		return number, found, 0
	}
	e := data[2 : 2+int(data[1])]
	if len(e) < 2 || e[0] != byte(der.Integer) || e[1] >= 0x80 || int(e[1]) > len(e)-2-2-utcTimeLen {
		return number, found, 0
	}
	number, ok := serialOf(e[2 : 2+int(e[1])])
	rest := e[2+int(e[1]):]
	if !ok || rest[0] != byte(der.UTCTime) || int(rest[1]) != utcTimeLen {
		return number, found, 0
	}
	at, ok := utcTime(rest[2 : 2+utcTimeLen])
	if !ok {
		return number, found, 0
	}
	found = entry{revokedAt: at, invalidFrom: at}
	if rest = rest[2+utcTimeLen:]; len(rest) > 0 {
		if !isV2 || len(rest) != len(reasonCodeExtension)+1 || string(rest[:len(reasonCodeExtension)]) != reasonCodeExtension {
			return number, found, 0
		}
		reason := rest[len(reasonCodeExtension)]
		if reason > maxReason || reason == undefinedReason {
			return number, found, 0
		}
		found.reason = int8(reason)
	}
	return number, found, 2 + len(e)
}

// utcTime reads a UTCTime as der.Element.Time does, several times faster.
func utcTime(text []byte) (unix int64, ok bool) {
	_ = text[utcTimeLen-1]
	var fields [6]int
	for i := range fields {
		tens, ones := text[2*i]-'0', text[2*i+1]-'0'
		if tens > 9 || ones > 9 {
			return 0, false
		}
		fields[i] = int(tens)*10 + int(ones)
	}
	year, month, day := 1900+fields[0], fields[1], fields[2]
	if year < 1950 {
		year += 100
	}
	hour, minute, second := fields[3], fields[4], fields[5]
	if text[12] != 'Z' || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return (daysBefore(year, month)+int64(day-1))*86400 + int64(hour*3600+minute*60+second), true
}

// daysBeforeMonth are those of a common year.
var daysBeforeMonth = [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// isLeap holds for the years from 1901 to 2099.
func isLeap(year int) bool { return year%4 == 0 }

func daysIn(year, month int) int {
	n := daysBeforeMonth[month] - daysBeforeMonth[month-1]
	if month == 2 && isLeap(year) {
		n++
	}
	return n
}

// daysBefore returns the days from the beginning of 1970 to that of a month in the
// years 1950 to 2049.
func daysBefore(year, month int) int64 {
	const leapsBefore1970 = 1969 / 4
	days := (year-1970)*365 + (year-1)/4 - leapsBefore1970 + daysBeforeMonth[month-1]
	if month > 2 && isLeap(year) {
		days++
	}
	return int64(days)
}
