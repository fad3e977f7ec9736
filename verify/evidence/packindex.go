package evidence

import (
	"encoding/binary"
	"iter"
)

// A packIndex says where objects may be: an open hash table of 16 bytes for each,
// three quarters full at most. What is at an offset, the header there tells.
type packIndex struct {
	slots []packSlot // a power of two
	n     int
}

type packSlot struct {
	prefix uint64 // the first bytes of the hash
	at     int64  // 0: empty, since a pack does not begin with an object
}

const firstSlots = 64

func (x *packIndex) add(hash Hash, at int64) {
	if 4*(x.n+1) > 3*len(x.slots) {
		x.grow()
	}
	x.place(packSlot{binary.BigEndian.Uint64(hash[:]), at})
	x.n++
}

func (x *packIndex) grow() {
	old := x.slots
	x.slots = make([]packSlot, max(firstSlots, 2*len(old)))
	for _, s := range old {
		if s.at != 0 {
			x.place(s)
		}
	}
}

func (x *packIndex) place(s packSlot) {
	mask := uint64(len(x.slots) - 1)
	for i := s.prefix & mask; ; i = (i + 1) & mask {
		if x.slots[i].at == 0 {
			x.slots[i] = s
			return
		}
	}
}

// candidates are the offsets at which an object may be.
func (x *packIndex) candidates(hash Hash) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		if len(x.slots) == 0 {
			return
		}
		prefix, mask := binary.BigEndian.Uint64(hash[:]), uint64(len(x.slots)-1)
		for i := prefix & mask; x.slots[i].at != 0; i = (i + 1) & mask {
			if x.slots[i].prefix == prefix && !yield(x.slots[i].at) {
				return
			}
		}
	}
}
