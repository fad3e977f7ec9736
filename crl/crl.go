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
// together cover all reasons; [Store.Status] says when. Delta CRLs are not fetched
// from where freshestCRL says that they are.
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

// The defaults of Config. A minute is what 20 MB take at 3 Mbit/s; 512 MiB hold
// the complete lists of all generations with many partitions. MOICA issues two
// lists a day; asking every hour whether there is a new one costs a few hundred
// bytes. Four superseded lists are two days.
const (
	DefaultTimeout         = time.Minute
	DefaultMaxHeldBytes    = 512 << 20
	DefaultRefreshInterval = time.Hour
	DefaultKeepSuperseded  = 4
)

// MinIndexKey is the size of an HMAC-SHA-256 key at full strength, in bytes.
const MinIndexKey = 32

// Bounds on what a certificate or a signer can make a Store do.
const (
	maxURLs     = 4
	maxSupplied = 16
)

// Config says where a Store may fetch lists, and what it holds. It must not be
// modified after [New].
type Config struct {
	// AllowedHosts are the hosts at which lists may be: domain names, which stand
	// for all hosts below them too, as long as their addresses are public; IP
	// addresses or CIDR prefixes, public or not; or "localhost". No certificate
	// leads anywhere else. If empty, the network is not used.
	AllowedHosts []string

	// HTTPClient is used in place of a client whose connections are checked
	// against AllowedHosts after names have been resolved: with a client of the
	// caller's only the names in URLs are. It is copied; the copy follows no
	// redirects.
	HTTPClient *http.Client

	// Offline keeps the Store from using the network. It then knows the lists
	// that were added and those that come with a query.
	Offline bool

	// Timeout bounds one fetch. If zero, DefaultTimeout.
	Timeout time.Duration

	// MaxBytes bounds one list. If zero, DefaultMaxBytes.
	MaxBytes int

	// MaxHeldBytes bounds the sum of the lists held, in bytes of DER; the indexes
	// take about half as much again. The one unused for longest goes first. If
	// zero, DefaultMaxHeldBytes. With Dir, the DER is read when first it becomes
	// evidence.
	MaxHeldBytes int

	// Dir is a directory for lists and their indexes, or empty: then they are held
	// in memory alone. It is made if it does not exist. Lists are verified again when
	// they are loaded, and no older list takes their place. A directory that cannot
	// be used costs a fetch, and is logged.
	//
	// It has to be this user's own. Who can write to it can bring in nothing that was
	// not signed, but can bring back an old list, or the list of another partition in
	// place of one that has no scope, as who controls the network can.
	Dir string

	// IndexKey authenticates indexes saved in Dir, of at least MinIndexKey random
	// bytes; processes that share Dir share it. It belongs where secrets are kept, not
	// into Dir: an index says what a signed list says, and whoever can write one with
	// this key can make a revoked certificate good. If nil, no index is saved, and a
	// start reads the lists instead: 0.1 s for a million entries.
	IndexKey []byte

	// KeepSuperseded is how many lists Dir keeps for each place besides the newest
	// one, for [Store.Original]. If zero, DefaultKeepSuperseded; if negative, none.
	KeepSuperseded int

	// Folder, if not nil, has the lists in place of the network, where [FolderName]
	// says: for a service without a network whose operator brings the lists, for
	// example with wget -x. It is looked at when a list is needed and at every
	// refresh. [os.DirFS] makes one of a directory. AllowedHosts and Offline then
	// mean nothing.
	Folder fs.FS

	// RefreshInterval is how often newer lists are asked for in the background, once
	// a list has been used; in the last quarter of its time a list is asked for in
	// any case. Every wait is shortened by a random part. If zero,
	// DefaultRefreshInterval; if negative, lists are fetched only when they are
	// needed.
	RefreshInterval time.Duration

	// Now is the clock for queries that do not bring their own. If nil, time.Now.
	Now func() time.Time

	// Algorithms says which signatures are accepted, as they are at the instant of
	// judgement. It is that of verify.Config.
	Algorithms verify.AlgorithmPolicy

	// InsecureAllowSHA1 admits lists signed with SHA-1, and RSA keys from 1024 bits,
	// at any instant. Algorithms must be left zero.
	InsecureAllowSHA1 bool

	// Log is told what goes wrong without changing an answer. If nil, nobody is.
	Log *slog.Logger
}

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

	fetches *fetch.Group[shelfKey, *holding]
	loads   *fetch.Group[shelfKey, struct{}]
	repairs *fetch.Group[shelfKey, *List]

	closing  context.Context
	close    context.CancelFunc
	starting sync.Once
	running  sync.WaitGroup
}

var _ verify.StatusSource = (*Store)(nil)

// New returns a Store. Close it after use.
func New(cfg Config) (*Store, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
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
		cfg:     cfg,
		policy:  policy,
		log:     cfg.Log,
		guard:   guard,
		http:    guard.Client(cfg.HTTPClient),
		shelf:   newShelf(cfg.MaxHeldBytes),
		fetches: fetch.NewGroup[shelfKey, *holding](cfg.Timeout),
		loads:   fetch.NewGroup[shelfKey, struct{}](cfg.Timeout),
		repairs: fetch.NewGroup[shelfKey, *List](cfg.Timeout),
	}
	if cfg.Dir != "" {
		s.dir = &directory{cfg.Dir, cfg.IndexKey, int64(cfg.MaxBytes), max(cfg.KeepSuperseded, 0), cfg.Log}
	}
	s.closing, s.close = context.WithCancel(context.Background())
	return s, nil
}

// check checks what is configured and returns the policy.
func (cfg *Config) check() (algorithm.Policy, error) {
	switch {
	case cfg.Timeout < 0 || cfg.MaxBytes < 0 || cfg.MaxHeldBytes < 0:
		return algorithm.Policy{}, errors.New("crl: Timeout, MaxBytes or MaxHeldBytes is negative")
	case cfg.IndexKey != nil && len(cfg.IndexKey) < MinIndexKey:
		return algorithm.Policy{}, fmt.Errorf("crl: IndexKey has %d bytes, want at least %d", len(cfg.IndexKey), MinIndexKey)
	case cfg.IndexKey != nil && cfg.Dir == "":
		return algorithm.Policy{}, errors.New("crl: IndexKey without Dir")
	}
	return choosePolicy(cfg.Algorithms, cfg.InsecureAllowSHA1, cfg.Now())
}

// Close cancels the fetches in flight and waits for them, and for the listeners of
// Changes. Lists that are held stay usable.
func (s *Store) Close() error {
	s.close()
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
// the query, and, unless one of them settles it, those of the certificate's
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
	a.supplied()
	a.added()
	a.held(ctx)
	if !q.HeldOnly && !a.settled() {
		a.live(ctx)
	}
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
		a.judge(l, verify.RungHeld, "supplied", a.store.options(a.query, JudgeOptions{}))
	}
}

// added judges the operator's lists of this issuer.
func (a *inquiry) added() {
	for _, h := range a.store.shelf.added() {
		opts := a.store.options(a.query, JudgeOptions{From: h.from, Complete: h.from == ""})
		if _, err := h.list.signers(a.query.Cert, a.query.Issuer, &opts); err != nil {
			continue // another CA's
		}
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
