// Package batch verifies many signed filings: the seven million of a tax season,
// each at the instant at which it was received, with a record of what came out
// that can be checked years later.
//
// A [Runner] holds the policy. Most programs open a source and run it:
//
//	src, err := batch.Open("filings") // a folder, a manifest, a tar or zip archive
//	runner, err := batch.New(batch.Config{Verify: cfg, PseudonymKey: key})
//	report, err := runner.Run(ctx, "results", src, batch.RunOptions{})
//
// Run writes one line of JSON for each filing, in the order of the source, into
// files of which every line vouches for those before it ([Verify] reads them
// again), and can be killed at any instant and resumed. [Runner.Results] is the
// same without a record, for programs that keep their own.
//
// A filing that is refused is a result, not an error. So is one that panics,
// hangs or cannot be read: it costs only itself.
//
// The caller still owns: that the receipt times of the source are those of its
// own records, that no filing is in the source twice, and the HMAC key under which
// signers appear in results.
//
// # What a verdict rests on
//
// Run keeps the certificates, OCSP answers, lists and time-stamps of all verdicts,
// refusals too, in a pack beside the results, each once, and each result has the
// [evidence.Record] of its verdict. With that and the filings, [Rejudge] judges any line
// again years later, without a network, under the same policy or another.
//
// # What is shared
//
// Paths and certificates of signers who file again are remembered by the
// [verify.Verifier], answers of responders and lists by the sources of status.
// Workers that have one question at one time share it. When the network is asked,
// more workers than cores are of use.
//
// # Sources
//
// A manifest is JSON Lines, one filing a line, see [Open]. A folder and an archive
// carry theirs inside, as manifest.jsonl. The receipt time stands there and nowhere
// else: a file's modification time never counts.
//
// # Shards
//
// ShardSize filings in the order of the source are a shard. The lines of a shard
// are a hash chain that begins with the names of batch, generation and shard, so
// that shards can be judged on several machines, and their heads chained in order
// when all are there.
package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"

	"github.com/citizencert/citizencert/internal/digest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// ShardSize is how many filings make a shard: large enough that a queue which
// makes each shard durable is not the bottleneck, small enough that little is lost
// with one.
const ShardSize = 1000

// The defaults of Config. No filing of a person takes a minute, unless a responder
// does; a result is of no use to anyone earlier than a second after it was made.
const (
	DefaultItemTimeout = time.Minute
	DefaultCheckpoint  = time.Second
)

// MinPseudonymKey is the size of an HMAC-SHA-256 key at full strength, in bytes.
const MinPseudonymKey = 32

// Config says how filings are judged. It must not be modified after [New].
type Config struct {
	// Verify is the policy. Required. The Runner makes its own Verifier of it, so
	// that results can name the policy even where nothing passed.
	Verify verify.Config

	// PseudonymKey makes the pseudonyms under which signers appear in results: those
	// of one signer are equal under one key, and tell nothing without it. Required,
	// at least MinPseudonymKey random bytes.
	PseudonymKey []byte

	// IncludeIdentity writes the holder's number, name and last four characters into
	// results as well. They are personal data.
	IncludeIdentity bool

	// Host and Service are those that the lines of filings must name (see
	// [verify.StatementOptions]). Without them a filing with a line is refused.
	Host, Service string

	// Workers is how many filings are judged at a time. If zero, one per core.
	Workers int

	// ItemTimeout bounds one filing. If zero, DefaultItemTimeout.
	ItemTimeout time.Duration

	// MaxContent bounds a document, and a message with its content inside, in bytes.
	// If zero, any size is accepted: content is never held in memory.
	MaxContent int64

	// Checkpoint is how often results are made durable. If zero, DefaultCheckpoint.
	Checkpoint time.Duration

	// Prefetch, if not nil, is called before the first filing is judged.
	Prefetch Prefetcher

	// Keep is where what verdicts rest on is kept. If nil, Run keeps it in a pack in its
	// folder, and Results and JudgeShard keep nothing.
	Keep Keeper

	// OmitEvidence has Run keep nothing, if Keep is nil. Its results then say why a
	// filing was refused, and nobody can judge it again by what was known then.
	OmitEvidence bool
}

// A Prefetcher learns in advance what sources of status will be asked, such as
// revocation lists, or answers about the signers of last year.
type Prefetcher interface {
	// Prefetch returns when it has learned what it can. What it could not learn is
	// asked when it is needed, so that its error ends nothing.
	Prefetch(ctx context.Context) error
}

// A Keeper keeps the certificates, OCSP answers, revocation lists and time-stamps
// to which results refer. An [evidence.Pack] is one.
type Keeper interface {
	evidence.Store

	// Sync makes durable what has been put. It is called before the results that
	// refer to it are made durable.
	Sync() error
}

var _ Keeper = (*evidence.Pack)(nil)

// A Runner judges filings under one policy. Its methods may be called
// concurrently.
type Runner struct {
	cfg      Config
	verifier *verify.Verifier
	policy   policy
	sums     *digest.Shared
	kept     *keeping // or nil

	prefetched *sync.Once // for JudgeShard
}

// New returns a Runner.
func New(cfg Config) (*Runner, error) {
	cfg.Workers = cmp.Or(cfg.Workers, runtime.GOMAXPROCS(0))
	cfg.ItemTimeout = cmp.Or(cfg.ItemTimeout, DefaultItemTimeout)
	cfg.Checkpoint = cmp.Or(cfg.Checkpoint, DefaultCheckpoint)
	switch {
	case len(cfg.PseudonymKey) < MinPseudonymKey:
		return nil, fmt.Errorf("batch: Config.PseudonymKey has %d bytes, want at least %d", len(cfg.PseudonymKey), MinPseudonymKey)
	case (cfg.Host == "") != (cfg.Service == ""):
		return nil, errors.New("batch: Config.Host and Service go together")
	case cfg.Workers < 0 || cfg.ItemTimeout < 0 || cfg.MaxContent < 0 || cfg.Checkpoint < 0:
		return nil, errors.New("batch: Config.Workers, ItemTimeout, MaxContent or Checkpoint is negative")
	}
	v, err := verify.New(cfg.Verify)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	r := &Runner{cfg: cfg, verifier: v, policy: policyOf(&cfg), sums: new(digest.Shared), prefetched: new(sync.Once)}
	if cfg.Keep != nil {
		r.kept = newKeeping(cfg.Keep, v)
	}
	return r, nil
}

// An Order is the order in which results come.
type Order int

const (
	// InputOrder is that of the source.
	InputOrder Order = iota
	// AsTheyCome hands a result on as soon as it is there.
	AsTheyCome
)

// Results judges filings and yields what came of each, until items ends, ctx ends
// or the caller has had enough. A nil Result comes with the error of the source or
// of ctx that ended it. What is in memory is bounded by the number of workers.
func (r *Runner) Results(ctx context.Context, items iter.Seq2[Item, error], order Order) iter.Seq2[*Result, error] {
	return func(yield func(*Result, error) bool) {
		if err := r.prefetch(ctx); err != nil {
			yield(nil, err)
			return
		}
		newPool(r, order).run(ctx, items, yield)
	}
}

func (r *Runner) prefetch(ctx context.Context) error {
	if r.cfg.Prefetch == nil {
		return nil
	}
	if err := r.cfg.Prefetch.Prefetch(ctx); ctx.Err() != nil {
		return fmt.Errorf("batch: prefetching: %w", err)
	}
	return nil
}
