package hipki_test

import (
	"strings"
	"testing"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/signin/hipki"
)

// The table has each code once, in order, with a sentence in both languages.
func TestReturnCodes(t *testing.T) {
	var last signin.ReturnCode
	n := 0
	for code := range hipki.ReturnCodes() {
		if code.Code <= last {
			t.Errorf("%v comes after %v", code.Code, last)
		}
		last = code.Code
		n++
		if code.Meaning == "" || code.Advice.Class == "" || code.Advice.Text.ZhTW == "" || code.Advice.Text.En == "" {
			t.Errorf("%v: got %+v, want a meaning, a class and two sentences", code.Code, code)
		}
		if got := hipki.Explain(code.Code, 0); got != code.Advice {
			t.Errorf("%v: Explain says %+v, the table %+v", code.Code, got, code.Advice)
		}
	}
	// 65 of the groups 0x760 to 0x771, 14 of 0x772 and 42 of 0x773, 35 of 0x81 and 10
	// of 0x82, 7 of 0x83, 18 of the certificate store.
	if n != 191 {
		t.Errorf("got %d codes, want 191", n)
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		ret, last signin.ReturnCode
		class     hipki.Class
		pin       bool
		en        string
	}{
		{0x76000006, 0, hipki.Holder, false, "Insert your"},
		{0x76000998, 0, hipki.Holder, true, "Enter your PIN"},
		{0x76000999, 0, hipki.Holder, false, "canceled"},
		{0x7600000F, 0, hipki.Setup, false, "trusted sites"},
		{0x76000031, 0, hipki.Setup, false, "trusted sites"},
		{0x7600000D, 0, hipki.Setup, false, "Restart"},
		{0x7600000C, 0, hipki.Site, false, "contact its help desk"},
		{0x76100006, 0xA0, hipki.Holder, true, "PIN is wrong"},
		{0x76100006, 0xA2, hipki.Holder, true, "wrong length"},
		{0x76100006, 0xA4, hipki.Card, false, "locked"},
		{0x76100006, 0x80000001, hipki.Holder, true, "one try is left"},
		{0x76100006, 0x80000002, hipki.Holder, true, "two tries are left"},
		{0x76100006, 0x06, hipki.Internal, false, "try again"},
		{0x76100006, 0x150, hipki.Internal, false, "try again"},
		{0x76100006, 0x30, hipki.Internal, false, "error code"}, // not one of the table
		{0x76100007, 0xA4, hipki.Internal, false, "try again"},  // last_error is of something else
		{0x76500002, 0, hipki.Certificate, false, "expired"},
		{0x77200009, 0, hipki.Card, false, "company card"},
		{0x77200010, 0, hipki.Card, false, "company card"},
		{0x7720000A, 0, hipki.Internal, false, "error code"}, // 09 is followed by 10
		{0x83000102, 0, hipki.Holder, false, "another kind"},
		{0x83000100, 0, hipki.Card, false, "not a government"},
		{0xE0000012, 0, hipki.Holder, false, "canceled"},
		{0xE0000011, 0, hipki.Internal, false, "error code"}, // a gap in the table
		{0xFFFFFFFF, 0, hipki.Internal, false, "error code"},
	} {
		got := hipki.Explain(test.ret, test.last)
		if got.Class != test.class || got.PIN != test.pin || !strings.Contains(got.Text.En, test.en) {
			t.Errorf("%v, %v: got %+v, want class %s, PIN %t and %q", test.ret, test.last, got, test.class, test.pin, test.en)
		}
	}
}

// Where package signin has a sentence for a failure of the component, it is the same.
func TestSentencesAgree(t *testing.T) {
	for _, code := range []signin.ReturnCode{0x76000006, 0x76100003, 0x76000999, 0x7600000F, 0x76000031, 0x12345678} {
		err := &signin.Error{Reason: signin.ReasonComponent, ReturnCode: code}
		if got, want := hipki.Tell(err).Message, err.Problem().Message; got != want {
			t.Errorf("%v: got %q, want %q", code, got, want)
		}
	}
}
