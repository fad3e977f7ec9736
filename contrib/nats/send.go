package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/verify/batch"
)

// send puts the shards into the queue that are neither in it nor have results: those
// that have not been sent, and those that the server has lost. A result is stored
// before its message is acknowledged, and known looks in that order.
func (q *queue) send(ctx context.Context, missing iter.Seq2[batch.ShardRef, error]) error {
	known, err := q.known(ctx)
	if err != nil {
		return err
	}
	sent := make(chan jetstream.PubAckFuture, maxInFlight)
	for ref, err := range missing {
		if err != nil {
			return err
		}
		if known[place(&ref)] {
			continue
		}
		if len(sent) == maxInFlight {
			if err := q.settle(ctx, <-sent); err != nil {
				return err
			}
		}
		data, err := json.Marshal(ref)
		if err != nil {
			return fmt.Errorf("nats: encoding shard %d: %w", ref.Shard, err)
		}
		subject := subjects(q.cfg.Name) + place(&ref)
		if future, err := q.js.PublishAsync(subject, data); err == nil {
			sent <- future
		} else if err := q.publish(ctx, subject, data); err != nil {
			return err
		}
	}
	for len(sent) > 0 {
		if err := q.settle(ctx, <-sent); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until a shard is in the queue, and sends it again if that has failed.
func (q *queue) settle(ctx context.Context, sent jetstream.PubAckFuture) error {
	select {
	case <-sent.Ok():
		return nil
	case <-sent.Err():
		return q.publish(ctx, sent.Msg().Subject, sent.Msg().Data)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *queue) publish(ctx context.Context, subject string, data []byte) error {
	return q.patiently(ctx, "sending a shard", func(ctx context.Context) error {
		_, err := q.js.Publish(ctx, subject, data)
		return err
	})
}

// known are the places of shards that are in the queue or have results.
func (q *queue) known(ctx context.Context) (places map[string]bool, err error) {
	err = q.patiently(ctx, "listing shards", func(ctx context.Context) error {
		places = make(map[string]bool)
		stream, err := q.js.Stream(ctx, streamName(q.cfg.Name))
		if err != nil {
			return err
		}
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(subjects(q.cfg.Name)+">"))
		if err != nil {
			return err
		}
		for subject := range info.State.Subjects {
			places[strings.TrimPrefix(subject, subjects(q.cfg.Name))] = true
		}
		keys, err := q.bucket.ListKeysFiltered(ctx, resultKey+">")
		if err != nil {
			return err
		}
		for key := range keys.Keys() {
			places[strings.TrimPrefix(key, resultKey)] = true
		}
		return ctx.Err() // the list may have been cut short
	})
	return places, err
}
