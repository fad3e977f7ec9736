package cms_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/citizencert/citizencert/internal/cms"
)

func parseContent(t *testing.T, eContent ...[]byte) *cms.SignedData {
	t.Helper()
	encapsulated := tlv(0x30, append([][]byte{oidData}, eContent...)...)
	got, err := cms.Parse(message{encapsulated: encapsulated}.bytes(), cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestContent(t *testing.T) {
	ab, c, none := tlv(0x04, []byte("ab")), tlv(0x04, []byte("c")), tlv(0x04)
	for _, test := range []struct {
		name   string
		octets []byte
		want   string
	}{
		{"one piece", ab, "ab"},
		{"empty", none, ""},
		{"constructed, one piece", tlv(0x24, ab), "ab"},
		{"constructed, two pieces", tlv(0x24, ab, c), "abc"},
		{"constructed, no piece", tlv(0x24), ""},
		{"constructed, empty pieces", tlv(0x24, none, none), ""},
		{"indefinite", indefinite(0x24, ab, none, c), "abc"},
		{"nested", indefinite(0x24, ab, indefinite(0x24, c, tlv(0x24, ab)), c), "abcabc"},
		{"10,000 pieces", indefinite(0x24, bytes.Repeat(ab, 10_000)), string(bytes.Repeat([]byte("ab"), 10_000))},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := parseContent(t, tlv(0xa0, test.octets))
			if got.Detached {
				t.Error("content is reported as detached")
			}
			if whole := got.Content.Bytes(); whole == nil || string(whole) != test.want {
				t.Errorf("Bytes: got %q, want %q", whole, test.want)
			}
			var written bytes.Buffer
			n, err := got.Content.WriteTo(&written)
			if err != nil || written.String() != test.want || n != int64(len(test.want)) || got.Content.Len() != n {
				t.Errorf("WriteTo: got %q, %d, %v, and Len %d, want %q", written.Bytes(), n, err, got.Content.Len(), test.want)
			}
		})
	}
}

func TestContentDetached(t *testing.T) {
	got := parseContent(t)
	n, err := got.Content.WriteTo(&bytes.Buffer{})
	if !got.Detached || got.Content.Bytes() != nil || got.Content.Len() != 0 || n != 0 || err != nil {
		t.Errorf("got detached %v, content %q, %d bytes written, %v", got.Detached, got.Content.Bytes(), n, err)
	}
}

// Content in one piece is the message's own bytes.
func TestContentAliases(t *testing.T) {
	data := message{}.bytes()
	got, err := cms.Parse(data, cms.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	data[bytes.Index(data, []byte("content"))] = 'C'
	if string(got.Content.Bytes()) != "Content" {
		t.Errorf("got %q, a copy", got.Content.Bytes())
	}
}

type failingWriter struct{ left int }

var errFull = errors.New("full")

func (w *failingWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestContentWriteError(t *testing.T) {
	got := parseContent(t, tlv(0xa0, tlv(0x24, tlv(0x04, []byte("ab")), tlv(0x04, []byte("cd")), tlv(0x04, []byte("ef")))))
	n, err := got.Content.WriteTo(&failingWriter{3})
	if n != 3 || !errors.Is(err, errFull) {
		t.Errorf("got %d, %v, want 3, %v", n, err, errFull)
	}
}

func TestContentErrors(t *testing.T) {
	ab := tlv(0x04, []byte("ab"))
	for _, test := range []struct {
		name string
		rest [][]byte // of encapContentInfo
		want string
	}{
		{"missing in its tag", [][]byte{tlv(0xa0)}, "eContent is missing"},
		{"primitive tag", [][]byte{tlv(0x80)}, "EncapsulatedContentInfo has an unexpected element"},
		{"without its tag", [][]byte{ab}, "EncapsulatedContentInfo has an unexpected element"},
		{"two", [][]byte{tlv(0xa0, ab, ab)}, "eContent has an unexpected element"},
		{"element behind", [][]byte{tlv(0xa0, ab), ab}, "EncapsulatedContentInfo has an unexpected element"},
		{"SEQUENCE, as in PKCS #7", [][]byte{tlv(0xa0, tlv(0x30))}, "want an OCTET STRING"},
		{"UTF8String", [][]byte{tlv(0xa0, tlv(0x0c))}, "want an OCTET STRING"},
		{"foreign piece", [][]byte{tlv(0xa0, tlv(0x24, ab, tlv(0x0c)))}, "piece of a string has tag"},
		{"foreign piece, nested", [][]byte{tlv(0xa0, tlv(0x24, ab, tlv(0x24, tlv(0x03))))}, "piece of a string has tag"},
	} {
		t.Run(test.name, func(t *testing.T) {
			encapsulated := tlv(0x30, append([][]byte{oidData}, test.rest...)...)
			checkRefused(t, message{encapsulated: encapsulated}.bytes(), test.want)
		})
	}
}
