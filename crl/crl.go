// Package crl reads certificate revocation lists (RFC 5280, Section 5), judges
// what they say about a certificate, fetches and holds them.
//
// Most services make one [Store] and give it to verify.Config.Status:
//
//	store, err := crl.New(crl.Config{AllowedHosts: []string{"moi.gov.tw", "nat.gov.tw"}})
//
// [Parse] and [Judge] do one list and one certificate; what is checked is listed
// there.
//
// A Store goes only to hosts that the configuration lists, and has to be asked
// only about certificates whose signature has been verified. Whether a list is
// recent enough is decided by package verify.
//
// A delta CRL by itself can prove that a certificate is revoked, never that it is
// good. Together with the list it updates it can, and so can lists that only
// together cover all reasons; [Store.Status] says when. A Store fetches delta CRLs
// from where the freshestCRL of the certificate, or of a list, says that they are.
//
// A list is read once, as a stream, into an index of about 23 bytes for each entry;
// [Config.Dir] keeps lists and indexes on disk, for the next start and for other
// processes. Without a network, lists come from [Config.Folder]. [Store.Changes]
// tells what has been revoked since.
package crl

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// Bounds on what a certificate or a signer can make a Store do.
const (
	maxURLs     = 4
	maxSupplied = 16
)

// A Store is a [verify.StatusSource] that holds revocation lists. Its methods
// may be called concurrently.
type Store struct {
	cfg     Config
	policy  algorithm.Policy
	log     *slog.Logger
	guard   *fetch.Guard
	http    *http.Client
	shelf   *shelf
	dir     *directory // or nil
	changes changes

	failures failures

	fetches *fetch.Group[shelfKey, *holding]
	loads   *fetch.Group[shelfKey, struct{}]
	repairs *fetch.Group[shelfKey, *List]

	follows  *fetch.Group[shelfKey, struct{}]
	followed followed

	closing  context.Context
	close    context.CancelFunc
	starting sync.Once
	running  sync.WaitGroup
}

var _ verify.StatusSource = (*Store)(nil)

// New returns a Store. Close it after use.
func New(cfg Config) (*Store, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.AttemptTimeout = cmp.Or(cfg.AttemptTimeout, DefaultAttemptTimeout)
	cfg.HoldFailures = cmp.Or(cfg.HoldFailures, DefaultHoldFailures)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, DefaultMaxBytes)
	cfg.MaxHeldBytes = cmp.Or(cfg.MaxHeldBytes, DefaultMaxHeldBytes)
	cfg.RefreshInterval = cmp.Or(cfg.RefreshInterval, DefaultRefreshInterval)
	cfg.KeepSuperseded = cmp.Or(cfg.KeepSuperseded, DefaultKeepSuperseded)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	policy, err := cfg.check()
	if err != nil {
		return nil, err
	}
	guard, err := fetch.NewGuard(cfg.AllowedHosts)
	if err != nil {
		return nil, fmt.Errorf("crl: %v", err)
	}
	s := &Store{
		cfg:      cfg,
		policy:   policy,
		log:      cfg.Log,
		guard:    guard,
		http:     guard.Client(cfg.HTTPClient),
		shelf:    newShelf(cfg.MaxHeldBytes),
		failures: failures{hold: cfg.HoldFailures, held: map[shelfKey]failure{}},
		fetches:  fetch.NewGroup[shelfKey, *holding](cfg.Timeout),
		loads:    fetch.NewGroup[shelfKey, struct{}](cfg.Timeout),
		repairs:  fetch.NewGroup[shelfKey, *List](cfg.Timeout),
		follows:  fetch.NewGroup[shelfKey, struct{}](cfg.Timeout),
	}
	if cfg.Dir != "" {
		s.dir = &directory{cfg.Dir, cfg.IndexKey, int64(cfg.MaxBytes), max(cfg.KeepSuperseded, 0), cfg.Log}
	}
	s.closing, s.close = context.WithCancel(context.Background())
	return s, nil
}

// Close cancels the fetches in flight and waits for them, and for the listeners of
// Changes. Lists that are held stay usable.
func (s *Store) Close() error {
	s.close()
	s.follows.Close()
	s.fetches.Close()
	s.loads.Close()
	s.repairs.Close()
	s.running.Wait()
	if s.cfg.HTTPClient == nil {
		s.http.CloseIdleConnections()
	}
	return nil
}

// Original returns the DER of a list that is kept in Config.Dir, by the SHA-256 of
// it: the newest list of each place, and as many superseded ones as KeepSuperseded
// says. Others are an error that is [fs.ErrNotExist].
func (s *Store) Original(digest [sha256.Size]byte) ([]byte, error) {
	if s.dir == nil {
		return nil, fmt.Errorf("crl: list %x: %w", digest, fs.ErrNotExist)
	}
	der, err := s.dir.find(digest)
	if err != nil {
		return nil, fmt.Errorf("crl: list %x: %w", digest, err)
	}
	return der, nil
}

// Add holds a list, in DER or PEM, that the operator brings. It is judged like
// any other when a certificate of its issuer is asked about. from is the URL it
// stands for, as a certificate names it. If from is empty, the operator vouches
// for a list without scope that it is the complete list of its issuer: never
// pass what came with a signature.
func (s *Store) Add(list []byte, from string) error {
	if bytes.HasPrefix(list, []byte("-----BEGIN ")) {
		var err error
		if list, err = decodePEM(list); err != nil {
			return fmt.Errorf("crl: %w", err)
		}
	}
	l, err := parse(list, s.cfg.MaxBytes)
	if err != nil {
		return fmt.Errorf("crl: %w", err)
	}
	s.shelf.add(l, from)
	return nil
}

// Status returns what the lists say that the Store holds, those that came with
// the query, and, unless those held settle it, those of the certificate's
// distribution points, fetched in the order of the certificate. Callers who want
// the same list share one fetch. Errors are *verify.Error, joined if there are
// several.
//
// Lists that are all current at the instant of judgement prove together what none of
// them proves alone: each that it does not list the certificate for some reasons,
// and all that for every reason (RFC 5280, Section 6.3.3 (e)); or a list and the
// delta CRL to it the newer state of that list (Section 5.2.4), in which a hold may
// have ended. StatusReport.With then names the others. A revocation stays.
func (s *Store) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	if q.Cert == nil || q.Issuer == nil {
		return nil, errors.New("crl: query without certificate or issuer")
	}
	q = revocation.WithClock(q, s.cfg.Now)
	a := &inquiry{store: s, query: q, issuer: revocation.KeyIDOf(q.Issuer)}
	a.added()
	a.held(ctx)
	settled := a.settled()
	a.supplied()
	switch {
	case q.HeldOnly:
		a.follow(ctx)
	case !settled:
		a.live(ctx)
	}
	a.deltas(ctx)
	reports, errs := combine(q, a.readings)
	revocation.Sort(q, reports)
	return reports, errors.Join(append(a.errs, errs...)...)
}

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
