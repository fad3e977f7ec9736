package batch

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
)

// Bounds on archives: of a zip its directory, which is in memory, in bytes, and how
// much longer than its compressed form a file may be.
const (
	maxZipDirectory = 16 << 20
	maxZipRatio     = 200
	maxZipSlack     = 1 << 20 // below this many bytes any ratio is accepted
)

// An outOfOrder is a tar archive that does not have its files in the order of its
// manifest. Nothing after that can be found.
type outOfOrder struct{ path string }

func (e *outOfOrder) Error() string {
	return fmt.Sprintf("%q does not follow in the archive: the files of a tar archive are in the order of its manifest", e.path)
}

// openTar opens a tar archive. Its headers are read in sequence, beside the
// manifest; what is in its files is read by the workers from where it stands.
func openTar(path string) (*FileSource, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := newTar(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func newTar(file *os.File) (*FileSource, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	manifest, err := newTarFiles(file, size).open(ManifestName)
	if err != nil {
		return nil, fmt.Errorf("no %s in the archive: %w", ManifestName, err)
	}
	id, index, err := digestOf(manifest)
	if err != nil {
		return nil, err
	}
	index.sequential()
	return &FileSource{
		id:    fmt.Sprintf("tar of %d bytes, manifest sha256:%s", size, id),
		index: index,
		items: func(from mark) iter.Seq2[Item, error] { return manifestItems(manifest, newTarFiles(file, size), from) },
		close: file.Close,
	}, nil
}

// tarFiles walks through an archive. at is where it reads, from which it can be told
// where the content of a file begins.
type tarFiles struct {
	file    io.ReaderAt
	at      *io.SectionReader
	headers *tar.Reader
}

func newTarFiles(file io.ReaderAt, size int64) *tarFiles {
	at := io.NewSectionReader(file, 0, size)
	return &tarFiles{file, at, tar.NewReader(at)}
}

func (t *tarFiles) open(path string) (Part, error) {
	if !fs.ValidPath(path) {
		return nil, fmt.Errorf("%q is not a path in the archive", path)
	}
	for {
		header, err := t.headers.Next()
		if errors.Is(err, io.EOF) {
			return nil, &outOfOrder{path}
		}
		if err != nil {
			return nil, errors.Join(&outOfOrder{path}, err)
		}
		if strings.TrimPrefix(header.Name, "./") != path {
			continue
		}
		if header.Typeflag != tar.TypeReg || isSparse(header) {
			return nil, fmt.Errorf("%s is not a regular file in the archive", path)
		}
		offset, err := t.at.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		return func() (io.ReadCloser, error) {
			if offset+header.Size > t.at.Size() {
				return nil, fmt.Errorf("%s goes beyond the end of the archive: %w", path, io.ErrUnexpectedEOF)
			}
			return io.NopCloser(io.NewSectionReader(t.file, offset, header.Size)), nil
		}, nil
	}
}

// isSparse reports whether a file has holes that are not in the archive: a few
// bytes of it can stand for terabytes.
func isSparse(header *tar.Header) bool {
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// openZip opens a zip archive.
func openZip(path string) (*FileSource, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := newZip(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func newZip(file *os.File) (*FileSource, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	counted := &budgetReader{r: file, budget: maxZipDirectory}
	archive, err := zip.NewReader(counted, info.Size())
	if err != nil {
		return nil, err
	}
	counted.open = true
	in := make(zipFiles, len(archive.File))
	for _, f := range archive.File {
		if _, twice := in[f.Name]; twice {
			return nil, fmt.Errorf("%q is in the archive twice", f.Name)
		}
		in[f.Name] = f
	}
	manifest, err := in.open(ManifestName)
	if err != nil {
		return nil, err
	}
	id, index, err := digestOf(manifest)
	if err != nil {
		return nil, err
	}
	return &FileSource{
		id:    fmt.Sprintf("zip of %d bytes, manifest sha256:%s", info.Size(), id),
		index: index,
		items: func(from mark) iter.Seq2[Item, error] { return manifestItems(manifest, in, from) },
		close: file.Close,
	}, nil
}

// A budgetReader bounds how much is read of a file before it is open: package zip
// reads the directory of an archive into memory, as long as it may be.
type budgetReader struct {
	r      io.ReaderAt
	budget int
	open   bool
}

func (b *budgetReader) ReadAt(p []byte, offset int64) (int, error) {
	if !b.open {
		if b.budget -= len(p); b.budget < 0 {
			return 0, fmt.Errorf("the directory of the archive is larger than %d bytes", maxZipDirectory)
		}
	}
	return b.r.ReadAt(p, offset)
}

type zipFiles map[string]*zip.File

func (z zipFiles) open(path string) (Part, error) {
	f := z[path]
	if f == nil || !fs.ValidPath(path) {
		return nil, fmt.Errorf("%q is not a file in the archive", path)
	}
	if !f.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file in the archive", path)
	}
	size, packed := f.UncompressedSize64, f.CompressedSize64
	if size > maxZipSlack && size/maxZipRatio > packed {
		return nil, fmt.Errorf("%s is more than %d times as long as it is in the archive", path, maxZipRatio)
	}
	return f.Open, nil // which ends with an error if there is more than the header says
}
