package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/verify/batch"
)

// How long a worker waits for a shard before it looks whether the batch is closed, and
// for a batch to begin before it looks again if no bell is rung.
const (
	fetchTimeout = time.Second
	joinPause    = 500 * time.Millisecond
)

// Worked says what a worker has done.
type Worked struct {
	Shards  int64 `json:"shards"` // that it has judged, whether or not another was first
	Filings int64 `json:"filings"`
	Failed  int64 `json:"failed"` // shards that it has declared failed
}

// Work judges shards of a batch until its record is closed or ctx ends. It waits for a
// batch that has not begun. It is refused with a *batch.ChangedError, before it judges
// anything, if source, policy or key are not those of the batch.
//
// What may be wrong with this machine alone, such as a source that cannot be read or no
// room for evidence, ends it with an error, and what it was at goes to another.
func Work(ctx context.Context, cfg Config) (Worked, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return Worked{}, err
	}
	q, err := newQueue(cfg)
	if err != nil {
		return Worked{}, err
	}
	if err := q.join(ctx); err != nil {
		return Worked{}, err
	}
	w := &worker{queue: q}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for range cfg.Shards {
		all.Go(func() {
			if err := w.serve(ctx); err != nil {
				cancel(err) // the others end, too
			}
		})
	}
	all.Wait()
	cfg.Conn.FlushTimeout(fetchTimeout) // what is given back need not be waited for
	return w.worked, context.Cause(ctx)
}

// join waits until there is a batch.
func (q *queue) join(ctx context.Context) error {
	begun, err := q.listen(begunBell(q.cfg.Name))
	if err != nil {
		return err
	}
	defer begun.stop()
	for {
		if err := q.open(ctx); err == nil || !isAbsent(err) {
			return err
		}
		if err := begun.wait(ctx, joinPause); err != nil {
			return err
		}
	}
}

// A worker takes shards from a queue.
type worker struct {
	*queue
	mu     sync.Mutex
	worked Worked
}

// serve works on one shard after the other until the batch is closed.
func (w *worker) serve(ctx context.Context) error {
	for {
		fetching, cancel := context.WithTimeout(ctx, fetchTimeout)
		msg, err := w.consumer.Next(jetstream.FetchContext(fetching))
		cancel()
		if err == nil {
			if err := w.take(ctx, msg); isAbsent(err) {
				return nil // the record is closed, by the result of another
			} else if err != nil {
				msg.Nak() // another need not wait; if this is lost, it waits
				return err
			}
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if closed, err := w.closed(ctx); closed || err != nil {
			return err
		}
		if !errors.Is(err, natsgo.ErrTimeout) && !errors.Is(err, context.DeadlineExceeded) {
			if err := fetch.Sleep(ctx, requestPause); err != nil {
				return err
			}
		}
	}
}

// take does what is to be done about a message, and acknowledges it. An
// acknowledgement that is lost costs a look at the result.
func (w *worker) take(ctx context.Context, msg jetstream.Msg) error {
	meta, err := msg.Metadata()
	if err != nil {
		return fmt.Errorf("nats: a message of no stream: %w", err)
	}
	ref, err := w.decode(msg.Data())
	if err != nil {
		if err := w.putBad(ctx, meta.Sequence.Stream, err); err != nil {
			return err
		}
		return ack(msg)
	}
	found, err := w.has(ctx, ref)
	if err != nil {
		return err
	}
	if found {
		return ack(msg)
	}
	if meta.NumDelivered > uint64(w.cfg.Attempts) {
		err = w.giveUp(ctx, ref, fmt.Sprintf("it was delivered %d times and came to no end", meta.NumDelivered-1))
	} else {
		err = w.judgeAlive(ctx, ref, msg)
	}
	if err != nil {
		return err
	}
	return ack(msg)
}

func ack(msg jetstream.Msg) error {
	if err := msg.Ack(); errors.Is(err, natsgo.ErrConnectionClosed) {
		return fmt.Errorf("nats: acknowledging a shard: %w", err)
	}
	return nil // if the server is away, the shard comes again, and has its result
}

// decode reads a message. Nothing in it is believed but which shard to judge.
func (w *worker) decode(data []byte) (*batch.ShardRef, error) {
	ref := new(batch.ShardRef)
	if err := json.Unmarshal(data, ref); err != nil {
		return nil, fmt.Errorf("nats: a message that is not a shard: %w", err)
	}
	last := w.cfg.Source.Len()
	switch {
	case ref.Batch != w.batch:
		return nil, fmt.Errorf("nats: a shard of batch %.64q, want %s", ref.Batch, w.batch)
	case ref.Generation < 0 || ref.Shard < 0 || ref.Shard > last/batch.ShardSize:
		return nil, fmt.Errorf("nats: a shard of generation %d and number %d, of a source of %d filings", ref.Generation, ref.Shard, last)
	case (ref.Generation == 0) != (len(ref.Places) == 0) || len(ref.Places) > batch.ShardSize:
		return nil, fmt.Errorf("nats: a shard of generation %d with %d places", ref.Generation, len(ref.Places))
	}
	for i, place := range ref.Places {
		if place >= last || i == 0 && place < 0 || i > 0 && place <= ref.Places[i-1] {
			return nil, fmt.Errorf("nats: a shard with place %d, where %d filings are in ascending order", place, last)
		}
	}
	return ref, nil
}

// judgeAlive judges a shard and stores the result. Meanwhile it tells the queue that
// it is alive.
func (w *worker) judgeAlive(ctx context.Context, ref *batch.ShardRef, msg jetstream.Msg) error {
	ended, told := make(chan struct{}), make(chan struct{})
	defer func() { close(ended); <-told }()
	go func() {
		defer close(told)
		every := time.NewTicker(w.consumer.CachedInfo().Config.AckWait / 3)
		defer every.Stop()
		for {
			select {
			case <-every.C:
				msg.InProgress() // one that is lost is followed by others
			case <-ended:
				return
			}
		}
	}()
	items, err := itemsOf(ref, w.cfg.Source)
	if panicked, ok := errors.AsType[*panicked](err); ok {
		return w.giveUp(ctx, ref, panicked.Error())
	}
	if err != nil {
		return err
	}
	shard, err := w.cfg.Runner.JudgeShard(ctx, *ref, func(yield func(batch.Item, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	if size := int64(len(shard.Lines)); size > w.cfg.MaxResult {
		return w.giveUp(ctx, ref, fmt.Sprintf("its results have %d bytes, more than %d", size, w.cfg.MaxResult))
	}
	w.mu.Lock()
	w.worked.Shards++
	w.worked.Filings += shard.Head.Filings
	w.mu.Unlock()
	return w.put(ctx, shard)
}

// maxReason bounds what is said of a failed shard, in bytes.
const maxReason = 500

func (w *worker) giveUp(ctx context.Context, ref *batch.ShardRef, why string) error {
	w.mu.Lock()
	w.worked.Failed++
	w.mu.Unlock()
	return w.fail(ctx, ref, strings.ToValidUTF8(why[:min(len(why), maxReason)], ""))
}

// A panicked says that the source has panicked.
type panicked struct{ value any }

// Error tells what the runtime says. What else a panic carries may be content of a
// filing.
func (p *panicked) Error() string {
	if fault, ok := p.value.(runtime.Error); ok {
		return fmt.Sprintf("nats: the source has panicked: %v", fault)
	}
	return fmt.Sprintf("nats: the source has panicked with a %T", p.value)
}

// itemsOf reads the entries of a shard.
func itemsOf(ref *batch.ShardRef, src batch.Divided) (items []batch.Item, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			err = &panicked{caught}
		}
	}()
	items = make([]batch.Item, 0, batch.ShardSize)
	for item, err := range ref.Items(src) {
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}
