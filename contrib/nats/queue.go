package nats

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/verify/batch"
)

// What a batch has on the server, by its name:
//
//	stream    citizencert_<name>_shards     the queue: citizencert.<name>.shard.<generation>.<shard>
//	consumer  workers                       of the queue
//	bucket    citizencert_<name>
//	            head                        content of batch.json
//	            result.<generation>.<shard> what came of a shard
//	            part.<SHA-256>              a piece of its lines, packed
//	            bad.<sequence>              a message that is not a shard
//	subjects  citizencert.<name>.begun and .result, which are bells
const (
	consumerName = "workers"
	headKey      = "head"
	maxInFlight  = 256 // of shards that are sent; beyond, the client refuses
)

func streamName(name string) string { return "citizencert_" + name + "_shards" }
func bucketName(name string) string { return "citizencert_" + name }
func subjects(name string) string   { return "citizencert." + name + ".shard." }

// place is where a shard is, in subjects and keys.
func place(ref *batch.ShardRef) string { return fmt.Sprintf("%d.%d", ref.Generation, ref.Shard) }

// A queue is a batch on the server.
type queue struct {
	cfg      Config
	head     []byte
	batch    string
	js       jetstream.JetStream
	bucket   jetstream.KeyValue
	consumer jetstream.Consumer
}

func newQueue(cfg Config) (*queue, error) {
	if cfg.Conn == nil {
		return nil, errors.New("nats: Config.Conn is required")
	}
	head, err := cfg.Runner.Head(cfg.Source)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(cfg.Conn, jetstream.WithPublishAsyncTimeout(requestTimeout))
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return &queue{cfg: cfg, head: head, batch: batch.BatchOf(head), js: js}, nil
}

// create makes what the batch needs on the server, or finds it there. The head comes
// last: who finds it finds the rest.
func (q *queue) create(ctx context.Context) error {
	return q.patiently(ctx, "preparing the queue", func(ctx context.Context) (err error) {
		q.bucket, err = q.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: bucketName(q.cfg.Name), Description: "results of a batch of citizencert",
			History: 1, Storage: jetstream.FileStorage, Replicas: q.cfg.Replicas,
		})
		if err != nil {
			return err
		}
		_, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: streamName(q.cfg.Name), Description: "shards of a batch of citizencert",
			Subjects:  []string{subjects(q.cfg.Name) + ">"},
			Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: q.cfg.Replicas,
		})
		if err != nil {
			return err
		}
		// Deliveries are counted by the workers: the server would drop what it has
		// delivered too often.
		q.consumer, err = q.js.CreateOrUpdateConsumer(ctx, streamName(q.cfg.Name), jetstream.ConsumerConfig{
			Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: q.cfg.AckWait, MaxDeliver: -1,
		})
		if err != nil {
			return err
		}
		_, err = q.bucket.Create(ctx, headKey, q.head)
		if errors.Is(err, jetstream.ErrKeyExists) {
			return q.checkHead(ctx)
		}
		return err
	})
}

func (q *queue) checkHead(ctx context.Context) error {
	entry, err := q.bucket.Get(ctx, headKey)
	if err != nil {
		return err
	}
	if err := q.cfg.Runner.CheckHead(q.cfg.Source, entry.Value()); err != nil {
		return &refusal{err}
	}
	return nil
}

// A refusal ends what is done patiently.
type refusal struct{ err error }

func (e *refusal) Error() string { return e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }

// open finds a batch that a coordinator has created.
func (q *queue) open(ctx context.Context) error {
	return q.patiently(ctx, "joining the batch", func(ctx context.Context) (err error) {
		if q.bucket, err = q.js.KeyValue(ctx, bucketName(q.cfg.Name)); err != nil {
			return err
		}
		if err := q.checkHead(ctx); err != nil {
			return err
		}
		q.consumer, err = q.js.Consumer(ctx, streamName(q.cfg.Name), consumerName)
		return err
	})
}

// isAbsent reports whether an error says that there is no batch.
func isAbsent(err error) bool {
	return errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrKeyNotFound) ||
		errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound)
}

// closed reports whether the batch is not on the server any more.
func (q *queue) closed(ctx context.Context) (bool, error) {
	if q.gone(ctx) {
		return true, nil
	}
	err := q.patiently(ctx, "looking for the batch", q.checkHead)
	if err != nil && isAbsent(err) {
		return true, nil
	}
	return false, err
}

// remove takes the batch off the server, if it is this one that is there.
func (q *queue) remove(ctx context.Context) error {
	err := q.patiently(ctx, "removing the batch from the server", func(ctx context.Context) (err error) {
		if q.bucket, err = q.js.KeyValue(ctx, bucketName(q.cfg.Name)); err != nil {
			return err
		}
		entry, err := q.bucket.Get(ctx, headKey)
		if err != nil || !bytes.Equal(entry.Value(), q.head) {
			return err
		}
		if err := q.js.DeleteStream(ctx, streamName(q.cfg.Name)); err != nil && !isAbsent(err) {
			return err
		}
		return q.js.DeleteKeyValue(ctx, bucketName(q.cfg.Name))
	})
	if isAbsent(err) {
		return nil
	}
	return err
}
