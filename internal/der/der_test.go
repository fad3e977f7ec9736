package der

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/der/dertest"
)

// syntaxError is the part of a SyntaxError that tables state.
type syntaxError struct {
	offset int
	msg    string // contained in the message
}

func checkSyntaxError(t *testing.T, err error, want syntaxError) {
	t.Helper()
	got, ok := errors.AsType[*SyntaxError](err)
	if !ok {
		t.Fatalf("got error %v, want a *SyntaxError", err)
	}
	if got.Offset != want.offset || !strings.Contains(got.Msg, want.msg) {
		t.Errorf("got error %q, want %q at byte %d", got, want.msg, want.offset)
	}
}

func checkLimitError(t *testing.T, err error, what string, limit int) {
	t.Helper()
	got, ok := errors.AsType[*LimitError](err)
	if !ok || got.What != what || got.Limit != limit {
		t.Errorf("got error %v, want the limit of %d %s", err, limit, what)
	}
}

func TestScan(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
	}{
		{"NULL", []byte{0x05, 0x00}},
		{"short length of 127", append([]byte{0x04, 0x7f}, make([]byte, 127)...)},
		{"redundant long form", []byte{0x04, 0x81, 0x01, 0xff}},
		{"redundant zero octets", []byte{0x30, 0x84, 0x00, 0x00, 0x00, 0x02, 0x05, 0x00}},
		{"125 redundant zero octets", append(append([]byte{0x04, 0xfe}, make([]byte, 125)...), 0x01, 0xff)},
		{"tag number 31", []byte{0x1f, 0x1f, 0x00}},
		{"tag number 2^29-1", []byte{0x9f, 0x81, 0xff, 0xff, 0xff, 0x7f, 0x00}},
		{"empty SEQUENCE", []byte{0x30, 0x00}},
		{"empty indefinite SEQUENCE", []byte{0x30, 0x80, 0x00, 0x00}},
		{"indefinite in definite", tlv(0x30, indefiniteTLV(0x30, tlv(0x05)), tlv(0x05))},
		{"definite in indefinite", indefiniteTLV(0x30, tlv(0x30, tlv(0x05)), tlv(0x05))},
		{"two levels end together", indefiniteTLV(0x30, indefiniteTLV(0x30))},
		{"zeros inside an OCTET STRING", indefiniteTLV(0x30, tlv(0x04, []byte{0, 0, 0, 0}))},
		{"constructed OCTET STRING", indefiniteTLV(0x24, tlv(0x04, []byte("ab")), tlv(0x04, []byte("cd")))},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Scan(test.data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Root().Raw; !bytes.Equal(got, test.data) {
				t.Errorf("got root %x, want %x", got, test.data)
			}
			walk(t, d.Root())
		})
	}
}

func TestScanSyntaxErrors(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want syntaxError
	}{
		{"empty input", nil, syntaxError{0, "missing"}},
		{"identifier alone", []byte{0x30}, syntaxError{1, "length is missing"}},
		{"two values", []byte{0x05, 0x00, 0x05, 0x00}, syntaxError{2, "2 bytes after the value"}},
		{"value and a zero byte", []byte{0x05, 0x00, 0x00}, syntaxError{2, "1 bytes after the value"}},
		{"indefinite primitive", []byte{0x1e, 0x80}, syntaxError{1, "indefinite length of a primitive"}},
		{"tag number 5 in the long form", []byte{0x1f, 0x05, 0x00}, syntaxError{1, "below 31"}},
		{"tag number 30 in the long form", []byte{0x1f, 0x1e, 0x00}, syntaxError{1, "below 31"}},
		{"tag number with a leading zero", []byte{0x1f, 0x80, 0x1f, 0x00}, syntaxError{1, "leading zero"}},
		{"tag number cut short", []byte{0x1f}, syntaxError{1, "tag is cut short"}},
		{"tag number cut short after a digit", []byte{0x1f, 0x81}, syntaxError{2, "tag is cut short"}},
		{"tag number 2^29", []byte{0x9f, 0x82, 0x80, 0x80, 0x80, 0x00, 0x00}, syntaxError{1, "larger than 2^29"}},
		{"length octets missing", []byte{0x30, 0x81}, syntaxError{1, "length is cut short"}},
		{"length octets cut short", []byte{0x30, 0x84, 0x01}, syntaxError{1, "length is cut short"}},
		{"length one too long", []byte{0x04, 0x02, 0x00}, syntaxError{1, "past the end"}},
		{"length of 126 octets", append([]byte{0x04, 0xfe}, bytes.Repeat([]byte{0xff}, 126)...), syntaxError{1, "past the end"}},
		{"length that wraps 64 bits", []byte{0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0}, syntaxError{1, "past the end"}},
		{"length that is negative in 64 bits", []byte{0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, syntaxError{1, "past the end"}},
		{"length that wraps 32 bits", append([]byte{0x04, 0x85, 1, 0, 0, 0, 0}, make([]byte, 1<<24)...), syntaxError{1, "past the end"}},
		{"reserved length octet", []byte{0x04, 0xff, 0x00}, syntaxError{1, "reserved"}},
		{"child past its parent", []byte{0x30, 0x03, 0x04, 0x02, 0x00, 0x00}, syntaxError{3, "past the end"}},
		{"child header past its parent", []byte{0x30, 0x01, 0x04, 0x00}, syntaxError{3, "length is missing"}},
		{"end-of-contents alone", []byte{0x00, 0x00}, syntaxError{0, "end-of-contents"}},
		{"end-of-contents in a definite element", tlv(0x30, []byte{0, 0}), syntaxError{2, "end-of-contents"}},
		{"end-of-contents with a length", []byte{0x30, 0x80, 0x00, 0x01, 0x00, 0x00, 0x00}, syntaxError{2, "end-of-contents"}},
		{"constructed tag 0", []byte{0x20, 0x00}, syntaxError{0, "end-of-contents"}},
		{"end-of-contents missing", []byte{0x30, 0x80, 0x05, 0x00}, syntaxError{4, "missing"}},
		{"end-of-contents cut short", []byte{0x30, 0x80, 0x00}, syntaxError{2, "end-of-contents"}},
		{"end-of-contents behind the parent", []byte{0x30, 0x02, 0x30, 0x80, 0x00, 0x00}, syntaxError{4, "missing"}},
		{"end-of-contents across the parent's end", []byte{0x30, 0x03, 0x30, 0x80, 0x00, 0x00}, syntaxError{4, "end-of-contents"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Scan(test.data, Limits{})
			if d != nil {
				t.Error("a document was returned along with an error")
			}
			checkSyntaxError(t, err, test.want)
		})
	}
}

func TestScanLimits(t *testing.T) {
	nested := func(levels int) []byte {
		data := []byte{0x05, 0x00}
		for range levels {
			data = tlv(0x30, data)
		}
		return data
	}
	nestedIndefinite := func(levels int) []byte {
		data := []byte{0x05, 0x00}
		for range levels {
			data = indefiniteTLV(0x30, data)
		}
		return data
	}
	list := func(members int) []byte { return tlv(0x30, bytes.Repeat([]byte{0x05, 0x00}, members)) }
	indefinites := func(n int) []byte { return tlv(0x30, bytes.Repeat([]byte{0x30, 0x80, 0, 0}, n)) }
	for _, test := range []struct {
		name       string
		limits     Limits
		at, beyond []byte
		what       string
		limit      int
	}{
		{"bytes", Limits{Bytes: 100}, tlv(0x04, make([]byte, 98)), tlv(0x04, make([]byte, 99)), "bytes", 100},
		{"depth", Limits{Depth: 3}, nested(3), nested(4), "levels of nesting", 3},
		{"default depth", Limits{}, nested(32), nested(33), "levels of nesting", 32},
		{"default depth, indefinite", Limits{}, nestedIndefinite(32), nestedIndefinite(33), "levels of nesting", 32},
		{"elements", Limits{Elements: 10}, list(9), list(10), "elements", 10},
		{"elements of indefinite length", Limits{}, indefinites(maxIndefinite), indefinites(maxIndefinite + 1),
			"elements of indefinite length", maxIndefinite},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Scan(test.at, test.limits); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := Scan(test.beyond, test.limits)
			checkLimitError(t, err, test.what, test.limit)
		})
	}
}

// TestHostile states what each construction gets. The time it takes is for
// BenchmarkScan.
func TestHostile(t *testing.T) {
	want := map[string]string{
		"overlapping children, 480 bytes":           "length is missing",
		"overlapping children":                      "length is missing",
		"nesting left open":                         "levels of nesting",
		"nesting closed":                            "levels of nesting",
		"nesting of 400 definite levels":            "levels of nesting",
		"indefinite filled with INTEGER":            "",
		"indefinite filled with empty OCTET STRING": "",
		"indefinite filled with NULL":               "",
		"indefinite filled with indefinite":         "elements of indefinite length",
		"indefinite string of empty pieces":         "",
		"definite filled with NULL":                 "",
		"length far beyond the input":               "past the end",
		"length of 126 octets":                      "past the end",
		"tag number without end":                    "larger than 2^29",
		"INTEGER as large as the input":             "",
		"OBJECT IDENTIFIER of one arc":              "",
		"zeros":                                     "end-of-contents",
	}
	for _, input := range dertest.Hostile(1 << 16) {
		t.Run(input.Name, func(t *testing.T) {
			want, ok := want[input.Name]
			if !ok {
				t.Fatal("no expectation")
			}
			d, err := Scan(input.Data, Limits{})
			switch {
			case want == "" && err != nil:
				t.Error(err)
			case want == "":
				walk(t, d.Root())
			case err == nil || !strings.Contains(err.Error(), want):
				t.Errorf("got error %v, want %q", err, want)
			}
		})
	}
}

// Every proper prefix of an element is an error, and so is every byte behind it.
func TestScanPrefixes(t *testing.T) {
	data := indefiniteTLV(0x30,
		tlv(0x30, tlv(0x06, []byte{0x2a, 0x03}), tlv(0x05)),
		indefiniteTLV(0x24, tlv(0x04, []byte("ab")), tlv(0x04, make([]byte, 300))),
		[]byte{0xbf, 0x87, 0x68, 0x03, 0x02, 0x01, 0x05})
	if _, err := Scan(data, Limits{}); err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := Scan(data[:n], Limits{}); err == nil {
			t.Errorf("prefix of %d bytes was accepted", n)
		}
	}
	for b := range 256 {
		if _, err := Scan(append(slices.Clone(data), byte(b)), Limits{}); err == nil {
			t.Errorf("byte %#02x behind the value was accepted", b)
		}
	}
}

func tlv(identifier byte, contents ...[]byte) []byte { return dertest.TLV(identifier, contents...) }

func indefiniteTLV(identifier byte, contents ...[]byte) []byte {
	return dertest.Indefinite(identifier, contents...)
}
