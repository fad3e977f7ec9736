package crl

import (
	"bytes"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// ErrRollback is wrapped by the error about a list that goes back behind the one
// held: a lower CRLNumber, the same with other contents, or an older thisUpdate.
// The list is discarded, and it is worth an alarm.
var ErrRollback = errors.New("list goes back behind the one already held")

// A shelfKey names a list by who signs it and where it is. The issuer's name
// would not do: the generations of one CA share it.
type shelfKey struct {
	issuer revocation.KeyID
	url    string
}

// A shelf holds lists: fetched ones, which have been verified, and those the
// operator has added, which nobody has verified yet. Who reads it never waits: what
// it holds is replaced as a whole, and a list that has been replaced lives on for
// those who still look at it.
type shelf struct {
	maxBytes int
	clock    atomic.Uint64 // counts uses
	held     atomic.Pointer[holdings]

	mu   sync.Mutex // of those who write
	gone map[shelfKey]*List
}

// maxGone bounds what is remembered of lists that had to make room: so much of each
// that no older one takes its place.
const maxGone = 4096

// holdings are never modified.
type holdings struct {
	fetched map[shelfKey]*holding
	own     []*holding
	issuers *issuerIndex // of own
	bytes   int
}

// A holding is a list on the shelf. But for used and lost it is never modified.
type holding struct {
	list *List
	from string        // of one that was added
	used atomic.Uint64 // when, by shelf.clock
	lost atomic.Bool   // it cannot be read any more, neither by its index nor itself

	// Of one that was fetched:
	query      verify.StatusQuery // for which it was
	validators validators
	due        time.Time // for asking for a newer one
	failures   int       // of asking since
}

func newShelf(maxBytes int) *shelf {
	s := &shelf{maxBytes: maxBytes}
	s.held.Store(&holdings{})
	return s
}

// currentNow reports whether there is no newer list to be had.
func (h *holding) currentNow(q verify.StatusQuery) bool {
	return !h.lost.Load() && revocation.CurrentNow(q, h.list.times(q.Issuer))
}

// get returns what was fetched from a URL, or nil.
func (s *shelf) get(key shelfKey) *holding {
	h := s.held.Load().fetched[key]
	if h != nil {
		s.touch(h)
	}
	return h
}

// put holds a verified list in place of the one before it, which it returns.
func (s *shelf) put(key shelfKey, h *holding) (before *holding, err error) {
	err = s.change(h, func(held *holdings) error {
		before = held.fetched[key]
		newest := s.gone[key]
		if before != nil {
			newest = before.list
		}
		if newest != nil {
			if err := checkRollback(newest, h.list); err != nil {
				return err
			}
		}
		held.fetched[key] = h
		delete(s.gone, key)
		return nil
	})
	return before, err
}

// makeRoom is called before a list is read that takes the place of another one. The
// one before that may still lie about as garbage, and a collector that sees no need
// yet would let there be three of them. Of small ones there may be.
func makeRoom(held *List) {
	const large = 32 << 20
	if held.Size >= large {
		runtime.GC()
	}
}

// replace replaces a holding, unless another one has taken its place already.
func (s *shelf) replace(key shelfKey, h, by *holding) {
	s.change(by, func(held *holdings) error {
		if held.fetched[key] == h {
			held.fetched[key] = by
		}
		return nil
	})
}

// checkRollback compares a list with the one held from the same place, by the
// same key.
func checkRollback(held, l *List) error {
	switch {
	case l.Number.Cmp(held.Number) < 0:
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: CRLNumber %v after %v", ErrRollback, l.Number, held.Number)
	case l.Number.Cmp(held.Number) == 0 && l.digest != held.digest:
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: CRLNumber %v again with other contents", ErrRollback, l.Number)
	case l.ThisUpdate.Before(held.ThisUpdate):
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: thisUpdate %s after %s", ErrRollback,
			l.ThisUpdate.Format(time.RFC3339), held.ThisUpdate.Format(time.RFC3339))
	}
	return nil
}

// add holds a list of the operator's. Older ones stay: the instant a query is
// about may lie in their time.
func (s *shelf) add(l *List, from string) {
	h := &holding{list: l, from: from}
	s.change(h, func(held *holdings) error {
		same := func(other *holding) bool { return other.from == from && bytes.Equal(other.list.Raw, l.Raw) }
		if !slices.ContainsFunc(held.own, same) {
			held.own = append(held.own, h)
		}
		return nil
	})
}

// added returns the operator's lists that may be about certificates of an issuer.
func (s *shelf) added(rawIssuer []byte) []*holding { return s.held.Load().issuers.of(rawIssuer) }

func (s *shelf) touch(h *holding) { h.used.Store(s.clock.Add(1)) }

// change replaces what is held by a copy that f has changed, and lets lists go for
// the one to keep if they have become too many.
func (s *shelf) change(keep *holding, f func(*holdings) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.held.Load()
	held := &holdings{fetched: maps.Clone(before.fetched), own: slices.Clone(before.own), issuers: before.issuers}
	if held.fetched == nil {
		held.fetched = map[shelfKey]*holding{}
	}
	if err := f(held); err != nil {
		return err
	}
	s.touch(keep)
	held.count()
	for held.bytes > s.maxBytes && held.evict(keep) {
		held.count()
	}
	for key, h := range before.fetched {
		if held.fetched[key] == nil {
			s.remember(key, h.list)
		}
	}
	if !slices.Equal(held.own, before.own) {
		held.issuers = newIssuerIndex(held.own)
	}
	s.held.Store(held)
	return nil
}

// remember notes which list was let go.
func (s *shelf) remember(key shelfKey, l *List) {
	if s.gone == nil || len(s.gone) >= maxGone {
		s.gone = make(map[shelfKey]*List)
	}
	s.gone[key] = &List{Number: l.Number, ThisUpdate: l.ThisUpdate, digest: l.digest}
}

func (held *holdings) count() {
	held.bytes = 0
	for _, h := range held.fetched {
		held.bytes += int(h.list.Size)
	}
	for _, h := range held.own {
		held.bytes += int(h.list.Size)
	}
}

// evict drops the list that was unused for longest, but not the one to keep.
func (held *holdings) evict(keep *holding) bool {
	var oldest *holding
	older := func(h *holding) bool {
		return h != keep && (oldest == nil || h.used.Load() < oldest.used.Load())
	}
	for _, h := range held.fetched {
		if older(h) {
			oldest = h
		}
	}
	for _, h := range held.own {
		if older(h) {
			oldest = h
		}
	}
	if oldest == nil {
		return false
	}
	maps.DeleteFunc(held.fetched, func(_ shelfKey, h *holding) bool { return h == oldest })
	held.own = slices.DeleteFunc(held.own, func(h *holding) bool { return h == oldest })
	return true
}
