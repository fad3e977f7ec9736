package ocspclient

import (
	"context"
	"crypto/x509"
	"errors"
	"iter"
	"sync"

	"github.com/citizencert/citizencert/verify"
)

// DefaultPrefetchConcurrency is how many questions a [Client.Prefetch] has under way:
// few enough for a responder that citizens are waiting for at the same time.
const DefaultPrefetchConcurrency = 8

// PrefetchOptions are the particulars of one [Client.Prefetch].
type PrefetchOptions struct {
	// Concurrency is how many questions are under way at a time. If zero,
	// DefaultPrefetchConcurrency.
	Concurrency int

	// Fresh says how old an answer may be that is not asked for again. If zero, until
	// nextUpdate.
	Fresh verify.Freshness
}

// Prefetched counts what a [Client.Prefetch] has learned.
type Prefetched struct {
	Total  int
	Says   map[verify.Status]int // Good, Suspended, Revoked; Unknown if an authority says so
	Failed map[verify.Reason]int // of which nothing was learned
}

// Prefetch learns the status of certificates that will be asked about, such as the
// signers of tomorrow's batch, and remembers the answers: at most Config.MaxEntries
// of them. Each certificate comes with its issuer, under whose key its signature has
// been verified. What is held and fresh is not asked for again.
//
// It returns when all are done or ctx ends, in which case the error wraps its cause and
// the counts are of those that were done.
func (c *Client) Prefetch(ctx context.Context, certs iter.Seq2[*x509.Certificate, *x509.Certificate], opts PrefetchOptions) (Prefetched, error) {
	if opts.Concurrency <= 0 {
		opts.Concurrency = DefaultPrefetchConcurrency
	}
	total := Prefetched{Says: map[verify.Status]int{}, Failed: map[verify.Reason]int{}}
	var mu sync.Mutex
	var workers sync.WaitGroup
	queries := make(chan verify.StatusQuery)
	for range opts.Concurrency {
		workers.Go(func() {
			for q := range queries {
				says, err := c.prefetch(ctx, q)
				mu.Lock()
				total.add(says, err)
				mu.Unlock()
			}
		})
	}
	for cert, issuer := range certs {
		if !send(ctx, queries, verify.StatusQuery{Cert: cert, Issuer: issuer, Fresh: opts.Fresh}) {
			break
		}
	}
	close(queries)
	workers.Wait()
	return total, context.Cause(ctx)
}

func send(ctx context.Context, queries chan<- verify.StatusQuery, q verify.StatusQuery) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case queries <- q:
		return true
	case <-ctx.Done():
		return false
	}
}

// prefetch learns one status.
func (c *Client) prefetch(ctx context.Context, q verify.StatusQuery) (verify.Status, error) {
	now := c.cfg.Now()
	q.At, q.Now = now, now
	reports, err := c.Status(ctx, q)
	if len(reports) == 0 {
		return verify.Unknown, err
	}
	return q.Judge(&reports[0])
}

// add counts one outcome. What was not done because the context had ended is not
// counted.
func (p *Prefetched) add(says verify.Status, err error) {
	if err == nil {
		p.Total++
		p.Says[says]++
		return
	}
	reason := verify.ReasonStatusUnavailable
	if e, ok := errors.AsType[*verify.Error](err); ok {
		reason = e.Reason
	}
	if reason == verify.ReasonCanceled {
		return
	}
	p.Total++
	p.Failed[reason]++
}
