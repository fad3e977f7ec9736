package der

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// A row of the tables below: an element, and what reading it yields, or what
// the error says.
type valueTest struct {
	name string
	data []byte
	want string
	err  string
}

func (test valueTest) run(t *testing.T, read func(Element) (string, error)) {
	t.Run(test.name, func(t *testing.T) {
		got, err := read(scan(t, test.data))
		switch {
		case test.err == "" && err != nil:
			t.Error(err)
		case test.err == "" && got != test.want:
			t.Errorf("got %s, want %s", got, test.want)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("got %s and error %v, want %q", got, err, test.err)
		}
	})
}

func TestInteger(t *testing.T) {
	for _, test := range []valueTest{
		{"0", []byte{0x02, 1, 0x00}, "0", ""},
		{"127", []byte{0x02, 1, 0x7f}, "127", ""},
		{"128", []byte{0x02, 2, 0x00, 0x80}, "128", ""},
		{"-1", []byte{0x02, 1, 0xff}, "-1", ""},
		{"-128", []byte{0x02, 1, 0x80}, "-128", ""},
		{"-129", []byte{0x02, 2, 0xff, 0x7f}, "-129", ""},
		{"2^64", tlv(0x02, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0}), "18446744073709551616", ""},
		{"ENUMERATED", []byte{0x0a, 1, 6}, "6", ""},
		{"empty", []byte{0x02, 0}, "", "empty"},
		{"leading zero", []byte{0x02, 2, 0x00, 0x7f}, "", "shortest"},
		{"leading ones", []byte{0x02, 2, 0xff, 0x80}, "", "shortest"},
		{"OCTET STRING", []byte{0x04, 1, 0}, "", "want an INTEGER"},
		{"one octet too many", tlv(0x02, bytes.Repeat([]byte{1}, maxInteger+1)), "", "2049 octets"},
	} {
		test.run(t, func(e Element) (string, error) {
			n, err := e.Integer()
			return n.String(), err
		})
	}
	t.Run("as long as allowed", func(t *testing.T) {
		n, err := scan(t, tlv(0x02, bytes.Repeat([]byte{1}, maxInteger))).Integer()
		if err != nil || n.BitLen() != 8*maxInteger-7 {
			t.Errorf("got %v, %v", n, err)
		}
	})
}

func TestInt(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want int
		err  string
	}{
		{"largest", []byte{0x02, 4, 0x7f, 0xff, 0xff, 0xff}, 1<<31 - 1, ""},
		{"smallest", []byte{0x02, 4, 0x80, 0x00, 0x00, 0x00}, -1 << 31, ""},
		{"one too large", []byte{0x02, 5, 0x00, 0x80, 0x00, 0x00, 0x00}, 0, "32 bits"},
		{"one too small", []byte{0x02, 5, 0xff, 0x7f, 0xff, 0xff, 0xff}, 0, "32 bits"},
		{"beyond 64 bits", tlv(0x02, bytes.Repeat([]byte{1}, 9)), 0, "32 bits"},
		{"NULL", tlv(0x05), 0, "want an INTEGER"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := scan(t, test.data).Int()
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %d and error %v, want %q", got, err, test.err)
				}
			} else if err != nil || got != test.want {
				t.Errorf("got %d, %v, want %d", got, err, test.want)
			}
		})
	}
}

func TestBool(t *testing.T) {
	for _, test := range []valueTest{
		{"TRUE", []byte{0x01, 1, 0xff}, "true", ""},
		{"FALSE", []byte{0x01, 1, 0x00}, "false", ""},
		{"implicitly tagged", []byte{0x82, 1, 0xff}, "true", ""},
		{"TRUE in BER", []byte{0x01, 1, 0x01}, "", "BOOLEAN in DER"},
		{"empty", []byte{0x01, 0}, "", "BOOLEAN in DER"},
		{"two octets", []byte{0x01, 2, 0xff, 0xff}, "", "BOOLEAN in DER"},
		{"INTEGER", []byte{0x02, 1, 0x00}, "", "BOOLEAN in DER"},
		{"application tag", []byte{0x41, 1, 0x00}, "", "BOOLEAN in DER"},
	} {
		test.run(t, func(e Element) (string, error) {
			v, err := e.Bool()
			return map[bool]string{true: "true", false: "false"}[v], err
		})
	}
}

func TestBitString(t *testing.T) {
	for _, test := range []struct {
		name   string
		data   []byte
		octets []byte
		unused int
		ok     bool
	}{
		{"empty", []byte{0x03, 1, 0}, []byte{}, 0, true},
		{"whole octets", []byte{0x03, 3, 0, 0xab, 0xcd}, []byte{0xab, 0xcd}, 0, true},
		{"seven unused bits", []byte{0x03, 2, 7, 0x80}, []byte{0x80}, 7, true},
		{"implicitly tagged", []byte{0x83, 2, 1, 0xfe}, []byte{0xfe}, 1, true},
		{"no octet of unused bits", []byte{0x03, 0}, nil, 0, false},
		{"eight unused bits", []byte{0x03, 2, 8, 0x00}, nil, 0, false},
		{"unused bits of nothing", []byte{0x03, 1, 1}, nil, 0, false},
		{"unused bit set", []byte{0x03, 2, 1, 0x01}, nil, 0, false},
		{"constructed", tlv(0x23, tlv(0x03, []byte{0})), nil, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			octets, unused, err := scan(t, test.data).BitString()
			if !test.ok {
				if err == nil {
					t.Errorf("got %x, want an error", octets)
				}
				return
			}
			if err != nil || !bytes.Equal(octets, test.octets) || unused != test.unused {
				t.Errorf("got %x, %d, %v, want %x, %d", octets, unused, err, test.octets, test.unused)
			}
		})
	}
}

func TestObjectID(t *testing.T) {
	for _, test := range []valueTest{
		{"id-signedData", tlv(0x06, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}), "1.2.840.113549.1.7.2", ""},
		{"MOICA policy", tlv(0x06, []byte{0x60, 0x86, 0x76, 0x65, 0x00, 0x03, 0x03}), "2.16.886.101.0.3.3", ""},
		{"arc of 127 octets", tlv(0x06, []byte{0x2a}, bytes.Repeat([]byte{0x81}, 126), []byte{0}), "", ""},
		{"one octet too many", tlv(0x06, bytes.Repeat([]byte{1}, maxObjectID+1)), "", "129 octets"},
		{"empty", tlv(0x06), "", "malformed"},
		{"arc cut short", tlv(0x06, []byte{0x2a, 0x86}), "", "malformed"},
		{"arc with leading zero", tlv(0x06, []byte{0x2a, 0x80, 0x01}), "", "malformed"},
		{"INTEGER", tlv(0x02, []byte{0x2a}), "", "want an OBJECT IDENTIFIER"},
	} {
		test.run(t, func(e Element) (string, error) {
			oid, err := e.ObjectID()
			if test.want == "" {
				oid = ""
			}
			return oid, err
		})
	}
}

func TestTime(t *testing.T) {
	for _, test := range []valueTest{
		{"UTCTime", tlv(0x17, []byte("251130235959Z")), "2025-11-30T23:59:59Z", ""},
		{"UTCTime of 1950", tlv(0x17, []byte("500101000000Z")), "1950-01-01T00:00:00Z", ""},
		{"UTCTime of 2049", tlv(0x17, []byte("491231235959Z")), "2049-12-31T23:59:59Z", ""},
		{"UTCTime on a leap day", tlv(0x17, []byte("520229000000Z")), "1952-02-29T00:00:00Z", ""},
		{"GeneralizedTime", tlv(0x18, []byte("20510102030405Z")), "2051-01-02T03:04:05Z", ""},
		{"without seconds", tlv(0x17, []byte("2511302359Z")), "", "11 characters"},
		{"with offset", tlv(0x17, []byte("251130235959+0800")), "", "17 characters"},
		{"with fraction", tlv(0x18, []byte("20510102030405.1Z")), "", "17 characters"},
		{"fraction for seconds", tlv(0x18, []byte("205101020304.1Z")), "", "form"},
		{"month 13", tlv(0x17, []byte("251330235959Z")), "", "form"},
		{"30 February", tlv(0x17, []byte("250230000000Z")), "", "form"},
		{"lower-case z", tlv(0x17, []byte("251130235959z")), "", "form"},
		{"spaces for digits", tlv(0x17, []byte("25113023 959Z")), "", "form"},
		{"a sign in the year", tlv(0x17, []byte("-11130235959Z")), "", "form"},
		{"a sign in a long year", tlv(0x18, []byte("2-110102030405Z")), "", "form"},
		{"INTEGER", tlv(0x02, []byte("2")), "", "want a UTCTime"},
		{"GeneralizedTime in a UTCTime", tlv(0x17, []byte("20510102030405Z")), "", "15 characters"},
	} {
		test.run(t, func(e Element) (string, error) {
			v, err := e.Time()
			return v.Format(time.RFC3339), err
		})
	}
}

func TestSortedSet(t *testing.T) {
	one, two, long := tlv(0x02, []byte{1}), tlv(0x02, []byte{2}), tlv(0x02, []byte{1, 0})
	for _, test := range []struct {
		name    string
		members [][]byte
		want    bool
	}{
		{"empty", nil, true},
		{"one", [][]byte{two}, true},
		{"in order", [][]byte{one, two, long}, true},
		{"equal", [][]byte{one, one}, true},
		{"out of order", [][]byte{two, one}, false},
		{"out of order at the end", [][]byte{one, long, two}, false},
		{"by tag", [][]byte{two, tlv(0x04)}, true},
		{"by tag, out of order", [][]byte{tlv(0x04), two}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := scan(t, tlv(0x31, test.members...)).SortedSet(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// X.690, Section 11.6 compares encodings of unequal length as if the shorter
// one were padded with zeros.
func TestCompareSetMembers(t *testing.T) {
	for _, test := range []struct {
		name string
		a, b string
		want int
	}{
		{"equal", "ab", "ab", 0},
		{"less", "ab", "b", -1},
		{"greater", "b", "ab", 1},
		{"prefix", "a", "ab", -1},
		{"longer", "ab", "a", 1},
		{"padding", "a", "a\x00\x00", 0},
		{"longer by zeros and more", "a\x00\x01", "a", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := compareSetMembers([]byte(test.a), []byte(test.b)); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
	if !slices.IsSortedFunc([]string{"", "a", "ab", "b"}, func(a, b string) int {
		return compareSetMembers([]byte(a), []byte(b))
	}) {
		t.Error("the order is not that of the octets")
	}
}
