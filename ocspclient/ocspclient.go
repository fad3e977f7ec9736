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
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

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
// what is held settles it, what the certificate's responders answer. They are
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
	if h == nil || len(q.Supplied) > 0 {
		return c.inquire(ctx, key, h, q)
	}
	if revocation.Settled(q, h.reports()) {
		c.cfg.Observer.lookup(true)
		c.refresh(ctx, key, h, q)
	} else if !q.HeldOnly {
		return c.inquire(ctx, key, h, q)
	}
	return h.reports(), nil
}

// inquire is Status for a query that what is held does not answer alone.
func (c *Client) inquire(ctx context.Context, key cacheKey, h *held, q verify.StatusQuery) ([]verify.StatusReport, error) {
	reports, errs := c.supplied(key, q)
	if h != nil {
		reports = append(reports, h.reports()...)
	}
	if h != nil && revocation.Settled(q, h.reports()) {
		c.cfg.Observer.lookup(true)
	} else if !q.HeldOnly {
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

// held returns the answer held about a certificate, or nil. Its signer is good for the
// instant of the query, but for a revocation: that was learned while the signer was.
func (c *Client) held(key cacheKey, q verify.StatusQuery) *held {
	h := c.memory.get(key)
	if h == nil || h.report[0].Says != verify.Revoked && checkLifetime(h.report[0].Signer, h.report[0].ProducedAt, q.At) != nil {
		return nil
	}
	return h
}

// supplied judges the answers that came with the query. They are not
// remembered: what a signer chose to send is no measure for a responder. Nor does it
// accept a certificate against what a responder has said later, by q.At.
func (c *Client) supplied(key cacheKey, q verify.StatusQuery) (reports []verify.StatusReport, errs []error) {
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
		if newest, seen := c.memory.newestOf(key); seen && answer.Says == verify.Good && answer.ThisUpdate.Before(newest) && !newest.After(q.At) {
			errs = append(errs, fmt.Errorf("ocspclient: supplied answer: %w", behind(answer, newest)))
			continue
		}
		answer.Rung, answer.Source = verify.RungHeld, verify.SourceSupplied
		reports = append(reports, answer.StatusReport)
	}
	return reports, errs
}
