package ocspclient

import (
	"container/list"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// ErrRollback is wrapped by the error that comes with the answer already held,
// when a responder's next answer goes back behind it: an older one, one that is
// not revoked after one that is, or one revoked later. It is worth an alarm.
var ErrRollback = errors.New("answer goes back behind one already held")

// A cacheKey names a certificate: serial numbers are unique under one key.
type cacheKey struct {
	issuer revocation.KeyID
	serial string // in some base
}

func keyOf(cert, issuer *x509.Certificate) cacheKey {
	return cacheKey{revocation.KeyIDOf(issuer), cert.SerialNumber.Text(62)}
}

// A cache remembers authentic answers. One that has passed its nextUpdate is no
// use as an answer, which verify.StatusQuery.Judge knows, but still guards
// against rollback, so only the bound removes it. Revocations have a bound of
// their own, so that no number of good answers crowds them out.
type cache struct {
	mu      sync.Mutex
	max     int
	entries map[cacheKey]*list.Element
	revoked *list.List // of cacheEntry, most recently used first
	others  *list.List
}

type cacheEntry struct {
	key    cacheKey
	answer *Answer
}

func newCache(size int) *cache {
	return &cache{max: size, entries: map[cacheKey]*list.Element{}, revoked: list.New(), others: list.New()}
}

// get returns the answer held about a certificate, or nil.
func (c *cache) get(key cacheKey) *Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return nil
	}
	answer := e.Value.(cacheEntry).answer
	c.listFor(answer).MoveToFront(e)
	return answer
}

// put remembers an answer and returns the one to believe, which is another if
// the new one goes back behind it.
func (c *cache) put(key cacheKey, answer *Answer) (*Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		held := e.Value.(cacheEntry).answer
		if err := checkRollback(held, answer); err != nil {
			return held, err
		}
		c.remove(e)
	}
	// Without nextUpdate nobody has promised that the answer lasts.
	if answer.NextUpdate.IsZero() && answer.Says != verify.Revoked {
		return answer, nil
	}
	l := c.listFor(answer)
	c.entries[key] = l.PushFront(cacheEntry{key, answer})
	if l.Len() > c.max {
		c.remove(l.Back())
	}
	return answer, nil
}

func (c *cache) remove(e *list.Element) {
	entry := e.Value.(cacheEntry)
	c.listFor(entry.answer).Remove(e)
	delete(c.entries, entry.key)
}

func (c *cache) listFor(answer *Answer) *list.List {
	if answer.Says == verify.Revoked {
		return c.revoked
	}
	return c.others
}

// checkRollback refuses an answer that is older than the one held, or that takes
// back a revocation or puts it off. Only a hold may end.
func checkRollback(held, answer *Answer) error {
	switch {
	case answer.Says == verify.Revoked && held.Says == verify.Revoked && answer.RevokedAt.After(held.RevokedAt):
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: revoked at %s after %s", ErrRollback,
			answer.RevokedAt.Format(time.RFC3339), held.RevokedAt.Format(time.RFC3339))
	case answer.Says == verify.Revoked:
		return nil
	case held.Says == verify.Revoked:
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: %v after revoked", ErrRollback, answer.Says)
	case answer.ThisUpdate.Before(held.ThisUpdate):
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: thisUpdate %s after %s", ErrRollback,
			answer.ThisUpdate.Format(time.RFC3339), held.ThisUpdate.Format(time.RFC3339))
	}
	return nil
}
