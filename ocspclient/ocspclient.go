// Package ocspclient asks OCSP responders (RFC 6960) whether a certificate has
// been revoked, judges what they answer, and remembers it.
//
// Most services make one [Client] and give it to verify.Config.Status:
//
//	client, err := ocspclient.New(ocspclient.Config{AllowedHosts: []string{"moi.gov.tw", "nat.gov.tw"}})
//
// [Judge] is the judgement alone, for one answer that is already at hand. It is
// a verifier of its own; what it checks is listed there.
//
// Asking is the caller's risk to bound: a certificate chooses the URL that is
// asked, so a Client goes only to hosts that the configuration lists, and has to
// be asked only about certificates whose signature has been verified. Whether an
// answer is recent enough is decided by package verify.
//
// A responder's own revocation is not looked up here: [Answer] says so where it
// matters, and a verify.Verifier asks its sources of lists. Signed requests, and
// responders trusted by configuration in place of the CA, are not supported.
package ocspclient

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// The defaults of Config. Five seconds are what a citizen waits for a sign-in
// before pressing the button again; a hundred thousand answers of two kilobytes
// are 200 MB.
const (
	DefaultTimeout    = 5 * time.Second
	DefaultMaxEntries = 100_000
)

// Bounds on what a certificate or a signer can make a Client do.
const (
	maxResponders = 3
	maxSupplied   = 16
)

// Config says whom a Client may ask, and how. It must not be modified after
// [New].
type Config struct {
	// AllowedHosts are the hosts at which responders may live: domain names,
	// which stand for all hosts below them too, as long as their addresses are
	// public; IP addresses or CIDR prefixes, public or not; or "localhost". No
	// certificate leads anywhere else. If empty, the network is not used.
	AllowedHosts []string

	// HTTPClient is used in place of a client whose connections are checked
	// against AllowedHosts after names have been resolved: with a client of the
	// caller's only the names in URLs are. It is copied; the copy follows no
	// redirects.
	HTTPClient *http.Client

	// Offline keeps the Client from using the network. It then knows only the
	// answers that come with a query.
	Offline bool

	// Nonce says how answers are bound to questions. The zero value demands the
	// nonce back. MOICA may answer without one: NonceIfEchoed.
	Nonce NoncePolicy

	// CertIDHash is crypto.SHA1 or crypto.SHA256. If zero, SHA-1, which every
	// responder understands; it identifies the certificate and signs nothing.
	CertIDHash crypto.Hash

	// Timeout bounds a question with its one retry and all fallback responders.
	// If zero, DefaultTimeout.
	Timeout time.Duration

	// MaxEntries bounds the answers held in memory; revocations are counted
	// apart. If zero, DefaultMaxEntries.
	MaxEntries int

	// Now is the clock for queries that do not bring their own. If nil, time.Now.
	Now func() time.Time

	// InsecureAllowSHA1 admits answers signed with SHA-1.
	InsecureAllowSHA1 bool
}

// A Client is a [verify.StatusSource] that asks OCSP responders. Its methods may
// be called concurrently.
type Client struct {
	cfg       Config
	guard     *fetch.Guard
	http      *http.Client
	cache     *cache
	questions *fetch.Group[cacheKey, *Answer]
}

var _ verify.StatusSource = (*Client)(nil)

// New returns a Client. Close it after use.
func New(cfg Config) (*Client, error) {
	cfg.CertIDHash = cmp.Or(cfg.CertIDHash, crypto.SHA1)
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.MaxEntries = cmp.Or(cfg.MaxEntries, DefaultMaxEntries)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.CertIDHash != crypto.SHA1 && cfg.CertIDHash != crypto.SHA256:
		return nil, fmt.Errorf("ocspclient: CertIDHash %v is neither SHA-1 nor SHA-256", cfg.CertIDHash)
	case cfg.Nonce > NonceNever:
		return nil, fmt.Errorf("ocspclient: Nonce %d is not a NoncePolicy", cfg.Nonce)
	case cfg.Timeout < 0 || cfg.MaxEntries < 0:
		return nil, errors.New("ocspclient: Timeout or MaxEntries is negative")
	}
	guard, err := fetch.NewGuard(cfg.AllowedHosts)
	if err != nil {
		return nil, fmt.Errorf("ocspclient: %v", err)
	}
	return &Client{
		cfg:       cfg,
		guard:     guard,
		http:      guard.Client(cfg.HTTPClient),
		cache:     newCache(cfg.MaxEntries),
		questions: fetch.NewGroup[cacheKey, *Answer](cfg.Timeout),
	}, nil
}

// Close cancels the questions in flight and waits for them.
func (c *Client) Close() error {
	c.questions.Close()
	if c.cfg.HTTPClient == nil {
		c.http.CloseIdleConnections()
	}
	return nil
}

// Status returns what the Client holds, what came with the query, and, unless
// one of them settles it, what the certificate's responders answer. They are
// asked in the order of the certificate until one answers; callers with the same
// question share it. There is nothing for a query with ListsOnly. Errors are
// *verify.Error, joined if there are several.
func (c *Client) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	if q.Cert == nil || q.Issuer == nil {
		return nil, errors.New("ocspclient: query without certificate or issuer")
	}
	if q.ListsOnly {
		return nil, nil
	}
	q = revocation.WithClock(q, c.cfg.Now)
	reports, errs := c.supplied(q)
	if held := c.held(keyOf(q.Cert, q.Issuer), q); held != nil {
		report := held.StatusReport
		report.Rung = verify.RungHeld
		reports = append(reports, report)
	}
	if !q.HeldOnly && !revocation.Settled(q, reports) {
		report, err := c.live(ctx, q)
		if report != nil {
			reports = append(reports, *report)
		}
		errs = append(errs, err)
	}
	revocation.Sort(q, reports)
	return reports, errors.Join(errs...)
}

// held returns the answer held about a certificate whose signer is good for the
// instant of the query, or nil.
func (c *Client) held(key cacheKey, q verify.StatusQuery) *Answer {
	held := c.cache.get(key)
	if held == nil || checkLifetime(held.Signer, held.ProducedAt, q.At) != nil {
		return nil
	}
	return held
}

// supplied judges the answers that came with the query. They are not
// remembered: what a signer chose to send is no measure for a responder.
func (c *Client) supplied(q verify.StatusQuery) (reports []verify.StatusReport, errs []error) {
	n := 0
	for _, evidence := range q.Supplied {
		if evidence.Kind != verify.OCSPEvidence {
			continue
		}
		if n++; n > maxSupplied {
			return reports, append(errs, revocation.Refuse(verify.ReasonLimit, "more than %d OCSP answers supplied", maxSupplied))
		}
		answer, err := Judge(evidence.DER, q.Cert, q.Issuer,
			JudgeOptions{At: q.At, Now: q.Now, InsecureAllowSHA1: c.cfg.InsecureAllowSHA1})
		if err != nil {
			errs = append(errs, fmt.Errorf("ocspclient: supplied answer: %w", err))
			continue
		}
		answer.Rung, answer.Source = verify.RungHeld, "supplied"
		reports = append(reports, answer.StatusReport)
	}
	return reports, errs
}
