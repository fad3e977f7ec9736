package ocspclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// A Cache is shared by several servers, so that they ask once about a certificate.
// It holds signed answers as they came from the responder. What it returns is
// judged like an answer from the network, nonce aside, so it need not be trusted:
// it can keep back answers or repeat one that is still fresh enough to count, as a
// Client's own memory does, and nothing else. Package cachetest tests
// implementations. Methods may be called concurrently.
type Cache interface {
	// Get returns the answer held under a key, or nil and no error if there is none.
	// The caller does not modify it. Keys are 43 characters of base64url, and name
	// nobody.
	Get(ctx context.Context, key string) (answer []byte, err error)

	// Put holds an answer of at most [MaxResponseBytes] under a key for ttl, which is
	// positive, in place of what was there. It keeps no reference to answer. A cache
	// that is full may let any other go.
	Put(ctx context.Context, key string, answer []byte, ttl time.Duration) error
}

// fromShared returns the answer that the shared cache has, if it is authentic and
// not behind what has been seen. Whatever is wrong with the cache, the responder is
// asked as if there were none.
func (c *Client) fromShared(ctx context.Context, key cacheKey, q verify.StatusQuery) *held {
	if c.cfg.Cache == nil {
		return nil
	}
	use := SharedUse{Op: "get"}
	start := time.Now()
	der, err := limited(ctx, c, func(ctx context.Context) ([]byte, error) { return c.cfg.Cache.Get(ctx, key.shared()) })
	var h *held
	if err == nil && der != nil {
		h, err = c.admitShared(der, key, q)
	}
	use.Took, use.Hit, use.Err = time.Since(start), h != nil, err
	c.cfg.Observer.shared(use)
	return h
}

// admitShared judges what the shared cache had, and remembers it.
func (c *Client) admitShared(der []byte, key cacheKey, q verify.StatusQuery) (*held, error) {
	answer, err := c.judge(der, q, JudgeOptions{At: q.Now, Now: q.Now})
	if err != nil {
		return nil, fmt.Errorf("ocspclient: shared cache: %w", err)
	}
	if answer.Says == verify.Unknown {
		return nil, errors.New("ocspclient: shared cache: an answer that nobody puts there")
	}
	answer.Source = "shared cache"
	h, err := c.memory.put(key, answer)
	if err != nil {
		return nil, fmt.Errorf("ocspclient: shared cache: %w", err)
	}
	return h, nil
}

// toShared puts an answer into the shared cache, without keeping anybody waiting.
// If that many are on their way already, this one is left out.
func (c *Client) toShared(key cacheKey, answer *Answer) {
	ttl := c.sharedLife(answer)
	if c.cfg.Cache == nil || ttl <= 0 {
		return
	}
	c.background.try(func(ctx context.Context) {
		start := time.Now()
		_, err := limited(ctx, c, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, c.cfg.Cache.Put(ctx, key.shared(), answer.DER, ttl)
		})
		c.cfg.Observer.shared(SharedUse{Op: "put", Took: time.Since(start), Err: err})
	})
}

// maxRevokedLife is how long a revocation is shared: it does not end, but the
// certificate does, and who still asks after it has left will learn it again.
const maxRevokedLife = 30 * 24 * time.Hour

// sharedLife returns how long an answer is shared.
func (c *Client) sharedLife(answer *Answer) time.Duration {
	switch {
	case answer.Says == verify.Revoked:
		return maxRevokedLife
	case answer.Says == verify.Unknown || answer.NextUpdate.IsZero():
		return 0
	}
	return answer.NextUpdate.Sub(c.cfg.Now())
}

// limited calls the shared cache with its time limit, whether the cache heeds it or
// not, and not at all while the cache is left alone.
func limited[T any](ctx context.Context, c *Client, call func(context.Context) (T, error)) (value T, err error) {
	done, err := c.breakers.allow(responderName{})
	if err != nil {
		return value, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.CacheTimeout)
	defer cancel()
	type result struct {
		value T
		err   error
	}
	ended := make(chan result, 1)
	started := c.background.try(func(context.Context) {
		value, err := call(ctx)
		ended <- result{value, err}
	})
	if !started {
		done(context.Canceled)
		return value, errors.New("ocspclient: shared cache: too many calls under way")
	}
	select {
	case r := <-ended:
		value, err = r.value, r.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		err = &transportError{fmt.Errorf("ocspclient: shared cache: %w", err)}
	}
	done(err)
	return value, err
}
