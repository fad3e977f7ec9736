package der

import (
	"errors"
	"slices"
	"testing"
)

func TestStrict(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want *syntaxError // nil if DER
	}{
		{"SEQUENCE", tlv(0x30, tlv(0x05)), nil},
		{"length of 128", tlv(0x04, make([]byte, 128)), nil},
		{"length of 256", tlv(0x04, make([]byte, 256)), nil},
		{"constructed context tag", tlv(0xa4, tlv(0x04)), nil},
		{"indefinite", indefiniteTLV(0x30), &syntaxError{0, "indefinite"}},
		{"indefinite inside", tlv(0x30, tlv(0x05), indefiniteTLV(0x30)), &syntaxError{4, "indefinite"}},
		{"length of 127 in the long form", append([]byte{0x04, 0x81, 0x7f}, make([]byte, 127)...), &syntaxError{0, "shortest"}},
		{"length of 255 in two octets", append([]byte{0x04, 0x82, 0x00, 0xff}, make([]byte, 255)...), &syntaxError{0, "shortest"}},
		{"empty in the long form", []byte{0x05, 0x81, 0x00}, &syntaxError{0, "shortest"}},
		{"long form inside", tlv(0x30, tlv(0x05), []byte{0x04, 0x81, 0x01, 0x00}), &syntaxError{4, "shortest"}},
		{"constructed OCTET STRING", tlv(0x24, tlv(0x04)), &syntaxError{0, "constructed string"}},
		{"constructed BIT STRING inside", tlv(0x30, tlv(0x23, tlv(0x03, []byte{0}))), &syntaxError{2, "constructed string"}},
		{"constructed GeneralString", tlv(0x3b, tlv(0x1b)), &syntaxError{0, "constructed string"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Strict(test.data, Limits{})
			if test.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			checkSyntaxError(t, err, *test.want)
			if e, _ := errors.AsType[*SyntaxError](err); !e.NotDER {
				t.Error("NotDER is not set")
			}
		})
	}
	t.Run("not even BER", func(t *testing.T) {
		_, err := Strict([]byte{0x30, 0x01}, Limits{})
		if e, ok := errors.AsType[*SyntaxError](err); !ok || e.NotDER {
			t.Errorf("got error %v with NotDER, want one without", err)
		}
	})
}

// A DER element stays DER whatever BER surrounds it.
func TestElementStrict(t *testing.T) {
	ber := indefiniteTLV(0x30, tlv(0x05))
	good := tlv(0x30, tlv(0x02, []byte{1}))
	data := indefiniteTLV(0x30, ber, good, ber, good, []byte{0x04, 0x81, 0x00})
	d, err := Scan(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	r := d.Root().Reader()
	for e := range r.All() {
		got = append(got, e.Strict() == nil)
	}
	if want := []bool{false, true, false, true, false}; !slices.Equal(got, want) {
		t.Errorf("got DER %v, want %v", got, want)
	}
}

func TestIsDER(t *testing.T) {
	for _, test := range []struct {
		name string
		data []byte
		want bool
	}{
		{"definite", tlv(0x30, tlv(0x05)), true},
		{"indefinite", indefiniteTLV(0x30), false},
		{"indefinite inside", tlv(0x30, indefiniteTLV(0x30)), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Scan(test.data, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := d.IsDER(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
