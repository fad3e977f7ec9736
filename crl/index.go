package crl

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"runtime"
)

// errDamaged is the error about an index that is not what was saved.
var errDamaged = errors.New("index is damaged")

// An index finds what a list says about a serial number: exactly, in one or two
// places of the memory, without allocating. It takes about 23 octets for an entry
// with a serial number of up to 16 octets. It is immutable after finish, and safe
// for concurrent use.
type index struct {
	key    hashKey
	hint   int64
	tables [len(layouts)]*table
	count  int         // distinct serial numbers
	saved  *savedPages // or nil
}

// newIndex makes an index for about so many octets of entries.
func newIndex(hint int64) *index {
	x := &index{hint: hint}
	var random [8 * len(x.key)]byte
	rand.Read(random[:]) // never fails
	for i := range x.key {
		x.key[i] = binary.LittleEndian.Uint64(random[8*i:]) | 1
	}
	return x
}

// narrow returns which of the narrow tables has room for the serial number, or the
// wide one.
func narrow(number serial) int {
	for i := range layouts {
		if len(number.octets) <= layouts[i].width {
			return i
		}
	}
	return wideTable
}

func (x *index) add(number serial, e entry) {
	i := narrow(number)
	if !layouts[i].fits(number, e) {
		i = wideTable
	}
	x.addTo(i, number, e)
}

func (x *index) addTo(i int, number serial, e entry) {
	if x.tables[i] == nil {
		x.tables[i] = newTable(layouts[i], &x.key, x.hint)
	}
	x.tables[i].add(number, e)
}

// finish ends the adding.
func (x *index) finish() {
	for i := range x.tables { // the last of which may come to be on the way
		t := x.tables[i]
		if t == nil {
			continue
		}
		t.finish(func(number serial, e entry) { x.addTo(wideTable, number, e) })
		if i != wideTable {
			x.count += t.count
		}
	}
	if x.tables[wideTable] == nil {
		return
	}
	// Nothing has been saved yet, so that nothing can be damaged.
	_ = x.tables[wideTable].each(func(number serial, _ entry) error {
		i := narrow(number)
		if _, twice, _ := x.in(i, number); i == wideTable || !twice {
			x.count++
		}
		return nil
	})
}

// lookup returns what the list says about a serial number. The narrow tables hold
// nearly all, and the wide one may know worse.
func (x *index) lookup(number serial) (found entry, listed bool, err error) {
	defer runtime.KeepAlive(x) // as long as its pages are looked at
	i := narrow(number)
	if i != wideTable {
		if found, listed, err = x.in(i, number); err != nil {
			return found, false, err
		}
	}
	wide, also, err := x.in(wideTable, number)
	switch {
	case err != nil:
		return wide, false, err
	case listed && also:
		return found.merge(wide), true, nil
	case also:
		return wide, true, nil
	}
	return found, listed, nil
}

// intact reports whether what lookup has returned can be relied on.
func (x *index) intact() bool { return x.saved == nil || !x.saved.changed() }

func (x *index) in(i int, number serial) (entry, bool, error) {
	t := x.tables[i]
	if t == nil {
		return entry{}, false, nil
	}
	var room [maxSerial + 1]byte
	copy(room[:t.width], number.octets)
	room[t.width] = lengthOctet(number)
	name := room[:t.width+1]
	h := x.key.sum(name[:t.width], name[t.width])
	at := t.partition(h)*int(t.buckets+1) + int(t.bucket(h))
	slot, err := t.slot(at)
	if err != nil {
		return entry{}, false, err
	}
	end, err := t.slot(at + 1)
	if err != nil {
		return entry{}, false, err
	}
	return t.find(name, slot, end)
}

// find looks for a serial number among the records from slot to end.
func (t *table) find(name []byte, slot, end uint32) (entry, bool, error) {
	first := binary.LittleEndian.Uint64(name) // tells nearly all apart
	for slot < end {
		page, err := t.page(slot >> slotBits)
		if err != nil {
			return entry{}, false, err
		}
		i := int(slot & (1<<slotBits - 1))
		last := t.perPage
		if slot>>slotBits == end>>slotBits {
			last = int(end & (1<<slotBits - 1))
		}
		if i > last || last*t.size > len(page) {
			return entry{}, false, errDamaged
		}
		for records := page[i*t.size : last*t.size]; len(records) >= t.size; records = records[t.size:] {
			r := record(records[:t.size])
			if binary.LittleEndian.Uint64(r) == first && string(t.named(r)) == string(name) {
				return t.entry(r), true, nil
			}
		}
		slot = (slot>>slotBits + 1) << slotBits
	}
	return entry{}, false, nil
}

// each calls f with the records of a table until it fails. The serial numbers are
// valid during the call.
func (t *table) each(f func(serial, entry) error) error {
	for i := range t.pageCount {
		page, err := t.page(uint32(i))
		if err != nil {
			return err
		}
		for ; len(page) >= t.size; page = page[t.size:] {
			r := record(page[:t.size])
			if r[t.width]&^negativeBit == 0 {
				break // what fills the page up
			}
			if err := f(t.serial(r), t.entry(r)); err != nil {
				return err
			}
		}
	}
	return nil
}

// each calls f once for each serial number, with what lookup returns, until it
// fails.
func (x *index) each(f func(serial, entry) error) error {
	defer runtime.KeepAlive(x)
	for i, t := range x.tables {
		if t == nil {
			continue
		}
		err := t.each(func(number serial, e entry) error {
			other := wideTable
			if i == wideTable {
				other = narrow(number)
			}
			if i == other {
				return f(number, e)
			}
			more, also, err := x.in(other, number)
			switch {
			case err != nil:
				return err
			case also && i == wideTable:
				return nil // the narrow table has told of it
			case also:
				e = e.merge(more)
			}
			return f(number, e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
