package nats

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/verify/batch"
)

// maxPart is a piece of a result that fits into a message, in bytes.
const maxPart = 512 << 10

// The beginnings of keys.
const (
	resultKey = "result."
	partKey   = "part."
	badKey    = "bad."
)

// A result is the value under the key of a shard. The lines, packed, are under the keys
// of their parts, stored before it: whatever two workers store of one shard at a time,
// a result is found whole.
type result struct {
	*batch.JudgedShard
	Size  int64    `json:"size"`  // of the lines, in bytes
	Parts []string `json:"parts"` // SHA-256 of each, in hexadecimal
}

// has reports whether a shard has a result.
func (q *queue) has(ctx context.Context, ref *batch.ShardRef) (found bool, err error) {
	err = q.patiently(ctx, "asking for a result", func(ctx context.Context) error {
		_, err := q.bucket.Get(ctx, resultKey+place(ref))
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return nil
		}
		found = err == nil
		return err
	})
	return found, err
}

// put stores what came of a shard, unless it has a result.
func (q *queue) put(ctx context.Context, shard *batch.JudgedShard) error {
	stored := *shard
	stored.Places = nil // who takes the result knows them
	index := result{JudgedShard: &stored, Size: int64(len(shard.Lines)), Parts: []string{}}
	packed := pack(shard.Lines)
	for part := range slices.Chunk(packed, int(min(maxPart, q.js.Conn().MaxPayload()*3/4))) {
		sum := sha256.Sum256(part)
		name := hex.EncodeToString(sum[:])
		index.Parts = append(index.Parts, name)
		err := q.patiently(ctx, "storing a part of a result", func(ctx context.Context) error {
			_, err := q.bucket.Put(ctx, partKey+name, part)
			return err
		})
		if err != nil {
			return err
		}
	}
	value, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("nats: encoding the result of shard %d: %w", shard.Shard, err)
	}
	err = q.patiently(ctx, "storing a result", func(ctx context.Context) error {
		_, err := q.bucket.Create(ctx, resultKey+place(&shard.ShardRef), value)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyExists) {
		return nil // the first counts
	}
	if err != nil {
		return err
	}
	q.ring(resultBell(q.cfg.Name))
	return nil
}

// get returns what came of a shard, or nil if it has no result. Runner.RunShards
// checks that it is what a worker has made.
func (q *queue) get(ctx context.Context, ref *batch.ShardRef) (shard *batch.JudgedShard, err error) {
	err = q.patiently(ctx, "taking a result", func(ctx context.Context) error {
		entry, err := q.bucket.Get(ctx, resultKey+place(ref))
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		shard, err = q.assemble(ctx, entry.Value())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("shard %d: %w", ref.Shard, err)
	}
	return shard, nil
}

func (q *queue) assemble(ctx context.Context, value []byte) (*batch.JudgedShard, error) {
	var index result
	if err := json.Unmarshal(value, &index); err != nil {
		return nil, &refusal{err}
	}
	if index.JudgedShard == nil || index.Size < 0 || index.Size > q.cfg.MaxResult {
		return nil, &refusal{fmt.Errorf("the result has %d bytes, want 0 to %d", index.Size, q.cfg.MaxResult)}
	}
	var packed []byte
	for _, name := range index.Parts {
		part, err := q.bucket.Get(ctx, partKey+name)
		if err != nil {
			return nil, err
		}
		if packed = append(packed, part.Value()...); int64(len(packed)) > index.Size+maxPart {
			return nil, &refusal{fmt.Errorf("the parts of the result have more bytes than its lines, which are %d", index.Size)}
		}
	}
	var err error
	if index.Lines, err = unpack(packed, index.Size); err != nil {
		return nil, &refusal{fmt.Errorf("unpacking the result: %w", err)}
	}
	return index.JudgedShard, nil
}

// fail stores that a shard could not be judged, unless it has a result.
func (q *queue) fail(ctx context.Context, ref *batch.ShardRef, why string) error {
	return q.put(ctx, &batch.JudgedShard{ShardRef: *ref, Failure: why})
}

// putBad stores why a message is not a shard.
func (q *queue) putBad(ctx context.Context, sequence uint64, why error) error {
	return q.patiently(ctx, "storing that a message is bad", func(ctx context.Context) error {
		_, err := q.bucket.PutString(ctx, fmt.Sprintf("%s%d", badKey, sequence), why.Error())
		return err
	})
}
