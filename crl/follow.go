package crl

import (
	"context"
	"sync"
	"time"
)

// maxFollowed bounds what is remembered of lists that could not be had. A CA has some
// hundred partitions.
const maxFollowed = 4096

// followed paces the lists that are learned for listeners: when each was last tried.
type followed struct {
	mu    sync.Mutex
	tried map[shelfKey]time.Time
}

func (f *followed) lately(key shelfKey, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, ok := f.tried[key]
	return ok && now.Sub(last).Abs() < firstRetry
}

func (f *followed) note(key shelfKey, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.tried[key]; f.tried == nil || !ok && len(f.tried) >= maxFollowed {
		f.tried = map[shelfKey]time.Time{} // some are tried sooner
	}
	f.tried[key] = now
}

// follow has the lists of a certificate learned in the background, if none is held
// and somebody listens to changes: where a responder has answered, nobody would ask
// for a list, and listeners would never be told.
func (a *inquiry) follow(ctx context.Context) {
	s := a.store
	addresses := urls(a.query.Cert)
	if len(addresses) == 0 || !s.online() || !s.changes.heard() {
		return
	}
	for _, url := range addresses {
		if s.shelf.get(shelfKey{a.issuer, url}) != nil {
			return // and is refreshed
		}
	}
	key := shelfKey{a.issuer, addresses[0]}
	if s.followed.lately(key, s.cfg.Now()) {
		return
	}
	q := a.query
	q.HeldOnly, q.Supplied, q.At = false, nil, q.Now
	s.follows.Start(ctx, key, func(ctx context.Context) (struct{}, error) {
		s.followed.note(key, s.cfg.Now())
		if _, err := s.Status(ctx, q); err != nil {
			s.log.Warn("crl: list not learned for who listens to changes", "url", key.url, "error", err)
		}
		return struct{}{}, nil
	})
}

// heard reports whether anybody listens.
func (c *changes) heard() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.listeners) > 0
}
