package der

import (
	"bytes"
	"slices"
	"testing"
)

// scan returns the root of data, which must be well formed.
func scan(t *testing.T, data []byte) Element {
	t.Helper()
	d, err := Scan(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func TestReader(t *testing.T) {
	number, null, tagged := tlv(0x02, []byte{7}), tlv(0x05), tlv(0xa1, tlv(0x05))
	for _, test := range []struct {
		name string
		data []byte
	}{
		{"definite", tlv(0x30, number, null, tagged)},
		{"indefinite", indefiniteTLV(0x30, number, null, tagged)},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := scan(t, test.data).Reader()
			if got, ok := r.Peek(); !ok || got != Integer {
				t.Errorf("Peek: got %v, %v, want an INTEGER", got, ok)
			}
			if e, ok := r.Optional(Null); ok {
				t.Errorf("Optional(NULL): got %v", e.Tag)
			}
			e, err := r.Expect(Integer, "version")
			if err != nil || !bytes.Equal(e.Raw, number) || e.Offset() != 2 {
				t.Errorf("Expect: got %x at %d, %v", e.Raw, e.Offset(), err)
			}
			if _, ok := r.Optional(Null); !ok {
				t.Error("Optional(NULL): got none")
			}
			left := r
			checkSyntaxError(t, left.End("Thing"), syntaxError{7, "Thing has an unexpected element with tag [context 1 constructed]"})
			wrong := r
			_, err = wrong.Expect(Context(1), "choice")
			checkSyntaxError(t, err, syntaxError{7, "choice has tag [context 1 constructed], want [context 1 primitive]"})
			if _, err := r.Expect(ContextConstructed(1), "choice"); err != nil {
				t.Error(err)
			}
			if err := r.End("Thing"); err != nil {
				t.Error(err)
			}
			_, err = r.Expect(Integer, "last")
			checkSyntaxError(t, err, syntaxError{11, "last is missing"})
			if _, ok := r.Peek(); ok {
				t.Error("Peek at the end found an element")
			}
		})
	}
	t.Run("primitive", func(t *testing.T) {
		r := scan(t, number).Reader()
		if e, ok := r.Next(); ok {
			t.Errorf("an INTEGER contains %v", e.Tag)
		}
	})
	t.Run("stopped early", func(t *testing.T) {
		r := scan(t, tlv(0x30, number, null)).Reader()
		for range r.All() {
			break
		}
		if got, _ := r.Peek(); got != Null {
			t.Errorf("got %v next, want the element behind the one that was read", got)
		}
	})
}

// Appending to what was read must not write into the input.
func TestElementAliases(t *testing.T) {
	data := tlv(0x30, tlv(0x04, []byte("ab")), tlv(0x05))
	want := slices.Clone(data)
	r := scan(t, data).Reader()
	e, _ := r.Next()
	if &e.Body[0] != &data[4] {
		t.Error("contents were copied")
	}
	_ = append(e.Body, 'x')
	_ = append(e.Raw, 'x')
	if !bytes.Equal(data, want) {
		t.Errorf("input became %x", data)
	}
}

func TestChunks(t *testing.T) {
	a, b, empty := tlv(0x04, []byte("ab")), tlv(0x04, []byte("cde")), tlv(0x04)
	for _, test := range []struct {
		name string
		data []byte
		want []string
		err  *syntaxError
	}{
		{"primitive", a, []string{"ab"}, nil},
		{"primitive, empty", empty, []string{""}, nil},
		{"implicitly tagged", tlv(0x80, []byte("ab")), []string{"ab"}, nil},
		{"constructed", tlv(0x24, a, b), []string{"ab", "cde"}, nil},
		{"constructed, empty", tlv(0x24), nil, nil},
		{"constructed, indefinite", indefiniteTLV(0x24, a, empty, b), []string{"ab", "", "cde"}, nil},
		{"constructed, implicitly tagged", tlv(0xa0, a, b), []string{"ab", "cde"}, nil},
		{"nested", tlv(0x24, a, indefiniteTLV(0x24, b, tlv(0x24, a)), b), []string{"ab", "cde", "ab", "cde"}, nil},
		{"foreign piece", tlv(0x24, a, tlv(0x0c, []byte("x")), b), []string{"ab"}, &syntaxError{6, "universal 12"}},
		{"foreign piece, nested", tlv(0x24, a, tlv(0x24, tlv(0x30))), []string{"ab"}, &syntaxError{8, "universal 16"}},
		{"piece of the implicit tag", tlv(0xa0, tlv(0x80, []byte("x"))), nil, &syntaxError{2, "context 0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			var failed error
			for chunk, err := range scan(t, test.data).Chunks(OctetString) {
				if err != nil {
					failed = err
				} else {
					got = append(got, string(chunk))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got pieces %q, want %q", got, test.want)
			}
			if test.err != nil {
				checkSyntaxError(t, failed, *test.err)
			} else if failed != nil {
				t.Error(failed)
			}
		})
	}
	t.Run("stopped early", func(t *testing.T) {
		n := 0
		for range scan(t, tlv(0x24, a, tlv(0x24, b, b), a)).Chunks(OctetString) {
			if n++; n == 2 {
				break
			}
		}
		if n != 2 {
			t.Errorf("got %d pieces after leaving at 2", n)
		}
	})
}

func TestTag(t *testing.T) {
	for _, test := range []struct {
		data []byte
		want Tag
		name string
	}{
		{tlv(0x30), Sequence, "[universal 16 constructed]"},
		{tlv(0x04), OctetString, "[universal 4 primitive]"},
		{tlv(0x80), Context(0), "[context 0 primitive]"},
		{tlv(0xa3), ContextConstructed(3), "[context 3 constructed]"},
		{[]byte{0xbf, 0x87, 0x68, 0x00}, Context(1000).AsConstructed(), "[context 1000 constructed]"},
		{tlv(0x41), 1<<classShift | 1, "[application 1 primitive]"},
		{tlv(0xc1), 3<<classShift | 1, "[private 1 primitive]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := scan(t, test.data).Tag
			if got != test.want || got.String() != test.name {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
