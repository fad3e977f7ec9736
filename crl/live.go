package crl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// live fetches the lists of the certificate, the partition's before the complete
// one as the certificate has them, until one settles the query. A list that is
// held and current is not fetched again, whatever instant the query is about:
// there is no newer one.
func (a *inquiry) live(ctx context.Context) {
	if !a.store.online() {
		a.fail(revocation.Refuse(verify.ReasonStatusUnavailable, "the network is not used"))
		return
	}
	addresses := urls(a.query.Cert)
	if len(addresses) == 0 {
		a.fail(revocation.Refuse(verify.ReasonStatusUnavailable, "certificate names no list"))
	}
	for i, address := range addresses {
		key := shelfKey{a.issuer, address}
		if h := a.store.shelf.get(key); h != nil && h.currentNow(a.query) {
			continue
		}
		h, err := a.store.fetch(ctx, a.query, key)
		if err != nil {
			a.fail(err)
			continue
		}
		rung := h.list.rung()
		if i < len(addresses)-1 {
			rung = verify.RungPartitionCRL // by its place; it may have no scope that says so
		}
		a.judge(h.list, rung, address, a.store.options(a.query, JudgeOptions{From: address}))
		if a.settled() {
			return
		}
	}
}

// online reports whether there is anywhere to fetch lists from.
func (s *Store) online() bool {
	return s.cfg.Folder != nil || !s.cfg.Offline && len(s.cfg.AllowedHosts) > 0
}

// fetch returns the list at a URL, newly fetched and verified, or joins those who
// are fetching it.
func (s *Store) fetch(ctx context.Context, q verify.StatusQuery, key shelfKey) (*holding, error) {
	h, err := s.fetches.Do(ctx, key, func(ctx context.Context) (*holding, error) {
		// Another fetch may have ended after the caller looked and before it came here.
		if h := s.shelf.get(key); h != nil && h.currentNow(q) {
			return h, nil
		}
		if err := s.failures.get(key); err != nil {
			return nil, err
		}
		return s.get(ctx, q, key)
	})
	if h == nil && ctx.Err() != nil {
		return nil, revocation.Refuse(verify.ReasonCanceled, "waiting for the list: %w", context.Cause(ctx))
	}
	switch {
	case errors.Is(err, fetch.ErrClosed):
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	case err != nil:
		return nil, fmt.Errorf("fetching %s: %w", key.url, err)
	}
	return h, nil
}

// get fetches one list and holds it, and remembers if that was of no use.
func (s *Store) get(ctx context.Context, q verify.StatusQuery, key shelfKey) (*holding, error) {
	h, err := s.getNow(ctx, q, key)
	if s.cfg.Folder == nil {
		s.failures.note(key, err)
	}
	return h, err
}

// getNow fetches one list and holds it. If there is no newer one, the list that is
// held stays. It runs once at a time for each key.
func (s *Store) getNow(ctx context.Context, q verify.StatusQuery, key shelfKey) (*holding, error) {
	before := s.shelf.get(key)
	if before == nil {
		s.load(ctx, q, key)
		before = s.shelf.get(key)
	}
	var held validators
	if before != nil && !before.lost.Load() {
		held = before.validators
	}
	body, found, err := s.open(ctx, key.url, held)
	if errors.Is(err, errNotModified) {
		return s.hold(key, &holding{list: before.list, query: before.query, validators: held})
	}
	if err != nil {
		return nil, unavailable(err)
	}
	defer body.Close()
	if before != nil {
		makeRoom(before.list)
	}
	spool := newSpool(nil, nil)
	if s.dir != nil {
		spool = newSpool(s.dir.temp(key))
	}
	l, err := s.receive(body, q, key, spool)
	if err != nil {
		spool.discard()
		return nil, err
	}
	s.keep(key, l, spool, found)
	q.Supplied, q.HeldOnly = nil, false
	return s.hold(key, &holding{list: l, query: q, validators: found})
}

// receive reads a list. What is not the list this certificate asked for must not
// take the place of one that is, so everything is checked before it is held.
func (s *Store) receive(body io.Reader, q verify.StatusQuery, key shelfKey, spool *spool) (*List, error) {
	l, err := parseStream(newStream(io.TeeReader(derFrom(body), spool)), int64(s.cfg.MaxBytes))
	if err != nil {
		return nil, err
	}
	opts := s.options(q, JudgeOptions{From: key.url})
	if _, _, err := l.check(q.Cert, q.Issuer, &opts); err != nil {
		return nil, err
	}
	// A delta CRL does not have what the list has that it would take the place of.
	if l.DeltaBase != nil && slices.Contains(urls(q.Cert), key.url) {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "a delta CRL is where the certificate says that a list is")
	}
	if l.ThisUpdate.After(q.Now.Add(verify.DefaultSkew)) {
		return nil, revocation.Refuse(verify.ReasonStatusStale, "thisUpdate %s is in the future", l.ThisUpdate)
	}
	if before := s.shelf.get(key); before != nil {
		if err := checkRollback(before.list, l); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// keep puts a list on disk, if there is a folder for it that can be written to. It
// is the same list without.
func (s *Store) keep(key shelfKey, l *List, spool *spool, v validators) {
	spool.into(l)
	if s.dir == nil {
		return
	}
	if spool.file == nil {
		s.dir.warn("list not saved", spool.failed)
		return
	}
	if err := s.dir.store(key, l, spool, v); err != nil {
		s.dir.warn("list not saved", err)
	}
}

// load puts the newest list on the shelf that is on disk. It may be out of date,
// and then a later one is still not to go back behind it.
func (s *Store) load(ctx context.Context, q verify.StatusQuery, key shelfKey) {
	if s.dir == nil {
		return
	}
	// An error is that of a store that is closed, or of a caller who has left.
	_, _ = s.loads.Do(ctx, key, func(context.Context) (struct{}, error) {
		if s.shelf.get(key) != nil {
			return struct{}{}, nil
		}
		l, v := s.dir.load(key, func(l *List) error { return s.authentic(l, q) })
		if l == nil {
			return struct{}{}, nil
		}
		q.Supplied, q.HeldOnly = nil, false
		_, err := s.hold(key, &holding{list: l, query: q, validators: v})
		return struct{}{}, err
	})
}

// authentic checks that a list is from the issuer. Whether it covers a certificate
// is found out for each.
func (s *Store) authentic(l *List, q verify.StatusQuery) error {
	opts := s.options(q, JudgeOptions{})
	_, err := l.authenticate(q.Cert, q.Issuer, &opts)
	return err
}

// hold puts a list on the shelf, where readers find it from now on.
func (s *Store) hold(key shelfKey, h *holding) (*holding, error) {
	h.due = s.nextDue(h)
	before, err := s.shelf.put(key, h)
	if err != nil {
		return nil, err
	}
	s.startRefresh()
	if before != nil && before.list.digest != h.list.digest {
		s.changes.note(s, key, before.list, h)
	}
	return h, nil
}

// repair returns the list anew from its original, in place of one whose index has
// been damaged.
func (s *Store) repair(ctx context.Context, key shelfKey, damaged *holding) (*List, error) {
	l, err := s.repairs.Do(ctx, key, func(context.Context) (*List, error) {
		s.dir.warn("index rebuilt", errDamaged)
		if h := s.shelf.get(key); h != nil && h.list != damaged.list {
			return h.list, nil
		}
		file := damaged.list.original
		l, err := parseStream(newStream(io.NewSectionReader(file.file, 0, damaged.list.Size)), damaged.list.Size)
		if err != nil {
			return nil, err
		}
		if l.digest != damaged.list.digest {
			return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w, and so is the list", errDamaged)
		}
		l.original = file
		s.dir.reindex(key, l)
		_, err = s.hold(key, &holding{list: l, query: damaged.query, validators: damaged.validators})
		return l, err
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return l, nil
}
