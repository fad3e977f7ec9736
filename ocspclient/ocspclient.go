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
// A Client asks once about a certificate, however many callers wait; remembers the
// signed answer until its nextUpdate, and asks anew a little before that; shares
// answers with other servers by way of a [Cache]; and leaves a responder alone that
// keeps failing, so that nobody waits for it. [Client.Prefetch] learns in advance.
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

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// The defaults of Config. Five seconds are what a citizen waits for a sign-in
// before pressing the button again, and two leave time for the lists; a hundred
// thousand answers of two kilobytes are 200 MB. A shared cache on the same network
// answers in a millisecond or two.
const (
	DefaultTimeout         = 5 * time.Second
	DefaultAttemptTimeout  = 2 * time.Second
	DefaultMaxEntries      = 100_000
	DefaultHoldFailures    = 2 * time.Second
	DefaultBreakerFailures = 3
	DefaultBreakerPause    = 15 * time.Second
	DefaultCacheTimeout    = 100 * time.Millisecond
)

// Bounds on what a certificate or a signer can make a Client do.
const (
	maxResponders = 3
	maxFallbacks  = 2
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

	// Fallbacks are the URLs of up to two responders that are asked after those of
	// the certificate have failed, on hosts of AllowedHosts. Their answers must be
	// signed by whom the issuer has certified, like any other.
	Fallbacks []string

	// AttemptTimeout bounds one request, and Timeout a question with its retries and
	// all responders. A request is repeated once, after a random pause, if the
	// connection fails or the responder has a problem that may pass (HTTP 5xx,
	// tryLater); not if it took too long. If zero, DefaultAttemptTimeout and
	// DefaultTimeout.
	AttemptTimeout, Timeout time.Duration

	// BreakerFailures is after how many failures in a row a responder is left alone, and
	// BreakerPause for how long; then one request finds out whether it is back.
	// Meanwhile errors wrap ErrLeftAlone and come at once. If zero,
	// DefaultBreakerFailures and DefaultBreakerPause.
	BreakerFailures int
	BreakerPause    time.Duration

	// HoldFailures is for how long a question that was of no use, and an answer by
	// which the responder does not know the certificate, is not repeated. If zero,
	// DefaultHoldFailures; if negative, every query asks.
	HoldFailures time.Duration

	// MaxEntries bounds the answers held in memory; revocations are counted
	// apart. If zero, DefaultMaxEntries.
	MaxEntries int

	// KeepExpired is for how long answers are held after their nextUpdate. They are
	// then of use only to a verifier with Rungs.InsecureLastKnownGood.
	KeepExpired time.Duration

	// Cache, if not nil, is shared with other servers. CacheTimeout bounds each use of
	// it. If zero, DefaultCacheTimeout.
	Cache        Cache
	CacheTimeout time.Duration

	// Algorithms says which algorithms and key sizes are accepted until when, as in
	// verify.Config. The zero value is verify.StrictPolicy.
	Algorithms verify.AlgorithmPolicy

	// Observer is told what happens.
	Observer Observer

	// Now is the clock for queries that do not bring their own. If nil, time.Now.
	Now func() time.Time

	// InsecureAllowSHA1 admits answers signed with SHA-1, and RSA keys of 1024 bits.
	InsecureAllowSHA1 bool
}

// complete fills in the defaults, and refuses what makes no sense.
func (cfg *Config) complete() error {
	for _, field := range []struct {
		name    string
		value   *time.Duration
		without time.Duration // in place of zero
	}{
		{"Timeout", &cfg.Timeout, DefaultTimeout},
		{"AttemptTimeout", &cfg.AttemptTimeout, DefaultAttemptTimeout},
		{"BreakerPause", &cfg.BreakerPause, DefaultBreakerPause},
		{"CacheTimeout", &cfg.CacheTimeout, DefaultCacheTimeout},
		{"KeepExpired", &cfg.KeepExpired, 0},
	} {
		if *field.value < 0 {
			return fmt.Errorf("ocspclient: %s %v is negative", field.name, *field.value)
		}
		*field.value = cmp.Or(*field.value, field.without)
	}
	cfg.CertIDHash = cmp.Or(cfg.CertIDHash, crypto.SHA1)
	cfg.HoldFailures = cmp.Or(cfg.HoldFailures, DefaultHoldFailures)
	cfg.MaxEntries = cmp.Or(cfg.MaxEntries, DefaultMaxEntries)
	cfg.BreakerFailures = cmp.Or(cfg.BreakerFailures, DefaultBreakerFailures)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.CertIDHash != crypto.SHA1 && cfg.CertIDHash != crypto.SHA256:
		return fmt.Errorf("ocspclient: CertIDHash %v is neither SHA-1 nor SHA-256", cfg.CertIDHash)
	case cfg.Nonce > NonceNever:
		return fmt.Errorf("ocspclient: Nonce %d is not a NoncePolicy", cfg.Nonce)
	case cfg.MaxEntries < 0 || cfg.BreakerFailures < 0:
		return errors.New("ocspclient: MaxEntries or BreakerFailures is negative")
	case len(cfg.Fallbacks) > maxFallbacks:
		return fmt.Errorf("ocspclient: %d Fallbacks, want at most %d", len(cfg.Fallbacks), maxFallbacks)
	}
	return nil
}

// A Client is a [verify.StatusSource] that asks OCSP responders. Its methods may
// be called concurrently.
type Client struct {
	cfg        Config
	policy     algorithm.Policy
	guard      *fetch.Guard
	http       *http.Client
	issuers    issuers
	known      Responders
	memory     *memory
	questions  *fetch.Group[cacheKey, learned]
	breakers   *breakers
	background *background
	refreshing chan struct{}
}

var _ verify.StatusSource = (*Client)(nil)

// New returns a Client. Close it after use.
func New(cfg Config) (*Client, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	policy, err := cfg.Algorithms.Resolve(cfg.InsecureAllowSHA1, cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("ocspclient: Config: %w", err)
	}
	guard, err := fetch.NewGuard(cfg.AllowedHosts)
	if err != nil {
		return nil, fmt.Errorf("ocspclient: %v", err)
	}
	for _, address := range cfg.Fallbacks {
		if _, err := guard.URL(address); err != nil {
			return nil, fmt.Errorf("ocspclient: Fallbacks: %v", err)
		}
	}
	return &Client{
		cfg:        cfg,
		policy:     policy,
		guard:      guard,
		http:       guard.Client(cfg.HTTPClient),
		memory:     newMemory(&cfg),
		questions:  fetch.NewGroup[cacheKey, learned](cfg.Timeout),
		breakers:   newBreakers(&cfg),
		background: newBackground(maxBackground),
		refreshing: make(chan struct{}, maxRefreshing),
	}, nil
}

// Close cancels the questions in flight and what goes on in the background, and
// waits for them.
func (c *Client) Close() error {
	c.questions.Close()
	c.background.close()
	c.memory.close()
	if c.cfg.HTTPClient == nil {
		c.http.CloseIdleConnections()
	}
	return nil
}

// EvidenceKind tells a [verify.Ladder] that this source has OCSP answers.
func (c *Client) EvidenceKind() verify.EvidenceKind { return verify.OCSPEvidence }

// Status returns what the Client holds, what came with the query, and, unless
// one of them settles it, what the certificate's responders answer. They are
// asked in the order of the certificate until one answers; callers with the same
// question share it. There is nothing for a query with ListsOnly. The reports are
// shared and must not be modified. Errors are *verify.Error, joined if there are
// several.
func (c *Client) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	if q.Cert == nil || q.Issuer == nil {
		return nil, errors.New("ocspclient: query without certificate or issuer")
	}
	if q.ListsOnly {
		return nil, nil
	}
	q = revocation.WithClock(q, c.cfg.Now)
	key := c.keyOf(q.Cert, q.Issuer)
	h := c.held(key, q)
	if h != nil && len(q.Supplied) == 0 && (q.HeldOnly || revocation.Settled(q, h.reports())) {
		c.settled(ctx, key, h, q)
		return h.reports(), nil
	}
	return c.inquire(ctx, key, h, q)
}

// inquire is Status for a query that what is held does not answer alone.
func (c *Client) inquire(ctx context.Context, key cacheKey, h *held, q verify.StatusQuery) ([]verify.StatusReport, error) {
	reports, errs := c.supplied(q)
	if h != nil {
		reports = append(reports, h.reports()...)
	}
	switch {
	case q.HeldOnly:
	case revocation.Settled(q, reports):
		c.settled(ctx, key, h, q)
	default:
		c.cfg.Observer.lookup(false)
		report, err := c.live(ctx, key, q)
		if report != nil {
			reports = append(reports, *report)
		}
		errs = append(errs, err)
	}
	revocation.Sort(q, reports)
	return reports, errors.Join(errs...)
}

// settled notes that nobody had to be asked, and looks after what is held. A query
// with HeldOnly is not the last word: it may come again without.
func (c *Client) settled(ctx context.Context, key cacheKey, h *held, q verify.StatusQuery) {
	if h != nil {
		c.refresh(ctx, key, h, q)
	}
	if !q.HeldOnly {
		c.cfg.Observer.lookup(true)
	}
}

// held returns the answer held about a certificate whose signer is good for the
// instant of the query, or nil.
func (c *Client) held(key cacheKey, q verify.StatusQuery) *held {
	h := c.memory.get(key)
	if h == nil || checkLifetime(h.report[0].Signer, h.report[0].ProducedAt, q.At) != nil {
		return nil
	}
	return h
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
		answer, err := c.judge(evidence.DER, q, JudgeOptions{At: q.At, Now: q.Now})
		if err != nil {
			errs = append(errs, fmt.Errorf("ocspclient: supplied answer: %w", err))
			continue
		}
		answer.Rung, answer.Source = verify.RungHeld, "supplied"
		reports = append(reports, answer.StatusReport)
	}
	return reports, errs
}
