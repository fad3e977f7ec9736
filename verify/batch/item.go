package batch

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"
)

// An Item is one filing of a source.
type Item struct {
	// Name is what results call it.
	Name string

	// ReceivedAt is when the relying party received it, as its records say. A filing
	// without it is refused.
	ReceivedAt time.Time

	// Signer is the holder number (verify.Identity.SerialNumber) of whom the relying
	// party expects to have signed. If empty, anyone may have.
	Signer string

	// Signature is the SignedData, or a bare signature over Line. Content is what
	// was signed, if the SignedData does not have it inside, and with a Line the
	// document.
	Signature Part
	Content   Part

	// Line is the statement line that was signed, for a document filed by one (see
	// verify.Verifier.Statement), and Certificate the signer's, in DER, if Signature
	// is a bare one.
	Line        string
	Certificate Part

	// Err says what is wrong with the filing's entry in the source. It is then
	// refused unseen.
	Err error

	index int64 // place in the source, if known
	known bool
}

// A Part opens a part of a filing. It may be called several times, by one goroutine
// at a time. A nil Part is one that is absent.
type Part func() (io.ReadCloser, error)

// Bytes is a part that is in memory.
func Bytes(data []byte) Part {
	return func() (io.ReadCloser, error) { return memory{bytes.NewReader(data)}, nil }
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// A Source has the filings of a batch.
type Source interface {
	// ID names the content of the source, and differs if that has changed. A run is
	// resumed with a source of the same ID only.
	ID() string

	// Items yields the filings, the same in the same order every time. An error
	// ends the run: what is wrong with one filing is in Item.Err. The parts of an
	// item can be opened until the iteration is over and its results are there.
	Items() iter.Seq2[Item, error]
}

// Iterate makes a source of an iterator that can be started anew. Of what it
// yields nothing is known beforehand: id is the caller's word for it.
func Iterate(id string, items iter.Seq2[Item, error]) Source { return iterated{id, items} }

type iterated struct {
	id    string
	items iter.Seq2[Item, error]
}

func (s iterated) ID() string                    { return s.id }
func (s iterated) Items() iter.Seq2[Item, error] { return s.items }

// read returns a part of at most limit bytes, in memory of its own: what is read out
// of it may be remembered. scratch is used on the way. whole is false if there is more.
func (p Part) read(scratch []byte, limit int64) (data []byte, whole bool, err error) {
	r, err := p()
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	n, err := readFull(r, scratch)
	if err == io.EOF {
		return append([]byte{}, scratch[:n]...), true, nil
	}
	if err != nil {
		return nil, false, err
	}
	rest, err := io.ReadAll(io.LimitReader(r, limit+1-int64(n)))
	if err != nil {
		return nil, false, err
	}
	data = slices.Concat(scratch, rest)
	return data, int64(len(data)) <= limit, nil
}

// readFull fills p, or returns the error that ended the part before. Unlike that of
// io.ReadFull, io.EOF is the end of the part wherever it comes, and
// io.ErrUnexpectedEOF is what an archive says of a part that is cut short.
func readFull(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var read int
		read, err = r.Read(p[n:])
		n += read
	}
	return n, err
}

// bounded opens a part that must not have more than limit bytes, if that is not
// zero.
func (p Part) bounded(limit int64) (io.ReadCloser, error) {
	r, err := p()
	if err != nil || limit == 0 {
		return r, err
	}
	return &boundedReader{r, limit, limit}, nil
}

// A boundedReader fails where a part is larger than it may be.
type boundedReader struct {
	io.ReadCloser
	left, limit int64
}

type tooLarge struct{ limit int64 }

func (e tooLarge) Error() string { return fmt.Sprintf("larger than %d bytes", e.limit) }

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLarge{b.limit}
	}
	return n, err
}
