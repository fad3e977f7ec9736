package batch

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// maxManifestLine bounds a line of a manifest, in bytes: paths and a statement line
// take a tenth of it.
const maxManifestLine = 64 << 10

// An entry is a line of a manifest.
type entry struct {
	ID          string    `json:"id"`
	Signature   string    `json:"signature"`
	Content     string    `json:"content"`
	Line        string    `json:"line"`
	Certificate string    `json:"certificate"`
	ReceivedAt  time.Time `json:"receivedAt"`
	Signer      string    `json:"signer"`
}

// files is where the files are that a manifest names.
type files interface {
	// open returns a part by its path, with slashes, below the root of the files.
	// The parts of a filing are asked for in the order of the fields of entry, and
	// an archive that is read in sequence has them in that order.
	open(path string) (Part, error)
}

// entries yields the filings of a manifest, of which so many lines have been read.
func entries(manifest io.Reader, in files, read int) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		lines := bufio.NewReaderSize(manifest, maxManifestLine)
		for n := read + 1; ; n++ {
			text, err := lines.ReadSlice('\n')
			if err != nil && err != io.EOF {
				if errors.Is(err, bufio.ErrBufferFull) {
					err = fmt.Errorf("longer than %d bytes", maxManifestLine)
				}
				yield(Item{}, fmt.Errorf("batch: manifest, line %d: %w", n, err))
				return
			}
			if text = bytes.TrimSpace(text); len(text) > 0 {
				item, fatal := parseEntry(text, n, in)
				if !yield(item, fatal) || fatal != nil {
					return
				}
			}
			if err == io.EOF {
				return
			}
		}
	}
}

// parseEntry makes an item of a line. What is wrong with it is the item's own,
// unless the files cannot be read any more.
func parseEntry(text []byte, n int, in files) (item Item, fatal error) {
	var e entry
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields() // a misspelt receivedAt must not go unseen
	err := dec.Decode(&e)
	if _, more := dec.Token(); err == nil && more != io.EOF { // another filing, say, whose line has no end
		err = errors.New("there is more than one JSON value")
	}
	if err != nil {
		return Item{Name: fmt.Sprintf("line %d", n), Err: fmt.Errorf("line %d of the manifest: %w", n, err)}, nil
	}
	item = Item{
		Name:       cmp.Or(e.ID, e.Signature, fmt.Sprintf("line %d", n)),
		ReceivedAt: e.ReceivedAt,
		Signer:     e.Signer,
		Line:       e.Line,
	}
	if e.Signature == "" {
		item.Err = fmt.Errorf("line %d of the manifest names no signature", n)
		return item, nil
	}
	for _, part := range []struct {
		path string
		open *Part
	}{{e.Signature, &item.Signature}, {e.Content, &item.Content}, {e.Certificate, &item.Certificate}} {
		if part.path == "" {
			continue
		}
		open, err := in.open(part.path)
		if order, ok := errors.AsType[*outOfOrder](err); ok {
			return item, fmt.Errorf("batch: manifest, line %d: %w", n, order)
		}
		if err != nil {
			item.Err = errors.Join(item.Err, fmt.Errorf("line %d of the manifest: %w", n, err))
			continue
		}
		*part.open = open
	}
	return item, nil
}
