package crl

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// A saved index is a file of pages behind a header:
//
//	8 octets   magic
//	4 octets   length of the header, little-endian
//	4 octets   number of pages
//	32 octets  HMAC-SHA-256 of all of this but itself, up to the digests
//	           header, as JSON
//	           SHA-256 of each page
//	           zeros up to a multiple of pageBytes
//	           pages
//
// Whoever could write such a file could make a revoked certificate good: the list
// is signed, and the index says what is on it. So it counts only with an HMAC by
// the key of the configuration, which covers the pages through their digests. On
// opening, the HMAC is checked and no page is read; a page is digested before it is
// used for the first time, and one that is damaged is an error, never an entry that
// is missing. See mapping for what keeps a page as it was when it was digested.
const (
	indexMagic   = "crlindx2"
	indexPrefix  = len(indexMagic) + 4 + 4
	maxHeader    = 1 << 20
	maxPages     = 1 << 22 // 64 GiB
	indexPurpose = "citizencert saved index of a revocation list"
)

// An indexHeader has what the pages do not tell, and which list they are of.
type indexHeader struct {
	Digest       []byte // SHA-256 of the tbsCertList
	SignedDigest []byte // what the signature is over
	Size         int64  // of the list
	Frame        []byte // the list without its entries
	Unhandled    string // a critical extension among the entries
	Key          hashKey
	Count        int
	Tables       [len(layouts)]*tableHeader
}

type tableHeader struct {
	Parts, Buckets   uint64
	Count, PageCount int
	Slots            int
}

var errForeign = errors.New("index is another list's, of another version or by another key")

// canSave reports whether the index of a list can be saved: that of an indirect
// list cannot, nor of one whose signature is over the list itself.
func (l *List) canSave() bool { return l.foreign == nil && l.signedDigest != nil }

// writeIndex writes the index of a list, and makes the file one that is not written
// to: see mapping.
func writeIndex(file *os.File, l *List, key []byte) error {
	h := indexHeader{Digest: l.digest[:], SignedDigest: l.signedDigest, Size: l.Size, Frame: l.frame.der(),
		Unhandled: l.unhandled, Key: l.index.key, Count: l.index.count}
	pages := 0
	for i, t := range l.index.tables {
		if t != nil {
			h.Tables[i] = &tableHeader{t.parts, t.buckets, t.count, t.pageCount, len(t.slots)}
			pages += t.pageCount + slotPages(len(t.slots))
		}
	}
	header, err := json.Marshal(h)
	if err != nil {
		return err
	}
	first := dataOffset(len(header), pages)
	if err := file.Truncate(first); err != nil { // as long as this even without pages
		return err
	}
	if _, err := file.Seek(first, io.SeekStart); err != nil {
		return err
	}
	w := &pageWriter{w: bufio.NewWriterSize(file, blockBytes)}
	for _, t := range l.index.tables {
		if t != nil {
			w.table(t)
		}
	}
	if err := w.w.Flush(); err != nil {
		return err
	}
	start := binary.LittleEndian.AppendUint32([]byte(indexMagic), uint32(len(header)))
	start = binary.LittleEndian.AppendUint32(start, uint32(pages))
	if _, err = file.WriteAt(bytes.Join([][]byte{start, sealIndex(key, start, header, w.digests), header, w.digests}, nil), 0); err != nil {
		return err
	}
	return file.Chmod(0o400)
}

func slotPages(slots int) int { return (slots + slotsPerPage - 1) / slotsPerPage }

func dataOffset(header, pages int) int64 {
	n := indexPrefix + sha256.Size + header + pages*sha256.Size
	return int64(n+pageBytes-1) / pageBytes * pageBytes
}

func sealIndex(key, prefix, header, digests []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(indexPurpose))
	h.Write(prefix)
	h.Write(header)
	h.Write(digests)
	return h.Sum(nil)
}

// A pageWriter writes pages, the last of a kind filled up with zeros. Errors stay in
// the bufio.Writer.
type pageWriter struct {
	w       *bufio.Writer
	digests []byte
	page    [pageBytes]byte
}

func (w *pageWriter) table(t *table) {
	for _, page := range t.pages {
		w.write(page)
	}
	for i := 0; i < len(t.slots); i += slotsPerPage {
		var page []byte
		for _, slot := range t.slots[i:min(i+slotsPerPage, len(t.slots))] {
			page = binary.LittleEndian.AppendUint32(page, slot)
		}
		w.write(page)
	}
}

func (w *pageWriter) write(page []byte) {
	clear(w.page[copy(w.page[:], page):])
	digest := sha256.Sum256(w.page[:])
	w.digests = append(w.digests, digest[:]...)
	w.w.Write(w.page[:])
}

// savedPages are the pages of a saved index. They are released when nobody can
// reach them any more.
type savedPages struct {
	file    *os.File // that is mapped, or nil
	info    fs.FileInfo
	data    []byte // the pages, mapped or read
	digests []byte
	checked []atomic.Uint32 // a bit for each page: it has been digested
}

// page returns a page as it was saved. It is valid while p is reachable.
func (p *savedPages) page(i int) ([]byte, error) {
	if uint(i) >= uint(len(p.checked))*32 || p.checked[i/32].Load()>>(i%32)&1 == 0 {
		if err := p.check(i); err != nil {
			return nil, err
		}
	}
	return p.data[i*pageBytes : (i+1)*pageBytes : (i+1)*pageBytes], nil
}

// check digests a page that is used for the first time.
func (p *savedPages) check(i int) error {
	if i < 0 || i >= len(p.digests)/sha256.Size {
		return errDamaged
	}
	digest := sha256.Sum256(p.data[i*pageBytes : (i+1)*pageBytes])
	if string(digest[:]) != string(p.digests[i*sha256.Size:(i+1)*sha256.Size]) {
		return errDamaged
	}
	p.checked[i/32].Or(1 << (i % 32))
	return nil
}

// changed reports whether the file has been written to since it was opened. Pages are
// then no longer what was digested: they may be those of another index of the same
// list, under whose key nothing is where it is looked for.
func (p *savedPages) changed() bool {
	if p.file == nil {
		return false
	}
	now, err := p.file.Stat()
	return err != nil || now.Size() != p.info.Size() || !now.ModTime().Equal(p.info.ModTime())
}

// openIndex opens a saved index and returns its list, which keeps the file.
func openIndex(file *os.File, key []byte) (*List, error) {
	whole, pages, err := mapping(file)
	if err != nil {
		return nil, err
	}
	h, first, digests, err := readHeader(whole, key)
	if err != nil {
		return nil, err
	}
	l := &List{}
	s := streamBytes(h.Frame)
	err = l.parse(s, maxHeader)
	s.close()
	if err != nil {
		return nil, fmt.Errorf("frame in the index: %w", err) // never, given the HMAC
	}
	copy(l.digest[:], h.Digest)
	l.signedDigest, l.Size, l.unhandled = h.SignedDigest, h.Size, h.Unhandled
	l.signed.Digested(h.SignedDigest)
	pages.data, pages.digests = whole[first:], digests
	pages.checked = make([]atomic.Uint32, len(digests)/sha256.Size/32+1)
	l.index = h.index(pages)
	return l, nil
}

func readHeader(whole, key []byte) (h *indexHeader, first int64, digests []byte, err error) {
	if len(whole) < indexPrefix+sha256.Size || string(whole[:len(indexMagic)]) != indexMagic {
		return nil, 0, nil, errForeign
	}
	prefix := whole[:indexPrefix]
	length := int(binary.LittleEndian.Uint32(prefix[len(indexMagic):]))
	pages := int(binary.LittleEndian.Uint32(prefix[len(indexMagic)+4:]))
	if length > maxHeader || pages > maxPages {
		return nil, 0, nil, errForeign
	}
	if first = dataOffset(length, pages); int64(len(whole)) != first+int64(pages)*pageBytes {
		return nil, 0, nil, errDamaged
	}
	rest := whole[indexPrefix+sha256.Size:]
	header, digests := rest[:length], rest[length:length+pages*sha256.Size]
	if !hmac.Equal(whole[indexPrefix:indexPrefix+sha256.Size], sealIndex(key, prefix, header, digests)) {
		return nil, 0, nil, errForeign
	}
	h = &indexHeader{}
	if err := json.Unmarshal(header, h); err != nil || len(h.Digest) != sha256.Size {
		return nil, 0, nil, errForeign // never, given the HMAC
	}
	// The header is kept in memory, where nobody changes it; so are the digests.
	return h, first, bytes.Clone(digests), nil
}

func (h *indexHeader) index(pages *savedPages) *index {
	x := &index{key: h.Key, count: h.Count, saved: pages}
	at := 0
	for i, t := range h.Tables {
		if t == nil {
			continue
		}
		x.tables[i] = &table{layout: layouts[i], key: &x.key, parts: t.Parts, buckets: t.Buckets, count: t.Count,
			pageCount: t.PageCount, saved: pages, first: at, offsets: at + t.PageCount}
		at += t.PageCount + slotPages(t.Slots)
	}
	return x
}
