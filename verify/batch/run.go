package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/citizencert/citizencert/verify/evidence"
)

// RunOptions are the particulars of one run.
type RunOptions struct {
	// Resume goes on where a run has ended before its end. It is refused with a
	// *ChangedError if source, policy or key are not those of that run.
	Resume bool

	// Retry judges those filings again, in a generation of results of their own,
	// whose status could not be learned, which took too long or could not be read.
	Retry bool

	// OnResult, if not nil, is told of each result that is judged here when it has been
	// added, in order.
	OnResult func(*Result)

	// OnShard, if not nil, is told of each shard that RunShards has added, in order.
	OnShard func(*JudgedShard)
}

// ErrUnfinished is wrapped by the error for a folder with results of a run that has
// not come to its end, and for options without Resume.
var ErrUnfinished = errors.New("the folder has results of a run that did not finish; resume it, or take another folder")

// Run judges the filings of a source and records the results in a folder:
//
//	batch.json        the source and the policy; its SHA-256 names the batch
//	results-0.jsonl   a line for each filing, in the order of the source
//	manifest-0.json   the Report, when all are there
//	evidence.pack     certificates, OCSP answers and lists that results rest on, once each
//
// and results-1.jsonl and so on after retries. On a folder whose run has finished,
// it changes nothing and returns the Report, unless there is something to retry.
//
// Results are durable after Config.Checkpoint. A process that is killed loses those
// of the last moments, never half of one, and what is resumed goes on after the
// last. When ctx ends or the disk is full, what there is is kept in the same way.
func (r *Runner) Run(ctx context.Context, dir string, src Source, opts RunOptions) (*Report, error) {
	return r.run(ctx, dir, src, opts, (*Runner).fillRecord)
}

// run does what Run does, with another way to come to the results.
func (r *Runner) run(ctx context.Context, dir string, src Source, opts RunOptions, fill filler) (*Report, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	unlock, err := lock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	defer unlock()
	head := r.head(src)
	batch, err := head.begin(dir)
	if err != nil {
		return nil, err
	}
	last, err := lastReport(dir)
	if err != nil {
		return nil, err
	}
	generation := 0
	if last != nil {
		generation = last.Generation + 1
	}
	begun, err := exists(filepath.Join(dir, fmt.Sprintf(resultsName, generation)))
	switch {
	case err != nil:
		return nil, err
	case begun && !opts.Resume:
		return nil, fmt.Errorf("batch: %s: %w", dir, ErrUnfinished)
	case last != nil && !begun && (!opts.Retry || last.retryable() == 0):
		return last, nil
	}
	g := &stage{dir: dir, batch: batch, number: generation, last: last, src: src, opts: opts, fill: fill}
	if r.cfg.Keep != nil || r.cfg.OmitEvidence {
		return r.runStage(ctx, g)
	}
	return r.runPacked(ctx, g)
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("batch: %w", err)
	}
	return true, nil
}

// retryable is how many filings a retry would judge again.
func (report *Report) retryable() int64 {
	return report.Summary.Verdicts[Undecided] + report.Summary.Reasons[ReasonUnreadable]
}

// A stage is one generation of a run.
type stage struct {
	dir, batch string
	number     int
	last       *Report // of the generation before, or nil
	src        Source
	opts       RunOptions
	has        func(evidence.Hash) (bool, error) // what is in the pack beside the results, or nil
	fill       filler
}

// runPacked is runStage with evidence in a pack beside the results.
func (r *Runner) runPacked(ctx context.Context, g *stage) (report *Report, err error) {
	pack, err := evidence.OpenPack(filepath.Join(g.dir, EvidenceName))
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	defer func() { err = errors.Join(err, pack.Close()) }()
	own := *r
	own.kept, g.has = newKeeping(pack, r.verifier), pack.Has
	return own.runStage(ctx, g)
}

// A filler has a Runner add to a record the results that it does not have yet.
type filler func(r *Runner, ctx context.Context, rec *record, g *stage, m *meter) error

// runStage judges what is left of a generation and closes it.
func (r *Runner) runStage(ctx context.Context, g *stage) (*Report, error) {
	summary, previous := newSummary(), ""
	if g.last != nil {
		summary, previous = &g.last.Summary, g.last.Manifest
		if err := g.withdraw(summary); err != nil {
			return nil, err
		}
	}
	rec, err := r.openRecord(g.dir, g.batch, g.number, summary, g.has)
	if err != nil {
		return nil, err
	}
	m, before := newMeter(), rec.lines
	err = g.fill(r, ctx, rec, g, m)
	if err := rec.close(err); err != nil {
		return nil, err
	}
	return rec.report(previous, m, rec.lines-before)
}

func (r *Runner) fillRecord(ctx context.Context, rec *record, g *stage, m *meter) error {
	return r.judgeInto(ctx, rec, rec.remaining(g), g, m)
}

// judgeInto adds what comes of the next filings.
func (r *Runner) judgeInto(ctx context.Context, rec *record, items iter.Seq2[Item, error], g *stage, m *meter) error {
	before := rec.lines
	for res, err := range r.Results(ctx, items, InputOrder) {
		if err != nil {
			return err
		}
		if err := rec.add(res); err != nil {
			return err
		}
		m.at(rec.lines - before)
		if g.opts.OnResult != nil {
			g.opts.OnResult(res)
		}
	}
	return nil
}

// withdraw takes the results that this generation replaces out of the summary. Lines
// that are missing at the end of the generation before show in its manifest alone.
func (g *stage) withdraw(summary *Summary) error {
	old := scan{batch: g.batch, generation: g.last.Generation}
	_, err := old.run(g.dir, func(res *Result) error {
		if res.Retryable {
			summary.withdraw(res)
		}
		return nil
	})
	if err == nil && (old.lines != g.last.Lines || chainOf(old.heads) != g.last.Chain) {
		err = &DamageError{
			File: fmt.Sprintf(resultsName, old.generation),
			Err:  fmt.Errorf("its %d lines are not the %d of "+manifestName, old.lines, g.last.Lines, old.generation),
		}
	}
	return err
}
