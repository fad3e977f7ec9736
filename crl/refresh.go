package crl

import (
	"context"
	"math/rand/v2"
	"time"
)

// tick is how often it is looked what is due. It is short, so that a clock that
// has been set is noticed.
const tick = time.Minute

// startRefresh starts the goroutine that asks for newer lists, if there is none
// yet. Close ends it.
func (s *Store) startRefresh() {
	if !s.online() || s.cfg.RefreshInterval < 0 {
		return
	}
	s.starting.Do(func() { s.running.Go(s.refreshLoop) })
}

func (s *Store) refreshLoop() {
	ticker := time.NewTicker(min(tick, max(s.cfg.RefreshInterval/4, time.Millisecond)))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.refresh(s.closing)
		case <-s.closing.Done():
			return
		}
	}
}

// refresh asks for the lists that are due, one after the other. One that fails is
// due again soon, and stays as it is in the meantime.
func (s *Store) refresh(ctx context.Context) {
	for key, h := range s.shelf.held.Load().fetched {
		now := s.cfg.Now()
		if now.Before(h.due) || ctx.Err() != nil {
			continue
		}
		q := h.query
		q.At, q.Now = now, now
		_, err := s.fetches.Do(ctx, key, func(ctx context.Context) (*holding, error) { return s.get(ctx, q, key) })
		if err != nil && ctx.Err() == nil {
			s.log.Warn("crl: list not refreshed", "url", key.url, "error", err)
			s.postpone(key, h)
		}
	}
}

// nextDue returns when to ask for a newer list: after the interval, or in the last
// quarter of the list's time if that is sooner. Servers that were started together
// do not ask together.
func (s *Store) nextDue(h *holding) time.Time {
	now := s.cfg.Now()
	due := now.Add(between(s.cfg.RefreshInterval*3/4, s.cfg.RefreshInterval))
	if l := h.list; !l.NextUpdate.IsZero() {
		quarter := l.NextUpdate.Sub(l.ThisUpdate) / 4
		ahead := l.NextUpdate.Add(-between(quarter/2, quarter))
		if ahead.Before(due) {
			// In that time already: nobody has issued a newer one yet.
			due = later(ahead, now.Add(between(firstRetry/2, firstRetry)))
		}
	}
	return due
}

// firstRetry bounds the wait after the first failure; it doubles with each one, up
// to the interval, and the wait is anything up to that ("full jitter").
const firstRetry = time.Minute

func (s *Store) postpone(key shelfKey, h *holding) {
	limit := min(firstRetry<<min(h.failures, 20), max(s.cfg.RefreshInterval, firstRetry))
	again := &holding{list: h.list, query: h.query, validators: h.validators, failures: h.failures + 1,
		due: s.cfg.Now().Add(between(limit/20, limit))}
	s.shelf.replace(key, h, again)
}

// between returns a random duration.
func between(a, b time.Duration) time.Duration {
	return a + rand.N(max(b-a, 1))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
