package ocspclient

import (
	"context"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// An answer that is asked for is refreshed when four fifths of its time are over,
// so that who comes when it ends need not wait. Its time ends at nextUpdate, or
// when it is as old as the query admits. A responder that repeats its last answer
// is asked again after a pause.
const (
	refreshFifths = 4
	refreshPause  = time.Minute
	maxRefreshing = 16
)

// refresh asks anew about what is held, in the background, if it is time to. It
// keeps no caller waiting, and what is held serves on if the responder fails.
func (c *Client) refresh(ctx context.Context, key cacheKey, h *held, q verify.StatusQuery) {
	now := q.Now.UnixNano()
	next := h.refreshAt.Load()
	if now < next || !c.refreshDue(&h.report[0], &q) || !h.refreshAt.CompareAndSwap(next, now+int64(refreshPause)) {
		return
	}
	select {
	case c.refreshing <- struct{}{}:
		c.startRefresh(ctx, key, h, q)
	default: // enough is being refreshed
	}
}

func (c *Client) startRefresh(ctx context.Context, key cacheKey, h *held, q verify.StatusQuery) {
	started := c.questions.Start(ctx, key, func(ctx context.Context) (learned, error) {
		defer func() { <-c.refreshing }()
		l := c.askAll(ctx, key, q)
		if l.held == nil { // for those who have joined
			l.held = h
		} else {
			l.held.refreshAt.Store(q.Now.Add(refreshPause).UnixNano())
		}
		return l, nil
	})
	if !started { // a question is under way, which may be of no use
		<-c.refreshing
		h.refreshAt.Store(0)
	}
}

// refreshDue reports whether an answer's time is nearly over. Revocations are
// final, and an instant in the past does not come nearer.
func (c *Client) refreshDue(held *verify.StatusReport, q *verify.StatusQuery) bool {
	if !c.online() || held.Says == verify.Revoked || !q.At.Equal(q.Now) {
		return false
	}
	life := held.NextUpdate.Sub(held.ThisUpdate)
	if q.Fresh.OCSP != 0 {
		life = min(life, q.Fresh.OCSP)
	}
	return q.Now.Sub(held.ThisUpdate) >= life*refreshFifths/5
}
