// Package dertest makes inputs for the tests of parsers built on package der:
// the constructions that have brought other parsers down, and the public seed
// corpora for fuzzing.
package dertest

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/outside"
)

// An Input is one input with a name for its subtest.
type Input struct {
	Name string
	Data []byte
}

// TLV encodes an element with a one-octet identifier and a minimal length.
func TLV(identifier byte, contents ...[]byte) []byte {
	body := bytes.Join(contents, nil)
	var length []byte
	for n := len(body); n > 0; n >>= 8 {
		length = append([]byte{byte(n)}, length...)
	}
	if len(body) < 0x80 {
		return append([]byte{identifier, byte(len(body))}, body...)
	}
	return append(append([]byte{identifier, 0x80 | byte(len(length))}, length...), body...)
}

// Indefinite encodes an element of indefinite length.
func Indefinite(identifier byte, contents ...[]byte) []byte {
	return append(append([]byte{identifier, 0x80}, bytes.Join(contents, nil)...), 0, 0)
}

// Hostile returns inputs of about size bytes, each of which made a parser that
// was in use panic, exhaust the memory, or take more than linear time.
func Hostile(size int) []Input {
	indefiniteOf := func(filler ...byte) []byte {
		return Indefinite(0x30, bytes.Repeat(filler, size/len(filler)))
	}
	open := bytes.Repeat([]byte{0x30, 0x80}, size/2)
	levels := bytes.Repeat([]byte{0x30, 0x80}, size/4)
	closed := append(levels, make([]byte, len(levels))...)
	overlap := bytes.Repeat([]byte{0x24, 0x05, 0x60, 0x01, 0x82, 0x30, 0x21}, size/7+1)
	definite := TLV(0x04, make([]byte, size))
	for range 400 {
		definite = TLV(0x30, definite)
	}
	pairs := bytes.Repeat([]byte{0x30, 0x80, 0x00, 0x00}, size/4)
	return []Input{
		{"overlapping children, 480 bytes", append(bytes.Repeat([]byte{0x24, 0x05, 0x60, 0x01, 0x82, 0x30, 0x21}, 26)[:180], make([]byte, 300)...)},
		{"overlapping children", append(overlap[:size], make([]byte, 300)...)},
		{"nesting left open", open},
		{"nesting closed", closed},
		{"nesting of 400 definite levels", definite},
		{"indefinite filled with INTEGER", indefiniteOf(0x02, 0x01, 0x01)},
		{"indefinite filled with empty OCTET STRING", indefiniteOf(0x04, 0x00)},
		{"indefinite filled with NULL", indefiniteOf(0x05, 0x00)},
		{"indefinite filled with indefinite", Indefinite(0x30, pairs)},
		{"indefinite string of empty pieces", Indefinite(0x24, bytes.Repeat([]byte{0x04, 0x00}, size/2))},
		{"definite filled with NULL", TLV(0x30, bytes.Repeat([]byte{0x05, 0x00}, size/2))},
		{"length far beyond the input", append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, make([]byte, size)...)},
		{"length of 126 octets", append(append([]byte{0x04, 0xfe}, bytes.Repeat([]byte{0xff}, 126)...), make([]byte, size)...)},
		{"tag number without end", append([]byte{0x1f}, bytes.Repeat([]byte{0xff}, size)...)},
		{"INTEGER as large as the input", TLV(0x02, bytes.Repeat([]byte{0x7f}, size))},
		{"OBJECT IDENTIFIER of one arc", TLV(0x06, bytes.Repeat([]byte{0xff}, size), []byte{0x7f})},
		{"zeros", make([]byte, size)},
	}
}

// AllSeeds returns the inputs of all archives in the seed corpora of package outside.
func AllSeeds(tb testing.TB) [][]byte {
	tb.Helper()
	return readSeeds(tb, "*")
}

// Seeds returns the inputs of the named archives, for fuzzing, which goes on with
// nothing where there are no corpora.
func Seeds(tb testing.TB, archives ...string) [][]byte {
	tb.Helper()
	if os.Getenv("CITIZENCERT_CONFORMANCE") == "" {
		return nil
	}
	return readSeeds(tb, archives...)
}

// readSeeds fails where an archive has nothing.
func readSeeds(tb testing.TB, archives ...string) [][]byte {
	tb.Helper()
	var seeds [][]byte
	for _, pattern := range archives {
		names, err := filepath.Glob(outside.Conformance(tb, "fuzz-seeds", pattern+".zip"))
		if err != nil || len(names) == 0 {
			tb.Fatalf("no seed archive %s.zip (%v)", pattern, err)
		}
		for _, name := range names {
			inputs, err := readArchive(name)
			if err != nil || len(inputs) == 0 {
				tb.Fatalf("%d inputs in %s, %v", len(inputs), name, err)
			}
			seeds = append(seeds, inputs...)
		}
	}
	return seeds
}

func readArchive(name string) (inputs [][]byte, err error) {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	for _, entry := range archive.File {
		if entry.FileInfo().IsDir() {
			continue
		}
		data, err := fs.ReadFile(archive, entry.Name)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, data)
	}
	return inputs, nil
}
