package ocspclient

import (
	"context"
	"sync"
)

// maxBackground bounds the calls of a shared cache that are under way.
const maxBackground = 256

// background does what no caller waits for. It does a bounded number of things at
// a time, and close cancels them and waits for them.
type background struct {
	closing context.Context
	cancel  context.CancelFunc
	slots   chan struct{}

	mu      sync.Mutex // no work begins once closing has ended
	running sync.WaitGroup
}

func newBackground(slots int) *background {
	b := &background{slots: make(chan struct{}, slots)}
	b.closing, b.cancel = context.WithCancel(context.Background())
	return b
}

// try begins the work, unless too much is under way, and reports whether it has.
func (b *background) try(work func(context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing.Err() != nil {
		return false
	}
	select {
	case b.slots <- struct{}{}:
	default:
		return false
	}
	b.running.Go(func() {
		defer func() { <-b.slots }()
		work(b.closing)
	})
	return true
}

func (b *background) close() {
	b.mu.Lock()
	b.cancel()
	b.mu.Unlock()
	b.running.Wait()
}
