package batch

import (
	"context"
	"iter"
)

// A ShardRef names a shard: the key under which a queue and a store of results know
// it.
type ShardRef struct {
	Batch      string // SHA-256 of batch.json, in hexadecimal
	Generation int
	Shard      int64 // the first filing is that with place Shard times ShardSize
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
// collects shards keeps the first of each. Nothing is written. Of generations after the
// first, items is what is left of the generation before, in the order of the source.
func (r *Runner) JudgeShard(ctx context.Context, ref ShardRef, items iter.Seq2[Item, error]) (*JudgedShard, error) {
	out := &JudgedShard{ShardRef: ref, Head: ShardHead{Shard: ref.Shard}}
	chain := newChain(ref.Batch, ref.Generation, ref.Shard)
	for res, err := range r.Results(ctx, items, InputOrder) {
		if err != nil {
			return nil, err
		}
		res.Generation, res.Shard = ref.Generation, ref.Shard
		if ref.Generation == 0 {
			res.Index = ref.Shard*ShardSize + out.Head.Filings
		}
		if out.Lines, err = chain.seal(out.Lines, res); err != nil {
			return nil, err
		}
		out.Head.Filings++
		out.Head.Head = chain.String()
	}
	return out, nil
}
