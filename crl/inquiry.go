package crl

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// An inquiry collects what a Store learns for one query.
type inquiry struct {
	store    *Store
	query    verify.StatusQuery
	issuer   revocation.KeyID
	readings []*reading
	errs     []error
}

// settled reports whether more lists can add nothing.
func (a *inquiry) settled() bool {
	reports, _ := combine(a.query, a.readings)
	return revocation.Settled(a.query, reports)
}

func (a *inquiry) fail(err error) { a.errs = append(a.errs, fmt.Errorf("crl: %w", err)) }

// options completes those of one list by what the configuration and the query say.
func (s *Store) options(q verify.StatusQuery, opts JudgeOptions) JudgeOptions {
	opts.policy = &s.policy
	opts.At = q.At
	opts.SeparateCRLKeys, opts.CRLIssuers = q.SeparateCRLKeys, q.CRLIssuers
	return opts
}

// judge notes what a list says. source is for people.
func (a *inquiry) judge(l *List, rung verify.Rung, source string, opts JudgeOptions) {
	r, err := l.read(a.query.Cert, a.query.Issuer, &opts)
	a.note(r, err, rung, source)
}

func (a *inquiry) note(r *reading, err error, rung verify.Rung, source string) {
	if err != nil {
		a.fail(fmt.Errorf("list %s: %w", source, err))
		return
	}
	r.report.Rung, r.report.Source = rung, source
	a.readings = append(a.readings, r)
}

// supplied judges the lists that came with the query. They are not held, and
// nobody vouches for them: without a scope, what is not on them is not good.
func (a *inquiry) supplied() {
	n := 0
	for _, evidence := range a.query.Supplied {
		if evidence.Kind != verify.CRLEvidence {
			continue
		}
		if n++; n > maxSupplied {
			a.fail(revocation.Refuse(verify.ReasonLimit, "more than %d lists supplied", maxSupplied))
			return
		}
		l, err := parse(evidence.DER, a.store.cfg.MaxBytes)
		if err != nil {
			a.fail(fmt.Errorf("supplied list: %w", err))
			continue
		}
		a.judge(l, verify.RungHeld, verify.SourceSupplied, a.store.options(a.query, JudgeOptions{}))
	}
}

// added judges the operator's lists of this issuer.
func (a *inquiry) added() {
	for _, h := range a.store.shelf.added(a.query.Cert.RawIssuer) {
		opts := a.store.options(a.query, JudgeOptions{From: h.from, Complete: h.from == ""})
		if _, err := h.list.signers(a.query.Cert, a.query.Issuer, &opts); err != nil {
			continue // another key's
		}
		a.store.shelf.touch(h)
		a.judge(h.list, verify.RungHeld, cmp.Or(h.from, "added"), opts)
	}
}

// held judges the lists that were fetched before, by this process or another.
func (a *inquiry) held(ctx context.Context) {
	for _, url := range urls(a.query.Cert) {
		key := shelfKey{a.issuer, url}
		h := a.store.shelf.get(key)
		if h == nil {
			a.store.load(ctx, a.query, key)
			h = a.store.shelf.get(key)
		}
		if h == nil {
			continue
		}
		opts := a.store.options(a.query, JudgeOptions{From: url})
		r, err := h.list.read(a.query.Cert, a.query.Issuer, &opts)
		if errors.Is(err, errDamaged) {
			var l *List
			if l, err = a.store.repair(ctx, key, h); err == nil {
				r, err = l.read(a.query.Cert, a.query.Issuer, &opts)
			} else {
				h.lost.Store(true)
			}
		}
		a.note(r, err, verify.RungHeld, url)
	}
}

// urls returns where the certificate says its lists are.
func urls(cert *x509.Certificate) []string {
	return cert.CRLDistributionPoints[:min(len(cert.CRLDistributionPoints), maxURLs)]
}
