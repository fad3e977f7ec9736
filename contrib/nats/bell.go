package nats

import (
	"context"
	"fmt"
	"time"

	natsgo "github.com/nats-io/nats.go"
)

// The bells of a batch: subjects of plain messages that nobody stores.
func begunBell(name string) string  { return "citizencert." + name + ".begun" }  // there is a queue now
func resultBell(name string) string { return "citizencert." + name + ".result" } // there is one result more

// A bell wakes who would look at the server again only after a pause. Whether it is
// heard decides nothing but how long that takes: who rings may be killed before, and
// what is rung while a connection is down is lost. A watcher of the bucket would
// promise more and cost more: a consumer on the server for each who waits, which is
// lost when the server restarts, and which the client must notice and make anew.
type bell struct {
	heard chan struct{}
	sub   *natsgo.Subscription
}

// listen begins to listen to a bell. What is rung from then on is heard by the next
// wait.
func (q *queue) listen(subject string) (*bell, error) {
	b := &bell{heard: make(chan struct{}, 1)}
	var err error
	b.sub, err = q.cfg.Conn.Subscribe(subject, func(*natsgo.Msg) {
		select {
		case b.heard <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return nil, fmt.Errorf("nats: listening to %s: %w", subject, err)
	}
	return b, nil
}

// ring tells those who listen.
func (q *queue) ring(subject string) {
	q.cfg.Conn.Publish(subject, nil) // who does not hear it looks by itself
}

// wait waits until the bell is rung, or for d, or until ctx ends.
func (b *bell) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.heard:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (b *bell) stop() { b.sub.Unsubscribe() }
