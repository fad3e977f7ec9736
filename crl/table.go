package crl

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A table holds the entries whose serial numbers have at most so many octets, in
// buckets by a keyed hash. It is filled by add, put in order by finish, and
// immutable from then on.
//
// Entries are staged in partitions, by the first bits of the hash, so that adding
// writes to few places at once and finish can put each partition in order within
// the cache, in place: the pages that it has been staged in are those that hold it.
type table struct {
	layout
	key        *hashKey
	partitions []partition
	parts      uint64 // how many partitions
	count      int

	// After finish. Slots are where buckets begin: buckets+1 for each partition.
	buckets   uint64 // of each partition
	pageCount int
	pages     [][]byte
	slots     []uint32

	saved   *savedPages // where pages and offsets are instead, beginning at these
	first   int
	offsets int
}

// page returns the records of one page. They are valid while the table is
// reachable.
func (t *table) page(i uint32) ([]byte, error) {
	if t.saved != nil {
		return t.saved.page(t.first + int(i))
	}
	return t.pages[i], nil
}

// bounds returns where the bucket of a hash begins and ends.
func (t *table) bounds(h uint64) (slot, end uint32, err error) {
	i := t.partition(h)*int(t.buckets+1) + int(t.bucket(h))
	if t.saved != nil {
		return t.savedBounds(i)
	}
	return t.slots[i], t.slots[i+1], nil
}

func (t *table) savedBounds(i int) (slot, end uint32, err error) {
	if slot, err = t.savedSlot(i); err == nil {
		end, err = t.savedSlot(i + 1)
	}
	return slot, end, err
}

func (t *table) savedSlot(i int) (uint32, error) {
	page, err := t.saved.page(t.offsets + i/slotsPerPage)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(page[i%slotsPerPage*4:]), nil
}

// A layout is the form of a record:
//
//	serial number, left-aligned
//	1 octet: its length, and negativeBit
//	1 octet: reason code, and invalidityBit
//	wide:    revokedAt and invalidFrom, 8 octets each
//	else:    revokedAt, 4 octets, in seconds since epoch
type layout struct {
	width   int // of the serial number
	wide    bool
	size    int // of a record
	perPage int
}

func newLayout(width int, wide bool) layout {
	l := layout{width: width, wide: wide, size: width + 2 + 4}
	if wide {
		l.size = width + 2 + 16
	}
	l.perPage = pageBytes / l.size
	return l
}

const (
	negativeBit   = 0x80
	invalidityBit = 0x80

	// pageBytes is also the unit in which saved indexes are checked.
	pageBytes = 16 << 10

	// epoch is the beginning of 1950 in Unix time: 32 bits reach from there to 2086,
	// and a UTCTime to 2049.
	epoch = -631152000
)

// layouts are those of the tables of an index: for serial numbers as MOICA has
// them, for those that RFC 5280 allows, and for everything else, such as entries
// with an invalidityDate.
var layouts = [...]layout{newLayout(narrowest, false), newLayout(narrower, false), newLayout(maxSerial, true)}

const (
	narrowest = 16
	narrower  = 24
)

const wideTable = len(layouts) - 1

// A slot is the place of a record: the page, and in the last slotBits bits which of
// its records it is.
const (
	slotBits     = 10
	slotMask     = 1<<slotBits - 1
	slotsPerPage = pageBytes / 4
)

// fits reports whether a record can hold the entry.
func (l *layout) fits(number serial, e entry) bool {
	at := e.revokedAt - epoch
	return l.wide || len(number.octets) <= l.width && !e.hasInvalid && at >= 0 && at <= math.MaxUint32
}

// A record is one entry with its serial number in a page.
type record []byte

func lengthOctet(number serial) byte {
	if number.negative {
		return byte(len(number.octets)) | negativeBit
	}
	return byte(len(number.octets))
}

func (l *layout) setEntry(r record, e entry) {
	r = r[l.width+1:]
	if r[0] = byte(e.reason); e.hasInvalid {
		r[0] |= invalidityBit
	}
	if !l.wide {
		binary.LittleEndian.PutUint32(r[1:], uint32(e.revokedAt-epoch))
		return
	}
	binary.LittleEndian.PutUint64(r[1:], uint64(e.revokedAt))
	binary.LittleEndian.PutUint64(r[9:], uint64(e.invalidFrom))
}

// named returns what identifies the serial number in the record.
func (l *layout) named(r record) []byte { return r[:l.width+1] }

func (l *layout) serial(r record) serial {
	n := r[l.width]
	return serial{r[:n&^negativeBit], n&negativeBit != 0}
}

func (l *layout) entry(r record) entry {
	r = r[l.width+1:]
	e := entry{reason: int8(r[0] &^ invalidityBit), hasInvalid: r[0]&invalidityBit != 0}
	if l.wide {
		e.revokedAt, e.invalidFrom = int64(binary.LittleEndian.Uint64(r[1:])), int64(binary.LittleEndian.Uint64(r[9:]))
	} else {
		e.revokedAt = int64(binary.LittleEndian.Uint32(r[1:])) + epoch
		e.invalidFrom = e.revokedAt
	}
	return e
}

// A hashKey makes hashes unpredictable. Serial numbers are partly the CA's choice,
// and who chooses them must not be able to put many into one bucket.
type hashKey [4]uint64

// sum returns the hash of a serial number, given its head.
func (k *hashKey) sum(a, b uint64, number serial) uint64 {
	h := fold(k[0]^uint64(lengthOctet(number))^a, k[1]) + k[2]
	h = fold(h^b, k[1]) + k[2]
	if len(number.octets) > narrowest {
		h = k.sumTail(h, number.octets[narrowest:])
	}
	return fold(h, k[3])
}

func (k *hashKey) sumTail(h uint64, octets []byte) uint64 {
	for len(octets) > 0 {
		var word [8]byte
		octets = octets[copy(word[:], octets):]
		h = fold(h^binary.LittleEndian.Uint64(word[:]), k[1]) + k[2]
	}
	return h
}

func (k *hashKey) hash(number serial) uint64 {
	a, b := number.head()
	return k.sum(a, b, number)
}

// head returns the first 16 octets, with zeros behind those of a shorter one.
func (s serial) head() (a, b uint64) {
	if len(s.octets) < narrowest {
		return s.shortHead()
	}
	return binary.LittleEndian.Uint64(s.octets), binary.LittleEndian.Uint64(s.octets[8:])
}

func (s serial) shortHead() (a, b uint64) {
	var room [narrowest]byte
	copy(room[:], s.octets)
	return binary.LittleEndian.Uint64(room[:]), binary.LittleEndian.Uint64(room[8:])
}

// fold mixes by a product of twice the width; the key is odd and never zero.
func fold(a, key uint64) uint64 {
	hi, lo := bits.Mul64(a, key)
	return hi ^ lo
}

// A partition is staged in pages that hold perPage records each, the last one fewer.
type partition struct {
	pages [][]byte
	free  []byte // of the last page
	count int
}

// maxPartitions bounds what is set aside before anything has been read.
const maxPartitions = 1 << 10

// newTable makes a table for about so many octets of entries, which is a hint from
// whoever wrote the list and decides only how finely it is partitioned.
func newTable(l layout, key *hashKey, hint int64) *table {
	const perEntry, perPartition = 40, 16 << 10
	n := min(max(hint/(perEntry*perPartition), 1), maxPartitions)
	parts := uint64(1) << (bits.Len64(uint64(n)) - 1)
	return &table{layout: l, key: key, parts: parts, partitions: make([]partition, parts)}
}

// partition and bucket take the bits of a hash from its two ends.
func (t *table) partition(h uint64) int { return int(h >> 32 * t.parts >> 32) }
func (t *table) bucket(h uint64) uint64 { return uint64(uint32(h)) * t.buckets >> 32 }

func (t *table) add(number serial, e entry) {
	p := &t.partitions[t.partition(t.key.hash(number))]
	if len(p.free) < t.size {
		page := make([]byte, pageBytes)
		p.pages = append(p.pages, page)
		p.free = page[:t.perPage*t.size]
	}
	r := record(p.free[:t.size])
	p.free = p.free[t.size:]
	copy(r[:t.width], number.octets)
	r[t.width] = lengthOctet(number)
	t.setEntry(r, e)
	p.count++
	t.count++
}
