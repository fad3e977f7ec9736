package fetch

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed is returned by a [Group] after Close.
var ErrClosed = errors.New("closed")

// A Group lets callers who want the same thing share one fetch. A caller who
// gives up does not cancel it for the others, and a caller who comes while it
// runs does not start another.
type Group[K comparable, V any] struct {
	timeout time.Duration
	closing context.Context
	close   context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	inflight map[K]*call[V]
}

type call[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// NewGroup returns a Group whose fetches may take as long as timeout.
func NewGroup[K comparable, V any](timeout time.Duration) *Group[K, V] {
	g := &Group[K, V]{timeout: timeout, inflight: map[K]*call[V]{}}
	g.closing, g.close = context.WithCancel(context.Background())
	return g
}

// Do returns what the fetch in flight for key returns, and starts one if there
// is none. The context given to fetch has the values of ctx and a deadline of
// its own. Do itself returns early when ctx ends.
func (g *Group[K, V]) Do(ctx context.Context, key K, fetch func(context.Context) (V, error)) (V, error) {
	var none V
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	c, _, err := g.join(ctx, key, fetch)
	if err == nil {
		select {
		case <-c.done:
			return c.value, c.err
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	return none, err
}

// Start starts a fetch for key, unless one is in flight, and does not wait for
// it. It reports whether it has, in which case fetch is called.
func (g *Group[K, V]) Start(ctx context.Context, key K, fetch func(context.Context) (V, error)) bool {
	_, started, err := g.join(ctx, key, fetch)
	return err == nil && started
}

func (g *Group[K, V]) join(ctx context.Context, key K, fetch func(context.Context) (V, error)) (c *call[V], started bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, ok := g.inflight[key]; ok {
		return c, false, nil
	}
	if g.closing.Err() != nil {
		return nil, false, ErrClosed
	}
	c = &call[V]{done: make(chan struct{})}
	g.inflight[key] = c
	g.running.Add(1)
	go g.run(context.WithoutCancel(ctx), key, c, fetch)
	return c, true, nil
}

func (g *Group[K, V]) run(ctx context.Context, key K, c *call[V], fetch func(context.Context) (V, error)) {
	defer g.running.Done()
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	defer context.AfterFunc(g.closing, cancel)()
	c.value, c.err = fetch(ctx)

	g.mu.Lock()
	delete(g.inflight, key)
	g.mu.Unlock()
	close(c.done)
}

// Close cancels the fetches in flight, waits for them, and refuses new ones.
func (g *Group[K, V]) Close() {
	g.mu.Lock()
	g.close()
	g.mu.Unlock()
	g.running.Wait()
}
