package signin

import (
	"bytes"
	"container/heap"
	"context"
	"sync"
	"time"
)

// Bounds of a MemoryStore. Challenges cost nothing to ask for, so their number
// is what an attacker can drive up; at some 400 bytes each they come to 40 MB.
// A denial costs a session, and that a card. A kept certificate has up to 2 KB,
// and there is one for each citizen of the last half hour.
const (
	MaxChallenges   = 100_000
	MaxDenials      = 1_000_000
	MaxCertificates = 100_000
)

// A MemoryStore keeps challenges, denials and certificates in the memory of one
// process. When it is full it says so and never drops a live entry: dropped
// challenges would lock citizens out, dropped denials would bring ended sessions
// back. A restart forgets all, so open challenges are refused, and sessions, also
// ended ones, live on until their token expires and cannot be renewed. The zero
// value is ready to use.
type MemoryStore struct {
	// Now is the clock. If nil, time.Now.
	Now func() time.Time

	challenges   expiring[[]byte]
	denials      expiring[time.Time] // by key: sessions begun until then
	certificates expiring[[]byte]
}

var (
	_ ChallengeStore = (*MemoryStore)(nil)
	_ SessionStore   = (*MemoryStore)(nil)
)

func (m *MemoryStore) clock() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Put implements [ChallengeStore].
func (m *MemoryStore) Put(_ context.Context, key string, value []byte, expiry time.Time) error {
	return m.challenges.put(key, expiry, m.clock(), MaxChallenges, func([]byte) []byte { return value })
}

// Take implements [ChallengeStore].
func (m *MemoryStore) Take(_ context.Context, key string) ([]byte, error) {
	value, ok := m.challenges.take(key)
	if !ok {
		return nil, ErrNotFound
	}
	return value, nil
}

// Deny implements [SessionStore].
func (m *MemoryStore) Deny(_ context.Context, key string, begunUntil, until time.Time) error {
	return m.denials.put(key, until, m.clock(), MaxDenials, func(old time.Time) time.Time {
		if old.After(begunUntil) {
			return old
		}
		return begunUntil
	})
}

// Denied implements [SessionStore].
func (m *MemoryStore) Denied(_ context.Context, begun time.Time, keys ...string) (bool, error) {
	for _, key := range keys {
		if begunUntil, _, ok := m.denials.get(key); ok && !begun.After(begunUntil) {
			return true, nil
		}
	}
	return false, nil
}

// Keep implements [SessionStore].
func (m *MemoryStore) Keep(_ context.Context, key string, certificate []byte, until time.Time) error {
	return m.certificates.put(key, until, m.clock(), MaxCertificates, func(old []byte) []byte {
		if old != nil {
			return old
		}
		return bytes.Clone(certificate)
	})
}

// Kept implements [SessionStore].
func (m *MemoryStore) Kept(_ context.Context, key string) ([]byte, error) {
	certificate, until, ok := m.certificates.get(key)
	if !ok || !m.clock().Before(until) {
		return nil, ErrNotFound
	}
	return bytes.Clone(certificate), nil
}

// expiring is a bounded map whose entries end. Each put removes what has ended,
// oldest first, so nothing needs to run in the background.
type expiring[V any] struct {
	mu      sync.Mutex
	entries map[string]*entry[V]
	queue   queue[V]
}

type entry[V any] struct {
	key    string
	value  V
	expiry time.Time
	index  int // in the queue
}

// put stores what merge makes of the value under key, or of the zero value. An
// entry that exists is kept at least as long as before.
func (m *expiring[V]) put(key string, expiry, now time.Time, limit int, merge func(old V) V) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.purge(now)
	if e, ok := m.entries[key]; ok {
		e.value = merge(e.value)
		if expiry.After(e.expiry) {
			e.expiry = expiry
			heap.Fix(&m.queue, e.index)
		}
		return nil
	}
	if len(m.entries) >= limit {
		return ErrStoreFull
	}
	e := m.add(key, expiry)
	e.value = merge(e.value)
	return nil
}

// update stores what change makes of the value under key, or of the zero value
// with the expiry given. If there is no room the entry that ends first makes it:
// this is for what is better forgotten than refused.
func (m *expiring[V]) update(key string, expiry, now time.Time, limit int, change func(old V, expiry time.Time) V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.purge(now)
	e, ok := m.entries[key]
	if !ok {
		if len(m.entries) >= limit {
			m.remove(m.queue[0])
		}
		e = m.add(key, expiry)
	}
	e.value = change(e.value, e.expiry)
}

// purge removes what has ended.
func (m *expiring[V]) purge(now time.Time) {
	for len(m.queue) > 0 && !now.Before(m.queue[0].expiry) {
		m.remove(m.queue[0])
	}
}

func (m *expiring[V]) add(key string, expiry time.Time) *entry[V] {
	if m.entries == nil {
		m.entries = make(map[string]*entry[V])
	}
	e := &entry[V]{key: key, expiry: expiry}
	m.entries[key] = e
	heap.Push(&m.queue, e)
	return e
}

func (m *expiring[V]) take(key string) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok {
		return value, false
	}
	m.remove(e)
	return e.value, true
}

func (m *expiring[V]) get(key string) (value V, expiry time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	if !ok {
		return value, expiry, false
	}
	return e.value, e.expiry, true
}

func (m *expiring[V]) remove(e *entry[V]) {
	heap.Remove(&m.queue, e.index)
	delete(m.entries, e.key)
}

// queue is a heap (container/heap) with the entry that ends first in front.
type queue[V any] []*entry[V]

func (q queue[V]) Len() int           { return len(q) }
func (q queue[V]) Less(i, j int) bool { return q[i].expiry.Before(q[j].expiry) }

func (q queue[V]) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue[V]) Push(x any) {
	e := x.(*entry[V])
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue[V]) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}
