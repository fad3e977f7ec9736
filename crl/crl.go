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
package crl

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// The defaults of Config. A minute is what 20 MB take at 3 Mbit/s; 512 MiB hold
// the complete lists of all generations with many partitions.
const (
	DefaultTimeout      = time.Minute
	DefaultMaxHeldBytes = 512 << 20
)

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

	// MaxHeldBytes bounds the sum of the lists held, in bytes of DER; the index
	// takes about twice that again. The one unused for longest goes first. If
	// zero, DefaultMaxHeldBytes.
	MaxHeldBytes int

	// Now is the clock for queries that do not bring their own. If nil, time.Now.
	Now func() time.Time

	// InsecureAllowSHA1 admits lists signed with SHA-1.
	InsecureAllowSHA1 bool
}

// A Store is a [verify.StatusSource] that holds revocation lists. Its methods
// may be called concurrently.
type Store struct {
	cfg     Config
	guard   *fetch.Guard
	http    *http.Client
	shelf   *shelf
	fetches *fetch.Group[shelfKey, *List]
}

var _ verify.StatusSource = (*Store)(nil)

// New returns a Store. Close it after use.
func New(cfg Config) (*Store, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, DefaultMaxBytes)
	cfg.MaxHeldBytes = cmp.Or(cfg.MaxHeldBytes, DefaultMaxHeldBytes)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Timeout < 0 || cfg.MaxBytes < 0 || cfg.MaxHeldBytes < 0 {
		return nil, errors.New("crl: Timeout, MaxBytes or MaxHeldBytes is negative")
	}
	guard, err := fetch.NewGuard(cfg.AllowedHosts)
	if err != nil {
		return nil, fmt.Errorf("crl: %v", err)
	}
	return &Store{
		cfg:     cfg,
		guard:   guard,
		http:    guard.Client(cfg.HTTPClient),
		shelf:   newShelf(cfg.MaxHeldBytes),
		fetches: fetch.NewGroup[shelfKey, *List](cfg.Timeout),
	}, nil
}

// Close cancels the fetches in flight and waits for them.
func (s *Store) Close() error {
	s.fetches.Close()
	if s.cfg.HTTPClient == nil {
		s.http.CloseIdleConnections()
	}
	return nil
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
	a.held()
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
	opts.InsecureAllowSHA1 = s.cfg.InsecureAllowSHA1
	opts.SeparateCRLKeys, opts.CRLIssuers = q.SeparateCRLKeys, q.CRLIssuers
	return opts
}

// judge notes what a list says. source is for people.
func (a *inquiry) judge(l *List, rung verify.Rung, source string, opts JudgeOptions) {
	r, err := l.read(a.query.Cert, a.query.Issuer, &opts)
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

// held judges the lists that were fetched before.
func (a *inquiry) held() {
	for _, url := range urls(a.query.Cert) {
		if l := a.store.shelf.get(shelfKey{a.issuer, url}); l != nil {
			a.judge(l, verify.RungHeld, url, a.store.options(a.query, JudgeOptions{From: url}))
		}
	}
}

// urls returns where the certificate says its lists are.
func urls(cert *x509.Certificate) []string {
	return cert.CRLDistributionPoints[:min(len(cert.CRLDistributionPoints), maxURLs)]
}
