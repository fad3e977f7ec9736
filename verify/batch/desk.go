package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// How long a filing may go on when its time is over, and how many may go on for ever.
const (
	hangGrace  = time.Second
	maxHanging = 64
)

// A desk is where filings are judged, one after the other, in a goroutine of its own.
// The watcher of the pool ends the time of a filing, and takes it away from a desk that
// does not answer even then. A timer for each filing would cost more than all of this.
type desk struct {
	*pool

	mu     sync.Mutex
	ctx    context.Context // of the filing, and of those after it until the time of one is over
	cancel context.CancelFunc
	slot   *slot // that is judged now, or nil
	began  time.Time
	due    time.Time // when its time is over
	over   bool      // due has been noticed
	left   bool      // slot has its result, and what comes of it here is not wanted
}

// open opens a desk.
func (p *pool) open(ctx context.Context) *desk {
	d := &desk{pool: p}
	p.running.Add(1)
	go func() {
		if d.serve(ctx) {
			p.running.Done()
		}
	}()
	return d
}

// serve judges until there is nothing left to judge, and reports whether the desk was
// not left before.
func (d *desk) serve(ctx context.Context) (stayed bool) {
	b := newBench(d.Runner)
	defer func() {
		if d.cancel != nil {
			d.cancel()
		}
	}()
	for s := range d.work {
		if ctx.Err() != nil {
			continue
		}
		res, err := b.judge(d.begin(ctx, s), &s.item)
		over, left := d.end()
		if left {
			return false
		}
		if s.res, s.err = res, err; over && res != nil && res.Verdict != Valid && res.Verdict != Refused {
			s.res = d.late(s) // that is why it came to this
		}
		s.item = Item{} // what is in memory of it can go
		d.settle(ctx, s)
	}
	return true
}

// begin returns the context under which a filing is judged.
func (d *desk) begin(ctx context.Context, s *slot) context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel == nil {
		d.ctx, d.cancel = context.WithCancel(ctx)
	}
	d.slot, d.began = s, time.Now()
	d.due = d.began
	if ctx.Err() == nil {
		d.due = d.began.Add(d.cfg.ItemTimeout)
	}
	return d.ctx
}

// end reports whether the time of the filing was over, and whether it was taken away.
func (d *desk) end() (over, left bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	over, d.slot = d.over, nil
	if d.over {
		d.cancel, d.over = nil, false
	}
	return over, d.left
}

// check ends the time of the filing if it is over, and takes it away if that was some
// time ago. It returns when to check again at the latest.
func (d *desk) check(now time.Time) (taken *slot, again time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.slot == nil || now.Before(d.due) {
		return nil, d.due
	}
	if !d.over {
		d.over = true
		d.cancel()
	}
	if grace := d.due.Add(hangGrace); now.Before(grace) {
		return nil, grace
	}
	d.left = true
	return d.slot, now
}

// hurry ends the time of the filing.
func (d *desk) hurry(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.due.After(now) {
		d.due = now
	}
}

// late is the result of a filing whose time was over.
func (d *desk) late(s *slot) *Result {
	res := d.newResult(&s.item)
	res.refuse(Undecided, ReasonDeadline, errors.New("batch: it took longer than "+d.cfg.ItemTimeout.String()))
	res.Micros = time.Since(d.began).Microseconds()
	return res
}

// watch looks after the desks until all is judged, or given up.
func (p *pool) watch(ctx context.Context, desks []*desk, judged <-chan struct{}) {
	timer := time.NewTimer(p.cfg.ItemTimeout)
	defer timer.Stop()
	canceled := ctx.Done()
	for {
		select {
		case <-judged:
			return
		case <-canceled:
			canceled = nil
			for _, d := range desks {
				d.hurry(time.Now())
			}
		case <-timer.C:
		}
		now := time.Now()
		next := now.Add(p.cfg.ItemTimeout) // for whatever begins from now on
		for i, d := range desks {
			taken, again := d.check(now)
			if taken != nil {
				desks[i] = p.replace(ctx, d, taken)
			} else if again.After(now) && again.Before(next) {
				next = again
			}
		}
		timer.Reset(next.Sub(now))
	}
}

// replace opens a desk in place of one that is left, and settles what is on it.
func (p *pool) replace(ctx context.Context, d *desk, s *slot) *desk {
	other := p.open(ctx)
	p.running.Done()
	s.res = d.late(s)
	if n := p.hanging.Add(1); n > maxHanging {
		s.err = fmt.Errorf("batch: %d filings have not come to an end, the last of them %s", n, s.item.Name)
	}
	p.settle(ctx, s)
	return other
}
