package crl

import (
	"bytes"
	"errors"
	"sync"
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

// A shelf holds lists in memory: fetched ones, which have been verified, and
// those the operator has added, which nobody has verified yet.
type shelf struct {
	mu       sync.Mutex
	maxBytes int
	bytes    int
	clock    uint64 // counts uses
	fetched  map[shelfKey]*holding
	own      []*holding
}

type holding struct {
	list *List
	from string // of one that was added
	used uint64
}

func newShelf(maxBytes int) *shelf {
	return &shelf{maxBytes: maxBytes, fetched: map[shelfKey]*holding{}}
}

// get returns the list fetched from a URL, or nil.
func (s *shelf) get(key shelfKey) *List {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.fetched[key]
	if !ok {
		return nil
	}
	s.touch(h)
	return h.list
}

// put holds a verified list in place of the one before it.
func (s *shelf) put(key shelfKey, l *List) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.fetched[key]; ok {
		if err := checkRollback(h.list, l); err != nil {
			return err
		}
		s.bytes -= len(h.list.Raw)
	}
	h := &holding{list: l}
	s.fetched[key] = h
	s.hold(h)
	return nil
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.own {
		if h.from == from && bytes.Equal(h.list.Raw, l.Raw) {
			return
		}
	}
	h := &holding{list: l, from: from}
	s.own = append(s.own, h)
	s.hold(h)
}

// added returns the operator's lists.
func (s *shelf) added() []holding {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]holding, 0, len(s.own))
	for _, h := range s.own {
		s.touch(h)
		list = append(list, *h)
	}
	return list
}

func (s *shelf) touch(h *holding) {
	s.clock++
	h.used = s.clock
}

// hold counts a new list and lets others go for it.
func (s *shelf) hold(h *holding) {
	s.touch(h)
	s.bytes += len(h.list.Raw)
	for s.bytes > s.maxBytes && s.evict(h) {
	}
}

// evict drops the list that was unused for longest, but not the one to keep.
func (s *shelf) evict(keep *holding) bool {
	var oldest *holding
	var drop func()
	for key, h := range s.fetched {
		if h != keep && (oldest == nil || h.used < oldest.used) {
			oldest, drop = h, func() { delete(s.fetched, key) }
		}
	}
	for i, h := range s.own {
		if h != keep && (oldest == nil || h.used < oldest.used) {
			oldest, drop = h, func() { s.own = append(s.own[:i:i], s.own[i+1:]...) }
		}
	}
	if oldest == nil {
		return false
	}
	drop()
	s.bytes -= len(oldest.list.Raw)
	return true
}
