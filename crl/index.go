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
	switch n := len(number.octets); {
	case n <= narrowest:
		return 0
	case n <= narrower:
		return 1
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
	i := narrow(number)
	if found, listed, err = x.in(i, number); err != nil || i == wideTable || x.tables[wideTable] == nil {
		return found, listed, err
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

// in looks into one table: at one place in the slots, and one among the records.
// While the processor waits for either, it goes on with what comes after, as far as
// it can keep instructions in flight: so they are few, and in one place.
func (x *index) in(i int, number serial) (found entry, listed bool, err error) {
	t := x.tables[i]
	if t == nil {
		return found, false, nil
	}
	a, b := number.head()
	slot, end, err := t.bounds(x.key.sum(a, b, number))
	for err == nil && slot < end {
		var page []byte
		if t.saved == nil {
			page = t.pages[slot>>slotBits]
		} else if page, err = t.saved.page(t.first + int(slot>>slotBits)); err != nil {
			break
		}
		next := (slot>>slotBits + 1) << slotBits
		first, last := int(slot&slotMask)*t.size, len(page)
		if next > end {
			last = int(end&slotMask) * t.size
		}
		if first > last || last > len(page) {
			err = errDamaged
			break
		}
		for page = page[first:last]; len(page) >= t.size; page = page[t.size:] {
			if binary.LittleEndian.Uint64(page) == a && binary.LittleEndian.Uint64(page[8:]) == b && t.isRest(page, number) {
				found, listed, next = t.entry(page), true, end
				break
			}
		}
		slot = next
	}
	runtime.KeepAlive(t) // as long as its pages are looked at
	return found, listed, err
}

// isRest reports whether the serial number and that of the record are alike, given
// that their heads are.
func (l *layout) isRest(r record, number serial) bool {
	return r[l.width] == lengthOctet(number) && (len(number.octets) <= narrowest || string(r[narrowest:len(number.octets)]) == string(number.octets[narrowest:]))
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
