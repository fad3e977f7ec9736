package batch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
)

// Head is the content of batch.json for a source under the Runner's policy and key.
// Its SHA-256 in hexadecimal names the batch.
func (r *Runner) Head(src Source) ([]byte, error) {
	h := r.head(src)
	return h.encode()
}

// CheckHead returns a *ChangedError that says what differs, if a Head that was made
// elsewhere is not that of this Runner and source.
func (r *Runner) CheckHead(src Source, head []byte) error {
	h := r.head(src)
	want, err := h.encode()
	if err != nil || bytes.Equal(head, want) {
		return err
	}
	return h.compare(head)
}

// BatchOf returns the name of the batch with that head.
func BatchOf(head []byte) string { return nameOf(head) }

// A ShardJudge has shards judged on other machines, and yields what came of each, in
// the order of missing, which can be iterated more than once. An error ends the run.
type ShardJudge func(ctx context.Context, missing iter.Seq2[ShardRef, error]) iter.Seq2[*JudgedShard, error]

// RunShards does what Run does, and has judge come to the results: of the shards that
// Run would make, whole ones. For the same lines the record is the same, octet for
// octet. A shard is refused, and the run ends, if a Runner of the same policy, source
// and key has not judged it, or if anything in it has been changed since.
//
// A shard that could not be judged (JudgedShard.Failure) leaves its filings undecided,
// with ReasonShard, for a retry. A shard that is half in the record, because Run or
// RunShards was killed, is finished here.
//
// Whoever judges keeps the evidence: every Runner has its Config.Keep, or all have
// Config.OmitEvidence.
func (r *Runner) RunShards(ctx context.Context, dir string, src Divided, judge ShardJudge, opts RunOptions) (*Report, error) {
	if r.cfg.evidence() == EvidenceName {
		return nil, errors.New("batch: shards that are judged elsewhere need Config.Keep, or Config.OmitEvidence")
	}
	return r.run(ctx, dir, src, opts, func(r *Runner, ctx context.Context, rec *record, g *stage, m *meter) error {
		before := rec.lines
		if err := r.finishShard(ctx, rec, g, m); err != nil {
			return err
		}
		c := &collection{record: rec, src: src, first: (rec.lines + ShardSize - 1) / ShardSize}
		missing := c.missing(g)
		return c.fill(ctx, missing, judge(ctx, missing), func(shard *JudgedShard) {
			m.at(rec.lines - before)
			if opts.OnShard != nil {
				opts.OnShard(shard)
			}
		})
	})
}

// finishShard judges what is left of a shard that has been begun. Where none has, it
// only looks whether the source is still the same.
func (r *Runner) finishShard(ctx context.Context, rec *record, g *stage, m *meter) error {
	left := (ShardSize - rec.lines%ShardSize) % ShardSize
	if rec.lines == 0 {
		return nil
	}
	rest := func(yield func(Item, error) bool) {
		n := left
		for item, err := range rec.remaining(g) {
			if n--; err == nil && n < 0 || !yield(item, err) {
				return
			}
		}
	}
	return r.judgeInto(ctx, rec, rest, g, m)
}

// A collection is a record that is filled with shards.
type collection struct {
	*record
	src   Divided
	first int64 // shard that is missing
}

// missing yields the shards that are not in the record.
func (c *collection) missing(g *stage) iter.Seq2[ShardRef, error] {
	return func(yield func(ShardRef, error) bool) {
		ref := ShardRef{Batch: g.batch, Generation: g.number, Shard: c.first}
		if g.last == nil {
			for ; ref.place(0) < c.src.Len(); ref.Shard++ {
				if !yield(ref, nil) {
					return
				}
			}
			return
		}
		skip := c.first * ShardSize
		for place, err := range g.retried() {
			if skip--; err == nil && skip >= 0 {
				continue
			}
			if ref.Places = append(ref.Places, place); err == nil && len(ref.Places) < ShardSize {
				continue
			}
			if !yield(ref, err) || err != nil {
				return
			}
			ref.Shard, ref.Places = ref.Shard+1, nil
		}
		if len(ref.Places) > 0 {
			yield(ref, nil)
		}
	}
}

// filings is how many the shard must have.
func (c *collection) filings(ref *ShardRef) int64 {
	if ref.Generation > 0 {
		return int64(len(ref.Places))
	}
	return min(ShardSize, c.src.Len()-ref.place(0))
}

// fill adds the shards that are yielded, which must be those that are missing.
func (c *collection) fill(ctx context.Context, missing iter.Seq2[ShardRef, error], judged iter.Seq2[*JudgedShard, error], added func(*JudgedShard)) error {
	next, stop := iter.Pull2(missing)
	defer stop()
	for shard, err := range judged {
		if err != nil {
			return err
		}
		ref, err, more := next()
		if err != nil {
			return err
		}
		if !more {
			return &ShardError{shard.Shard, errors.New("it was not missing")}
		}
		if shard.Failure != "" {
			if shard, err = c.giveUp(&ref, c.src, shard.Failure); err != nil {
				return err
			}
		}
		if err := c.addShard(&ref, shard); err != nil {
			return err
		}
		added(shard)
	}
	ref, err, more := next()
	if more {
		err = &ShardError{ref.Shard, errors.New("nothing has come of it")}
	}
	return cmp.Or(ctx.Err(), err)
}

// addShard checks a shard as a whole before it adds anything of it: the chain of its
// lines has no key, its head is under the seal.
func (c *collection) addShard(ref *ShardRef, shard *JudgedShard) error {
	if err := c.check(ref, shard); err != nil {
		return err
	}
	chain, n := newChain(ref.Batch, ref.Generation, ref.Shard), int64(0)
	for line := range bytes.Lines(shard.Lines) {
		if err := chain.follow(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return &ShardError{ref.Shard, fmt.Errorf("line %d: %w", n+1, err)}
		}
		n++
	}
	head := ShardHead{ref.Shard, n, chain.String()}
	if head != shard.Head || n != c.filings(ref) || !bytes.HasSuffix(shard.Lines, []byte("\n")) {
		return &ShardError{ref.Shard, fmt.Errorf("it has %d filings and ends in %s, want %d and %s", n, head.Head, c.filings(ref), shard.Head.Head)}
	}
	c.turn()
	c.lines += n
	c.size += int64(len(shard.Lines))
	c.chain, c.heads[len(c.heads)-1] = chain, head
	c.unwritten = append(c.unwritten, shard.Lines...)
	c.summary.merge(&shard.Summary)
	return c.grown()
}

// giveUp makes the results of filings that no machine could judge.
func (r *Runner) giveUp(ref *ShardRef, src Divided, why string) (*JudgedShard, error) {
	return r.sealShard(*ref, func(yield func(*Result, error) bool) {
		for item, err := range ref.Items(src) {
			if err != nil {
				yield(nil, err)
				return
			}
			res := r.newResult(&item)
			res.refuse(Undecided, ReasonShard, errors.New("batch: the shard could not be judged: "+why))
			if !yield(res, nil) {
				return
			}
		}
	})
}
