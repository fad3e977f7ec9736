package batch

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
)

// A ShardRef names a shard: the key under which a queue and a store of results know
// it.
type ShardRef struct {
	Batch      string `json:"batch"` // SHA-256 of batch.json, in hexadecimal
	Generation int    `json:"generation"`
	Shard      int64  `json:"shard"` // in the first generation, its first filing has place Shard times ShardSize

	// Places are those of its filings in the source, ascending, in a later
	// generation.
	Places []int64 `json:"places,omitempty"`
}

func (ref *ShardRef) place(n int64) int64 {
	if ref.Generation == 0 {
		return ref.Shard*ShardSize + n
	}
	if n < int64(len(ref.Places)) {
		return ref.Places[n]
	}
	return -1
}

// A JudgedShard is what came of a shard: whole lines of a results file, in order, the
// head of their chain, and what RunShards needs to know of them without reading
// them. Its JSON is all but the lines.
type JudgedShard struct {
	ShardRef
	Head    ShardHead `json:"head"`
	Summary Summary   `json:"summary"`
	Lines   []byte    `json:"-"`

	// Seal is an HMAC under a key made of Config.PseudonymKey. It says that whoever has
	// that key has judged these places and come to this.
	Seal []byte `json:"seal,omitempty"`

	// Failure, if not empty, says why the shard could not be judged. There is nothing
	// else then but the ShardRef.
	Failure string `json:"failure,omitempty"`
}

// JudgeShard judges the filings of one shard, for runs that are spread over several
// machines. The same shard judged again differs in durations at least: whoever
// collects shards keeps the first of each. Nothing is written but the evidence,
// which is durable when JudgeShard returns. Of Config.Prefetch the first call makes
// use.
func (r *Runner) JudgeShard(ctx context.Context, ref ShardRef, items iter.Seq2[Item, error]) (*JudgedShard, error) {
	var err error
	r.prefetched.Do(func() { err = r.prefetch(ctx) })
	if err != nil {
		return nil, err
	}
	shard, err := r.sealShard(ref, func(yield func(*Result, error) bool) {
		newPool(r, InputOrder).run(ctx, items, yield)
	})
	if err != nil {
		return nil, err
	}
	if r.kept != nil {
		err = r.kept.sync()
	}
	return shard, err
}

// shardSpace is room for the lines of a shard, in bytes: growing there would copy them
// several times over.
const shardSpace = ShardSize * 1500

// sealShard makes a shard of its results.
func (r *Runner) sealShard(ref ShardRef, results iter.Seq2[*Result, error]) (*JudgedShard, error) {
	out := &JudgedShard{ShardRef: ref, Head: ShardHead{Shard: ref.Shard}, Summary: *newSummary()}
	out.Lines = make([]byte, 0, shardSpace)
	chain := newChain(ref.Batch, ref.Generation, ref.Shard)
	for res, err := range results {
		if err != nil {
			return nil, err
		}
		res.Generation, res.Shard = ref.Generation, ref.Shard
		if res.Index = ref.place(out.Head.Filings); res.Index < 0 {
			return nil, fmt.Errorf("batch: shard %d has more filings than places, which are %d", ref.Shard, len(ref.Places))
		}
		if out.Lines, err = chain.seal(out.Lines, res); err != nil {
			return nil, err
		}
		out.Summary.add(res)
		out.Head.Filings++
		out.Head.Head = chain.String()
	}
	var err error
	out.Seal, err = r.seal(&ref, out)
	return out, err
}

// seal is the seal that a shard has if its filings are those of ref.
func (r *Runner) seal(ref *ShardRef, shard *JudgedShard) ([]byte, error) {
	sealed, err := json.Marshal(&JudgedShard{ShardRef: *ref, Head: shard.Head, Summary: shard.Summary})
	if err != nil {
		return nil, fmt.Errorf("batch: sealing shard %d: %w", ref.Shard, err)
	}
	h := hmac.New(sha256.New, r.cfg.PseudonymKey)
	h.Write([]byte("citizencert batch shard\n"))
	h.Write(sealed)
	return h.Sum(nil), nil
}

// check checks that a shard is what a Runner of this policy and key has made of the
// shard that ref names, and that nothing has been changed since.
func (r *Runner) check(ref *ShardRef, shard *JudgedShard) error {
	want, err := r.seal(ref, shard)
	if err != nil {
		return err
	}
	if !hmac.Equal(shard.Seal, want) {
		return &ShardError{ref.Shard, fmt.Errorf("its seal is not that of its places, head and summary under the key")}
	}
	return nil
}

// A ShardError says that what came of a shard cannot be recorded.
type ShardError struct {
	Shard int64
	Err   error
}

func (e *ShardError) Error() string { return fmt.Sprintf("batch: shard %d: %v", e.Shard, e.Err) }

func (e *ShardError) Unwrap() error { return e.Err }
