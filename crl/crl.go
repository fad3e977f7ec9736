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
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"

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
	policy, err := cfg.complete()
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
// pass what came with a signature. The Store keeps the list, which must not be
// modified. Errors are those of [Parse].
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
