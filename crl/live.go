package crl

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// live fetches the lists of the certificate, the partition's before the complete
// one as the certificate has them, until one settles the query. A list that is
// held and current is not fetched again, whatever instant the query is about:
// there is no newer one.
func (a *inquiry) live(ctx context.Context) {
	if a.store.cfg.Offline || len(a.store.cfg.AllowedHosts) == 0 {
		a.fail(revocation.Refuse(verify.ReasonStatusUnavailable, "the network is not used"))
		return
	}
	addresses := urls(a.query.Cert)
	if len(addresses) == 0 {
		a.fail(revocation.Refuse(verify.ReasonStatusUnavailable, "certificate names no list"))
	}
	for i, address := range addresses {
		key := shelfKey{a.issuer, address}
		if l := a.store.shelf.get(key); l != nil && revocation.CurrentNow(a.query, l.report(a.query.Issuer)) {
			continue
		}
		l, err := a.store.fetch(ctx, a.query, key)
		if err != nil {
			a.fail(err)
			continue
		}
		rung := l.rung()
		if i < len(addresses)-1 {
			rung = verify.RungPartitionCRL // by its place; it may have no scope that says so
		}
		a.judge(l, rung, address, a.store.options(a.query, JudgeOptions{From: address}))
		if a.settled() {
			return
		}
	}
}

// fetch returns the list at a URL, newly fetched and verified, or joins those who
// are fetching it.
func (s *Store) fetch(ctx context.Context, q verify.StatusQuery, key shelfKey) (*List, error) {
	l, err := s.fetches.Do(ctx, key, func(ctx context.Context) (*List, error) {
		// Another fetch may have ended after the caller looked and before it came here.
		if l := s.shelf.get(key); l != nil && revocation.CurrentNow(q, l.report(q.Issuer)) {
			return l, nil
		}
		l, err := s.get(ctx, q, key.url)
		if err != nil {
			return nil, err
		}
		return l, s.shelf.put(key, l)
	})
	if l == nil && ctx.Err() != nil {
		return nil, revocation.Refuse(verify.ReasonCanceled, "waiting for the list: %w", context.Cause(ctx))
	}
	switch {
	case errors.Is(err, fetch.ErrClosed):
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	case err != nil:
		return nil, fmt.Errorf("fetching %s: %w", key.url, err)
	}
	return l, nil
}

// get fetches one list. What is not the list this certificate asked for must not
// take the place of one that is, so everything is checked before it is held.
func (s *Store) get(ctx context.Context, q verify.StatusQuery, address string) (*List, error) {
	u, err := s.guard.URL(address)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	}
	body, err := fetch.Body(s.http, req, int64(s.cfg.MaxBytes))
	if _, ok := errors.AsType[*fetch.SizeError](err); ok {
		return nil, revocation.Refuse(verify.ReasonLimit, "%w", err)
	}
	if err != nil {
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", err)
	}
	l, err := parse(body, s.cfg.MaxBytes)
	if err != nil {
		return nil, err
	}
	opts := s.options(q, JudgeOptions{From: address})
	if _, _, err := l.check(q.Cert, q.Issuer, &opts); err != nil {
		return nil, err
	}
	if l.ThisUpdate.After(q.Now.Add(verify.DefaultSkew)) {
		return nil, revocation.Refuse(verify.ReasonStatusStale, "thisUpdate %s is in the future", l.ThisUpdate)
	}
	return l, nil
}
