package batch

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ManifestName is the manifest in a folder or an archive.
const ManifestName = "manifest.jsonl"

// A FileSource is a source of files. Close it after use.
type FileSource struct {
	id    string
	index index
	items func(from mark) iter.Seq2[Item, error]
	close func() error
}

var _ Divided = (*FileSource)(nil)

// ID is made of the digest of the manifest and, for an archive, of its size.
func (s *FileSource) ID() string { return s.id }

// Len is how many filings the manifest has.
func (s *FileSource) Len() int64 { return s.index.count }

// Items yields the filings in the order of the manifest.
func (s *FileSource) Items() iter.Seq2[Item, error] { return s.items(mark{}) }

// Close closes what Open has opened.
func (s *FileSource) Close() error { return s.close() }

// Open opens a source of files: a folder with a manifest.jsonl in it, a manifest,
// or a tar or zip archive that has manifest.jsonl at its root. A manifest is JSON
// Lines:
//
//	{"id": "2026-000001", "signature": "a/1.p7s", "content": "a/1.pdf", "receivedAt": "2026-05-31T15:59:59+08:00", "signer": "0000000000000000"}
//
// signature and receivedAt are required. Without content, the SignedData has it
// inside. With a "line", content is the document that was filed by signing that
// line, and "certificate" names the signer's certificate if the signature is a bare
// one. signer is the holder number that is expected. id is what results call the
// filing; without it, signature is. Paths have slashes and are relative to the folder
// of the manifest or the root of the archive; none leads out of it, neither by
// ".." nor by a symbolic link.
//
// A tar archive is not compressed, and has its files in the order in which the
// manifest names them; the manifest and others may lie anywhere between. A zip archive may have any order and not more than a few hundred
// thousand files. Nothing is unpacked to disk or held in memory.
func Open(path string) (*FileSource, error) {
	s, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("batch: opening source %s: %w", path, err)
	}
	return s, nil
}

func open(path string) (*FileSource, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return openFolder(path, ManifestName)
	case strings.EqualFold(filepath.Ext(path), ".tar"):
		return openTar(path)
	case strings.EqualFold(filepath.Ext(path), ".zip"):
		return openZip(path)
	case strings.EqualFold(filepath.Ext(path), ".jsonl"):
		return openFolder(filepath.Dir(path), filepath.Base(path))
	}
	return nil, fmt.Errorf("want a folder, a manifest (.jsonl), or an archive (.tar, not compressed, or .zip)")
}

// A folder is a tree of files. os.Root keeps paths and symbolic links inside.
type folder struct{ root *os.Root }

func openFolder(dir, manifest string) (*FileSource, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	in := folder{root}
	id, index, err := digestOf(in.part(manifest))
	if err != nil {
		root.Close()
		return nil, err
	}
	return &FileSource{
		id:    "manifest sha256:" + id,
		index: index,
		items: func(from mark) iter.Seq2[Item, error] { return manifestItems(in.part(manifest), in, from) },
		close: root.Close,
	}, nil
}

func (f folder) open(path string) (Part, error) {
	if !fs.ValidPath(path) {
		return nil, fmt.Errorf("%q is not a path below the manifest's folder", path)
	}
	return f.part(path), nil
}

// part opens a regular file. It does not wait for the other end of a pipe, which
// would hold up a worker for ever.
func (f folder) part(path string) Part {
	return func() (io.ReadCloser, error) {
		file, err := f.root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
			file.Close()
			return nil, fmt.Errorf("%s is not a regular file", path)
		}
		return file, nil
	}
}

// manifestItems opens the manifest and yields its filings.
func manifestItems(manifest Part, in files, from mark) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		r, err := manifest()
		if err != nil {
			yield(Item{}, fmt.Errorf("batch: opening the manifest: %w", err))
			return
		}
		defer r.Close()
		if err := from.seek(r); err != nil {
			yield(Item{}, fmt.Errorf("batch: reading the manifest: %w", err))
			return
		}
		entries(r, in, from.lines)(yield)
	}
}

// digestOf returns the SHA-256 of a manifest, in hexadecimal, and where its filings
// are.
func digestOf(manifest Part) (digest string, found index, err error) {
	r, err := manifest()
	if err != nil {
		return "", index{}, err
	}
	defer r.Close()
	h := sha256.New()
	lines := bufio.NewReaderSize(io.TeeReader(r, h), maxManifestLine)
	for {
		text, err := lines.ReadSlice('\n') // one that is too long comes in pieces, and is an error later
		found.add(text)
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), found, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", index{}, err
		}
	}
}
