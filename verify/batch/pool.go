package batch

import (
	"cmp"
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// Bounds of a pool: how many results may wait for one before them, and how many filings
// for each worker. Workers that always find one do not wake one another.
const (
	maxWaiting = 1024
	maxQueued  = 16
)

// A pool has workers judge filings. It is used for one run.
type pool struct {
	*Runner
	order   Order
	work    chan *slot
	out     chan *slot     // in the order in which results are yielded
	running sync.WaitGroup // who feeds, and the desks that are not left
	hanging atomic.Int64
	ended   error // of the source
}

// A slot is one filing on its way.
type slot struct {
	item Item
	res  *Result
	err  error // ends the run
	done chan struct{}
}

func newPool(r *Runner, order Order) *pool {
	return &pool{Runner: r, order: order, work: make(chan *slot, maxQueued*r.cfg.Workers), out: make(chan *slot, maxWaiting)}
}

// run yields the results. When it returns, nothing of it runs any more but what
// hangs.
func (p *pool) run(ctx context.Context, items iter.Seq2[Item, error], yield func(*Result, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		for range p.out { // until all have ended
		}
	}()
	p.start(ctx, items)
	for s := range p.out {
		select {
		case <-s.done:
		case <-ctx.Done():
			yield(nil, ctx.Err())
			return
		}
		if !yield(s.res, s.err) || s.err != nil {
			return
		}
	}
	if err := cmp.Or(ctx.Err(), p.ended); err != nil {
		yield(nil, err)
	}
}

// start starts who feeds, who judges and who watches. When they have ended, p.out is
// closed.
func (p *pool) start(ctx context.Context, items iter.Seq2[Item, error]) {
	p.running.Go(func() { p.feed(ctx, items) })
	desks := make([]*desk, p.cfg.Workers)
	for i := range desks {
		desks[i] = p.open(ctx)
	}
	judged := make(chan struct{})
	go func() {
		p.running.Wait()
		close(judged)
	}()
	go func() {
		p.watch(ctx, desks, judged)
		close(p.out)
	}()
}

// feed hands the filings of the source to the workers.
func (p *pool) feed(ctx context.Context, items iter.Seq2[Item, error]) {
	defer close(p.work)
	index := int64(0)
	for item, err := range items {
		if err != nil {
			p.ended = err
			return
		}
		s := &slot{item: item, done: make(chan struct{})}
		if !s.item.known {
			s.item.index = index
		}
		index++
		if p.order == InputOrder && !send(ctx, p.out, s) || !send(ctx, p.work, s) {
			return
		}
	}
}

func send(ctx context.Context, to chan<- *slot, s *slot) bool {
	select {
	case to <- s:
		return true
	case <-ctx.Done():
		return false
	}
}

// settle hands on what came of a filing.
func (p *pool) settle(ctx context.Context, s *slot) {
	if ctx.Err() != nil {
		s.res, s.err = nil, ctx.Err() // what came of it may be due to that
	}
	close(s.done)
	if p.order == AsTheyCome {
		send(ctx, p.out, s)
	}
}
