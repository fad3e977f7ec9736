package cms_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/cms"
	"github.com/citizencert/citizencert/internal/der"
	"github.com/citizencert/citizencert/internal/der/dertest"
)

// parseStream reads data and returns the content that was handed on, or nil if
// there was none.
func parseStream(r io.Reader) (*cms.SignedData, []algorithm.Identifier, []byte, error) {
	var content []byte
	var digests []algorithm.Identifier
	message, err := cms.ParseStream(r, cms.Limits{}, func(ids []algorithm.Identifier) (io.Writer, error) {
		content = []byte{}
		digests = ids
		return writerFunc(func(p []byte) { content = append(content, p...) }), nil
	})
	return message, digests, content, err
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// checkStream compares with what Parse makes of the same bytes: it is the same
// message, or neither is one.
func checkStream(t *testing.T, data []byte) {
	t.Helper()
	want, wantErr := cms.Parse(data, cms.Limits{})
	got, digests, content, err := parseStream(bytes.NewReader(data))
	if _, limit := errors.AsType[*der.LimitError](err); limit && len(data) > 1<<20 {
		return
	}
	// Elements of indefinite length are counted where they are remembered.
	if _, limit := errors.AsType[*der.LimitError](wantErr); limit && err == nil && len(data) > 4<<12 {
		return
	}
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("got error %v, of the whole %v", err, wantErr)
	}
	if err != nil {
		_, syntax := errors.AsType[*der.SyntaxError](err)
		_, limit := errors.AsType[*der.LimitError](err)
		if got != nil || !syntax && !limit {
			t.Fatalf("got message %v and error of type %T: %v", got, err, err)
		}
		return
	}
	if !bytes.Equal(content, want.Content.Bytes()) || want.Detached != (content == nil) {
		t.Errorf("got content %.100q, of the whole %.100q", content, want.Content.Bytes())
	}
	if content != nil && !reflect.DeepEqual(digests, want.DigestAlgorithms) {
		t.Errorf("got digest algorithms %v, of the whole %v", digests, want.DigestAlgorithms)
	}
	if got.Content.Len() != 0 || got.Detached != want.Detached {
		t.Errorf("got %d bytes of content in the message", got.Content.Len())
	}
	if a, b := describe(got), describe(want); a != b {
		t.Errorf("got\n%s\nof the whole\n%s", a, b)
	}
}

// describe prints what does not depend on where in its input a message stands.
func describe(s *cms.SignedData) string {
	text := fmt.Sprintf("%d %v %s %v %x %d %x %x %d\n", s.Version, s.DigestAlgorithms, s.ContentType, s.Detached,
		s.Certificates, s.OtherCertificates, s.CRLs, s.OCSPResponses, s.OtherRevocationInfos)
	for _, i := range s.SignerInfos {
		text += fmt.Sprintf("%x %x %v %x %v\n", i.Raw, i.SignedAttrs, i.UnsortedAttrs, i.Signature, i.Serial)
	}
	return text
}

// FuzzStream checks that reading a message piece by piece is reading it.
func FuzzStream(f *testing.F) {
	for _, data := range streamed(f) {
		f.Add(data)
	}
	for _, input := range dertest.Hostile(200) {
		f.Add(input.Data)
	}
	for _, seed := range dertest.Seeds(f, "cms") {
		f.Add(seed)
	}
	f.Fuzz(checkStream)
}

// streamed are messages in every form that content may have.
func streamed(tb testing.TB) map[string][]byte {
	content := func(element ...[]byte) []byte { return tlv(0x30, oidData, tlv(0xa0, element...)) }
	piece := tlv(0x04, []byte("ab"))
	long := tlv(0x04, bytes.Repeat([]byte("x"), 300))
	return map[string][]byte{
		"attached":                        sign(tb, []byte("a filing"), false, alice()),
		"attached, long":                  sign(tb, bytes.Repeat([]byte("a filing"), 100_000), false, alice()),
		"detached":                        sign(tb, []byte("a filing"), true, alice(), bob()),
		"indefinite":                      message{element: indefinite}.bytes(),
		"indefinite, detached":            message{element: indefinite, encapsulated: indefinite(0x30, oidData)}.bytes(),
		"indefinite, with certificates":   message{element: indefinite, encapsulated: indefinite(0x30, oidData), certificates: tlv(0xa0, tlv(0x30))}.bytes(),
		"detached, with certificates":     message{encapsulated: tlv(0x30, oidData), certificates: tlv(0xa0, tlv(0x30))}.bytes(),
		"no bytes":                        message{encapsulated: content(tlv(0x04))}.bytes(),
		"no pieces":                       message{encapsulated: content(tlv(0x24))}.bytes(),
		"no pieces, indefinite":           message{encapsulated: content(indefinite(0x24))}.bytes(),
		"pieces":                          message{encapsulated: content(tlv(0x24, piece, tlv(0x04), long))}.bytes(),
		"pieces, indefinite":              message{encapsulated: content(indefinite(0x24, piece, tlv(0x04), long))}.bytes(),
		"pieces in pieces":                message{encapsulated: content(indefinite(0x24, tlv(0x24, piece, indefinite(0x24, piece)), piece))}.bytes(),
		"27 levels":                       message{encapsulated: content(levels(27))}.bytes(),
		"28 levels":                       message{encapsulated: content(levels(28))}.bytes(),
		"a foreign piece":                 message{encapsulated: content(tlv(0x24, piece, tlv(0x0c, []byte("c"))))}.bytes(),
		"a piece too long":                message{encapsulated: content(append(tlv(0x24, piece[:3]), 'b'))}.bytes(),
		"a piece of indefinite length":    message{encapsulated: content(tlv(0x24, []byte{0x04, 0x80}, piece))}.bytes(),
		"pieces that end later":           message{encapsulated: content([]byte{0x24, 0x04, 0x24, 0x80, 0x04, 0x00, 0x00, 0x00})}.bytes(),
		"pieces closed by a long zero":    message{encapsulated: content([]byte{0x24, 0x80, 0x04, 0x00, 0x00, 0x81, 0x00, 0x00, 0x00})}.bytes(),
		"long form of a short length":     message{encapsulated: content([]byte{0x04, 0x84, 0, 0, 0, 2, 'a', 'b'})}.bytes(),
		"long form of no length":          message{encapsulated: content([]byte{0x04, 0x81, 0})}.bytes(),
		"another type":                    message{encapsulated: content(tlv(0x30, piece))}.bytes(),
		"two contents":                    message{encapsulated: content(piece, piece)}.bytes(),
		"no content in its tag":           message{encapsulated: content(), certificates: tlv(0x04, []byte("x"))}.bytes(),
		"content behind":                  message{encapsulated: tlv(0x30, oidData), certificates: tlv(0xa0, piece)}.bytes(),
		"content behind an empty tag":     message{encapsulated: content(), certificates: piece}.bytes(),
		"more in encapContentInfo":        message{encapsulated: tlv(0x30, oidData, tlv(0xa0, piece), piece)}.bytes(),
		"no digest algorithms":            message{digests: tlv(0x31)}.bytes(),
		"digest algorithms, indefinite":   message{digests: indefinite(0x31, tlv(0x30, oidSHA256))}.bytes(),
		"digest algorithms in a SEQUENCE": message{digests: tlv(0x30, tlv(0x30, oidSHA256))}.bytes(),
		"17 digest algorithms":            message{digests: tlv(0x31, bytes.Repeat(tlv(0x30, oidSHA256), 17))}.bytes(),
		"another content type":            message{contentType: oidData}.bytes(),
		"trailing bytes":                  append(message{}.bytes(), 0),
		"end-of-contents octets behind":   append(message{}.bytes(), 0, 0),
		"a high tag":                      append([]byte{0xbf, 0x1f}, message{}.bytes()...),
		"nothing":                         nil,
		"SignedData ends before":          tlv(0x30, oidSignedData, tlv(0xa0, tlv(0x30, tlv(2, []byte{1}), tlv(0x31)), content(piece))),
		"ContentInfo ends before":         append(tlv(0x30, oidSignedData), tlv(0xa0, message{}.bytes())...),
		"ContentInfo in a length of 126":  append([]byte{0x30, 0xfe}, append(make([]byte, 125), message{}.bytes()[1:]...)...),
		"length of more than 2^62":        append([]byte{0x30, 0x88, 0x7f, 1, 1, 1, 1, 1, 1, 1}, message{}.bytes()[2:]...),
		"content of more than there is":   message{encapsulated: tlv(0x30, oidData, []byte{0xa0, 4, 4, 0x84, 1, 0})}.bytes(),
		"wrapper a byte too long":         longer(message{}.bytes(), 1),
		"wrapper a byte too short":        longer(message{}.bytes(), -1),
	}
}

// longer changes the length of the outermost element, which has two length octets.
func longer(data []byte, n int) []byte {
	at := 1
	if data[1] > 0x80 {
		at = int(data[1]&0x7f) + 1
	}
	data[at] = byte(int(data[at]) + n)
	return data
}

// levels is an OCTET STRING in so many constructed ones.
func levels(n int) []byte {
	e := tlv(0x04, []byte("x"))
	for range n {
		e = tlv(0x24, e)
	}
	return e
}

func TestStream(t *testing.T) {
	for name, data := range streamed(t) {
		t.Run(name, func(t *testing.T) {
			checkStream(t, data)
			for n := range min(len(data), 500) {
				checkStream(t, data[:n])
			}
			if _, _, _, err := parseStream(iotest.OneByteReader(bytes.NewReader(data))); err != nil {
				if _, whole := cms.Parse(data, cms.Limits{}); whole == nil {
					t.Errorf("byte by byte: %v", err)
				}
			}
		})
	}
	for name, accepted := range map[string]bool{"attached, long": true, "27 levels": true, "28 levels": false, "pieces in pieces": true} {
		if _, _, _, err := parseStream(bytes.NewReader(streamed(t)[name])); (err == nil) != accepted {
			t.Errorf("%s: got error %v, want accepted %v", name, err, accepted)
		}
	}
}

// Every byte of a message that is streamed, changed.
func TestStreamMangled(t *testing.T) {
	for _, name := range []string{"attached", "pieces in pieces", "indefinite"} {
		data := streamed(t)[name]
		for i := range data {
			for _, b := range []byte{0, 1, 0x04, 0x24, 0x30, 0x80, 0x81, 0x84, 0xa0, 0xff, data[i] - 1, data[i] + 1} {
				changed := bytes.Clone(data)
				changed[i] = b
				checkStream(t, changed)
			}
		}
	}
}

// The seeds of the formats that a message may look like.
func TestStreamSeeds(t *testing.T) {
	for _, seed := range dertest.AllSeeds(t) {
		checkStream(t, seed)
	}
}

// What is not content is bounded, wherever it stands; content is not.
func TestStreamLimits(t *testing.T) {
	const limit = cms.DefaultStreamBytes
	filler := func(n int) []byte { return tlv(0xa1, tlv(0x30, make([]byte, n))) }
	short := message{crls: filler(1000)}.bytes()
	within := message{crls: filler(limit - len(short) + 900)}.bytes()
	content := message{encapsulated: tlv(0x30, oidData, tlv(0xa0, tlv(0x04, make([]byte, 2*limit))))}.bytes()
	for _, tt := range []struct {
		name string
		data []byte
		want bool // within limits
	}{
		{"2 MiB of content", content, true},
		{"almost 1 MiB behind the content", within, true},
		{"2 MiB behind the content", message{crls: filler(2 * limit)}.bytes(), false},
		{"2 MiB before the content", message{digests: tlv(0x31, tlv(0x30, oidSHA256, tlv(0x04, make([]byte, 2*limit))))}.bytes(), false},
		{"zeros before the length", append([]byte{0x30, 0x83}, make([]byte, 2*limit)...), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, _, err := parseStream(bytes.NewReader(tt.data))
			if _, limit := errors.AsType[*der.LimitError](err); limit == tt.want {
				t.Errorf("got error %v, want within limits: %v", err, tt.want)
			}
		})
	}
}

// What fails outside the message is told apart from what is wrong with it.
func TestStreamFailures(t *testing.T) {
	data := message{}.bytes()
	gone := errors.New("gone")
	isStream := func(err error) bool {
		_, ok := errors.AsType[*cms.StreamError](err)
		return ok && errors.Is(err, gone)
	}
	discard := func([]algorithm.Identifier) (io.Writer, error) { return io.Discard, nil }
	for n := range data {
		r := io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(gone))
		if _, err := cms.ParseStream(r, cms.Limits{}, discard); !isStream(err) {
			t.Errorf("reader that fails at byte %d: got %v", n, err)
		}
	}
	r := strings.NewReader(string(data))
	if _, err := cms.ParseStream(r, cms.Limits{}, func([]algorithm.Identifier) (io.Writer, error) { return nil, gone }); !isStream(err) {
		t.Errorf("open that fails: got %v", err)
	}
	r = strings.NewReader(string(data))
	if _, err := cms.ParseStream(r, cms.Limits{}, func([]algorithm.Identifier) (io.Writer, error) {
		in, out := io.Pipe()
		return out, in.CloseWithError(gone)
	}); !isStream(err) {
		t.Errorf("writer that fails: got %v", err)
	}
}
