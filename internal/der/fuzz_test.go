package der

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/citizencert/citizencert/internal/der/dertest"
)

// What Scan accepts can be walked to the last byte, and reading it yields the
// bytes that were scanned. Strict accepts a subset of it, to each element of
// which cryptobyte agrees.
func FuzzScan(f *testing.F) {
	for _, input := range dertest.Hostile(200) {
		f.Add(input.Data)
	}
	f.Add(indefiniteTLV(0x30, indefiniteTLV(0x24, tlv(0x04, []byte("ab")), tlv(0x04)), tlv(0x05)))
	f.Add([]byte{0x30, 0x84, 0x00, 0x00, 0x00, 0x02, 0x05, 0x00})
	for _, seed := range dertest.Seeds(f, "asn1", "ocsp-parts") {
		f.Add(seed)
	}
	f.Fuzz(checkScan)
}

// The seeds of every format at once; reading them all would leave a short run
// of FuzzScan no time for inputs of its own.
func TestScanSeeds(t *testing.T) {
	for _, seed := range dertest.AllSeeds(t) {
		checkScan(t, seed)
	}
}

func checkScan(t *testing.T, data []byte) {
	d, err := Scan(data, Limits{})
	_, strictErr := Strict(data, Limits{})
	for _, err := range []error{err, strictErr} {
		_, syntax := errors.AsType[*SyntaxError](err)
		_, limit := errors.AsType[*LimitError](err)
		if err != nil && !syntax && !limit {
			t.Fatalf("got error of type %T: %v", err, err)
		}
	}
	if err != nil {
		if d != nil || strictErr == nil {
			t.Fatalf("got document %v and Strict %v with error %v", d, strictErr, err)
		}
		return
	}
	root := d.Root()
	if elements := walk(t, root); 2*elements > len(data) {
		t.Errorf("%d elements in %d bytes", elements, len(data))
	}
	if got, want := root.Strict(), strictErr; (got == nil) != (want == nil) {
		t.Errorf("Element.Strict: %v, Strict: %v", got, want)
	}
	if strictErr == nil {
		checkCryptobyte(t, root)
	}
}

// walk reads e and everything inside it, checks that the elements follow one
// another without gap inside their parent, and returns how many they are.
func walk(t *testing.T, e Element) int {
	t.Helper()
	header := e.Raw[:e.pos-e.off]
	trailer := e.Raw[len(header)+len(e.Body):]
	if got := append(append(bytes.Clone(header), e.Body...), trailer...); !bytes.Equal(got, e.Raw) {
		t.Fatalf("element at %d: header, contents and trailer are not its bytes", e.off)
	}
	if n := len(trailer); n != 0 && !bytes.Equal(trailer, []byte{0, 0}) {
		t.Fatalf("element at %d ends in %x", e.off, trailer)
	}
	elements, next := 1, e.pos
	r := e.Reader()
	for child := range r.All() {
		if child.off != next {
			t.Fatalf("element at %d follows one that ends at %d", child.off, next)
		}
		next += len(child.Raw)
		elements += walk(t, child)
	}
	if e.Tag.Constructed() && next != e.pos+len(e.Body) {
		t.Fatalf("contents of the element at %d end at %d, its last child at %d", e.off, e.pos+len(e.Body), next)
	}
	readValues(e)
	return elements
}

// readValues calls what reads one value; none may panic, whatever the type.
func readValues(e Element) {
	_, _ = e.Integer()
	_, _ = e.Int()
	_, _ = e.Bool()
	_, _, _ = e.BitString()
	_, _ = e.ObjectID()
	_, _ = e.Time()
	_ = e.SortedSet()
	for range e.Chunks(OctetString) {
	}
}

// checkCryptobyte compares with a reader that takes DER only, and of tags only
// those below 31.
func checkCryptobyte(t *testing.T, e Element) {
	if e.Tag.Number() >= 31 {
		return
	}
	in := cryptobyte.String(e.Raw)
	var body cryptobyte.String
	var tag cryptobyte_asn1.Tag
	if !in.ReadAnyASN1(&body, &tag) || !in.Empty() || !bytes.Equal(body, e.Body) || byte(tag) != e.Raw[0] {
		t.Fatalf("cryptobyte does not agree on the element at %d: %x", e.off, e.Raw)
	}
	r := e.Reader()
	for child := range r.All() {
		checkCryptobyte(t, child)
	}
}

// BenchmarkScan is to show the same time per byte for both sizes.
func BenchmarkScan(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64k", 64 << 10}, {"1M", 1 << 20}} {
		for _, input := range dertest.Hostile(size.bytes) {
			b.Run("input="+input.Name+"/size="+size.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(input.Data)))
				for b.Loop() {
					if d, err := Scan(input.Data, Limits{}); err == nil {
						readAll(d.Root())
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(input.Data)), "ns/byte")
			})
		}
	}
}

func readAll(e Element) {
	r := e.Reader()
	for child := range r.All() {
		readAll(child)
	}
}
