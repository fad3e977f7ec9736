package evidence

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// A Pack is a [Store] in one file that only grows. It holds each object once, and
// keeps in memory about 24 bytes for each: where it is, not what it is.
//
// One process writes a Pack, with [OpenPack]; any number read it meanwhile, with
// [ReadPack]. What was written when [Pack.Sync] returned survives everything but
// the disk; what was written since survives the end of the process, kill -9 too. If
// that comes in the middle of an object, what there is of it is cut off when the
// Pack is opened to write again. Damage is another thing: it is told of, by hash and
// offset, and nothing is cut off for it.
//
// The file begins with 16 bytes, "citizencert-pk1" and a line feed. Then come the
// objects, without gaps, each behind a header of 48 bytes:
//
//	 0   4  "obj" and a line feed
//	 4   8  size of the object in bytes, big endian
//	12  32  SHA-256 of the object
//	44   4  CRC-32C (Castagnoli), big endian, of the 44 bytes before and of the offset
//	        of the header in the file as 8 bytes, big endian
//
// Because of the offset, a pack that is an object of another is not mistaken for a
// part of it.
type Pack struct {
	file     *os.File
	writable bool

	mu        sync.RWMutex
	index     packIndex
	end       int64 // of the last whole object
	truncated int64
	broken    error // nothing can be written any more
}

var _ Store = (*Pack)(nil)

const (
	packMagic   = "citizencert-pk1\n"
	objectMagic = "obj\n"
	headerSize  = 48
)

// MaxObject is the largest object that a [Pack] takes, in bytes.
const MaxObject = 1 << 30

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenPack opens a Pack to write and read, and makes the file if there is none. An
// object at the end of which only the first part was written is cut off: see
// [Pack.Truncated]. The Pack must be closed after use; until then nobody else can
// open it to write, on systems with flock.
func OpenPack(path string) (*Pack, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	p := &Pack{file: f, writable: true}
	if err := p.open(); err != nil {
		f.Close()
		return nil, fmt.Errorf("evidence: pack %s: %w", filepath.Base(path), err)
	}
	return p, nil
}

// ReadPack opens a Pack to read. It finds what a writer adds meanwhile.
func ReadPack(path string) (*Pack, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	p := &Pack{file: f}
	if err := p.scan(); err != nil {
		f.Close()
		return nil, fmt.Errorf("evidence: pack %s: %w", filepath.Base(path), err)
	}
	return p, nil
}

// open locks the file for this writer, begins a new one, and cuts off what is torn.
func (p *Pack) open() error {
	if err := lock(p.file); err != nil {
		return err
	}
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	if p.isNew(info.Size()) {
		if err := p.begin(); err != nil {
			return err
		}
	}
	if err := p.scan(); err != nil {
		return err
	}
	if info, err = p.file.Stat(); err != nil {
		return err
	}
	if p.truncated = info.Size() - p.end; p.truncated > 0 {
		return p.file.Truncate(p.end)
	}
	return nil
}

// isNew reports whether the file has no more than the first part of what it begins
// with.
func (p *Pack) isNew(size int64) bool {
	if size >= int64(len(packMagic)) {
		return false
	}
	begun := make([]byte, size)
	_, err := p.file.ReadAt(begun, 0)
	return err == nil && string(begun) == packMagic[:size]
}

func (p *Pack) begin() error {
	if _, err := p.file.WriteAt([]byte(packMagic), 0); err != nil {
		return err
	}
	if err := p.file.Sync(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(p.file.Name()))
}

// Close closes the file. It does not [Pack.Sync].
func (p *Pack) Close() error { return p.file.Close() }

// Sync has what was put in before survive a power failure.
func (p *Pack) Sync() error {
	if err := p.file.Sync(); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// Len returns how many objects there are.
func (p *Pack) Len() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.index.n
}

// Truncated returns how many bytes of an unfinished object OpenPack has cut off.
func (p *Pack) Truncated() int64 { return p.truncated }

// Put implements [Store].
func (p *Pack) Put(_ context.Context, hash Hash, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.writable:
		return errors.New("evidence: the pack was opened to read")
	case p.broken != nil:
		return fmt.Errorf("evidence: the pack cannot be written any more: %w", p.broken)
	case len(data) > MaxObject:
		return fmt.Errorf("evidence: object of %d bytes, want at most %d", len(data), MaxObject)
	}
	if _, ok, err := p.find(hash); err != nil || ok {
		return err
	}
	if err := p.write(newHeader(p.end, hash, len(data)), data); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	p.index.add(hash, p.end)
	p.end += headerSize + int64(len(data))
	return nil
}

// write appends an object. What was written of one that failed, for instance since
// the disk is full, is taken back.
func (p *Pack) write(header [headerSize]byte, data []byte) error {
	_, err := p.file.WriteAt(header[:], p.end)
	if err == nil {
		_, err = p.file.WriteAt(data, p.end+headerSize)
	}
	if err != nil {
		if undo := p.file.Truncate(p.end); undo != nil {
			p.broken = undo
		}
	}
	return err
}

// Get implements [Store].
func (p *Pack) Get(_ context.Context, hash Hash) ([]byte, error) {
	p.mu.RLock()
	at, ok, err := p.find(hash)
	p.mu.RUnlock()
	if err == nil && !ok && !p.writable {
		at, ok, err = p.findNew(hash)
	}
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, notFound(hash)
	}
	return p.read(hash, at)
}

// Has reports whether there is an object, without reading it.
func (p *Pack) Has(hash Hash) (bool, error) {
	p.mu.RLock()
	_, ok, err := p.find(hash)
	p.mu.RUnlock()
	if err == nil && !ok && !p.writable {
		_, ok, err = p.findNew(hash)
	}
	return ok, err
}

// findNew looks again after reading what has been added.
func (p *Pack) findNew(hash Hash) (int64, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.scan(); err != nil {
		return 0, false, fmt.Errorf("evidence: %w", err)
	}
	return p.find(hash)
}

// find returns the offset of the header of an object. The caller holds the lock.
func (p *Pack) find(hash Hash) (int64, bool, error) {
	for at := range p.index.candidates(hash) {
		h, err := p.header(at)
		if err != nil {
			return 0, false, fmt.Errorf("evidence: %w", err)
		}
		// A header that was damaged since it was indexed is told of when it is read.
		if !h.valid || h.hash == hash {
			return at, true, nil
		}
	}
	return 0, false, nil
}

// read reads an object, and checks that it is the one.
func (p *Pack) read(hash Hash, at int64) ([]byte, error) {
	h, err := p.header(at)
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	damaged := &DamageError{Part: "object", Object: hash, Offset: at}
	if !h.valid || h.hash != hash || h.size > MaxObject {
		damaged.Err = errors.New("its header has changed")
		return nil, damaged
	}
	data := make([]byte, h.size)
	switch _, err := p.file.ReadAt(data, at+headerSize); {
	case errors.Is(err, io.EOF):
		damaged.Err = errors.New("the file has become shorter")
		return nil, damaged
	case err != nil:
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if got := HashOf(data); got != hash {
		damaged.Err = fmt.Errorf("what is there has SHA-256 %v", got)
		return nil, damaged
	}
	return data, nil
}

// A packHeader is what stands before an object.
type packHeader struct {
	valid bool
	size  uint64
	hash  Hash // of a header that is not valid, as it stands there
}

func newHeader(at int64, hash Hash, size int) (h [headerSize]byte) {
	copy(h[:], objectMagic)
	binary.BigEndian.PutUint64(h[4:], uint64(size))
	copy(h[12:], hash[:])
	binary.BigEndian.PutUint32(h[44:], headerSum(at, h[:44]))
	return h
}

func headerSum(at int64, fields []byte) uint32 {
	var offset [8]byte
	binary.BigEndian.PutUint64(offset[:], uint64(at))
	return crc32.Update(crc32.Checksum(fields, castagnoli), castagnoli, offset[:])
}

func parseHeader(at int64, b []byte) (h packHeader) {
	h.size = binary.BigEndian.Uint64(b[4:])
	copy(h.hash[:], b[12:44])
	h.valid = string(b[:4]) == objectMagic && binary.BigEndian.Uint32(b[44:]) == headerSum(at, b[:44])
	return h
}

// header reads the header at an offset. One that the file ends in is not valid.
func (p *Pack) header(at int64) (packHeader, error) {
	var b [headerSize]byte
	if _, err := p.file.ReadAt(b[:], at); errors.Is(err, io.EOF) {
		return packHeader{}, nil
	} else if err != nil {
		return packHeader{}, err
	}
	return parseHeader(at, b[:]), nil
}
