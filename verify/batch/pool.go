package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a pool: how many results may wait for one before them, how long a
// filing may go on when its time is over, and how many may go on for ever.
const (
	maxWaiting = 1024
	hangGrace  = time.Second
	maxHanging = 64
)

// A pool has workers judge filings. It is used for one run.
type pool struct {
	*Runner
	order   Order
	work    chan *slot
	out     chan *slot // in the order in which results are yielded
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
	return &pool{Runner: r, order: order, work: make(chan *slot, r.cfg.Workers), out: make(chan *slot, maxWaiting)}
}

// run yields the results. When it returns, nothing of it runs any more but what
// hangs.
func (p *pool) run(ctx context.Context, items iter.Seq2[Item, error], yield func(*Result, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	var feeder, workers sync.WaitGroup
	defer func() {
		cancel()
		for range p.out { // until the feeder and the workers have ended
		}
	}()
	feeder.Go(func() { p.feed(ctx, items) })
	for range p.cfg.Workers {
		workers.Go(func() { p.serve(ctx) })
	}
	go func() {
		feeder.Wait()
		workers.Wait()
		close(p.out)
	}()
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

// serve is one worker: it has filings judged at a desk, and leaves the desk if it
// gets no answer there.
func (p *pool) serve(ctx context.Context) {
	d := p.newDesk()
	defer func() { close(d.in) }()
	for s := range p.work {
		if ctx.Err() != nil {
			continue
		}
		var left bool
		if s.res, s.err, left = p.ask(ctx, d, &s.item); left {
			close(d.in)
			d = p.newDesk()
		}
		s.item = Item{} // what is in memory of it can go
		if ctx.Err() != nil {
			s.res, s.err = nil, ctx.Err() // what came of it may be due to that
		}
		close(s.done)
		if p.order == AsTheyCome && !send(ctx, p.out, s) {
			continue
		}
	}
}

// A desk is where filings are judged, one at a time, in a goroutine that ends when
// in is closed and it has finished.
type desk struct {
	in  chan job
	out chan answer
}

type job struct {
	ctx  context.Context
	item *Item
}

type answer struct {
	res *Result
	err error
}

func (p *pool) newDesk() *desk {
	d := &desk{make(chan job), make(chan answer, 1)} // who has left is not waited for
	go func() {
		b := newBench(p.Runner)
		for j := range d.in {
			res, err := b.judge(j.ctx, j.item)
			d.out <- answer{res, err}
		}
	}()
	return d
}

// ask has one filing judged. left is set if its time is over and the desk does not
// answer.
func (p *pool) ask(ctx context.Context, d *desk, item *Item) (res *Result, err error, left bool) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, p.cfg.ItemTimeout)
	defer cancel()
	asked := *item // the desk's own, should it be left
	d.in <- job{ctx, &asked}
	select {
	case a := <-d.out:
		return p.settle(ctx, item, a, began), a.err, false
	case <-ctx.Done():
	}
	grace := time.NewTimer(hangGrace)
	defer grace.Stop()
	select {
	case a := <-d.out:
		return p.settle(ctx, item, a, began), a.err, false
	case <-grace.C:
	}
	if n := p.hanging.Add(1); n > maxHanging {
		err = fmt.Errorf("batch: %d filings have not come to an end, the last of them %s", n, item.Name)
	}
	return p.late(item, began), err, true
}

// settle replaces what a filing came to if that was because its time was over.
func (p *pool) settle(ctx context.Context, item *Item, a answer, began time.Time) *Result {
	if ctx.Err() != nil && a.res != nil && a.res.Verdict != Valid && a.res.Verdict != Refused {
		return p.late(item, began)
	}
	return a.res
}

func (p *pool) late(item *Item, began time.Time) *Result {
	res := p.newResult(item)
	res.refuse(Undecided, ReasonDeadline, errors.New("batch: it took longer than "+p.cfg.ItemTimeout.String()))
	res.Micros = time.Since(began).Microseconds()
	return res
}
