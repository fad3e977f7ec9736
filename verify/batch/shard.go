package batch

import (
	"context"
	"fmt"
	"iter"
)

// A ShardRef names a shard: the key under which a queue and a store of results know
// it.
type ShardRef struct {
	Batch      string // SHA-256 of batch.json, in hexadecimal
	Generation int
	Shard      int64 // in the first generation, its first filing has place Shard times ShardSize

	// Places are those of its filings in the source, in a later generation.
	Places []int64
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

// A JudgedShard is what came of a shard: whole lines of a results file, in order, and
// the head of their chain.
type JudgedShard struct {
	ShardRef
	Lines []byte
	Head  ShardHead
}

// JudgeShard judges the filings of one shard, for runs that are spread over several
// machines. The same shard judged again differs in durations at least: whoever
// collects shards keeps the first of each. Nothing is written.
func (r *Runner) JudgeShard(ctx context.Context, ref ShardRef, items iter.Seq2[Item, error]) (*JudgedShard, error) {
	out := &JudgedShard{ShardRef: ref, Head: ShardHead{Shard: ref.Shard}}
	chain := newChain(ref.Batch, ref.Generation, ref.Shard)
	for res, err := range r.Results(ctx, items, InputOrder) {
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
		out.Head.Filings++
		out.Head.Head = chain.String()
	}
	return out, nil
}
