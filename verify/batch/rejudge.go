package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A Rejudged is a line of a record and what is said of it now.
type Rejudged struct {
	*Result
	File string // of the results
	Line int64  // in it, from 1

	// Judgement is the verdict of now beside that of then. It is nil if the filing was
	// not put to a verifier then, for the Reason of the Result, and with Err.
	Judgement *evidence.Judgement

	// Err says why the line could not be judged again: what is missing
	// ([*evidence.MissingError]), damaged ([*evidence.DamageError]) or contradicts
	// itself ([*DamageError]).
	Err error
}

// RejudgeOptions are the particulars of Rejudge.
type RejudgeOptions struct {
	// Source has the filings. Without it, or where they have changed, what was signed
	// is not at hand, and lines are not judged again for that.
	Source Source

	// Item is the filing that is asked about. If empty, all are.
	Item string
}

// Rejudge has a judge, whose policy may be another than then, judge the lines of a
// record again: from what is in them, the objects in the store of the judge, which is
// the pack beside the results, and the filings in the source. Nothing else is asked.
//
// It checks each line against its chain as it goes, and each manifest against the lines
// before it, and ends with a [*DamageError] at the first that is not as it was written;
// [Verify] checks the record as a whole, and the evidence. An error comes with a nil
// Rejudged and ends it.
func Rejudge(ctx context.Context, dir string, judge *evidence.Judge, opts RejudgeOptions) iter.Seq2[*Rejudged, error] {
	return func(yield func(*Rejudged, error) bool) {
		head, err := os.ReadFile(filepath.Join(dir, headName))
		if err == nil && where(head) == evidenceOmitted {
			err = errors.New("the batch was run without evidence")
		}
		if err != nil {
			yield(nil, fmt.Errorf("batch: %w", err))
			return
		}
		r := rejudging{ctx: ctx, judge: judge, opts: opts, scan: scan{batch: nameOf(head)}}
		err = eachGeneration(dir, func(n int) error {
			r.scan = scan{batch: r.batch, generation: n}
			return r.rejudge(dir, yield)
		})
		if err != nil && err != errEnough {
			yield(nil, err)
		}
	}
}

// errEnough ends a scan by whoever reads it.
var errEnough = errors.New("enough")

// A rejudging goes through the generations of a record.
type rejudging struct {
	scan
	ctx   context.Context
	judge *evidence.Judge
	opts  RejudgeOptions
	last  *Report // of the generation before
}

// rejudge has the lines of a generation judged, and compares its manifest with them.
func (r *rejudging) rejudge(dir string, yield func(*Rejudged, error) bool) error {
	report, err := readReport(dir, r.generation)
	if err != nil {
		return err
	}
	rest, err := r.judgeLines(dir, yield)
	if err != nil || report == nil {
		return err
	}
	if rest > 0 {
		return r.noEnd()
	}
	r.last, err = report, report.closes(&r.scan, r.last)
	return err
}

// judgeLines has the lines of a generation judged.
func (r *rejudging) judgeLines(dir string, yield func(*Rejudged, error) bool) (rest int64, err error) {
	find := func(int64) (*Item, error) { return new(Item), nil }
	if r.opts.Source != nil {
		next, stop := iter.Pull2(placed(r.opts.Source.Items()))
		defer stop()
		find = func(index int64) (*Item, error) { return findItem(next, index) }
	}
	return r.scan.run(dir, func(res *Result) error {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if r.opts.Item != "" && r.opts.Item != res.Item {
			return nil
		}
		item, err := find(res.Index)
		if err != nil {
			return err
		}
		again := &Rejudged{Result: res, File: fmt.Sprintf(resultsName, r.generation), Line: r.lines}
		if again.Judgement, again.Err = r.again(again, item); r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if !yield(again, nil) {
			return errEnough
		}
		return nil
	})
}

// findItem goes on to a place in the source.
func findItem(next func() (Item, error, bool), index int64) (*Item, error) {
	for {
		item, err, ok := next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &ChangedError{fmt.Sprintf("the source, which has no filing %d any more,", index)}
		}
		if item.index == index {
			return &item, nil
		}
	}
}

// again judges one line.
func (r *rejudging) again(line *Rejudged, item *Item) (*evidence.Judgement, error) {
	rec, err := line.Record()
	if err != nil || rec == nil {
		return nil, err
	}
	if err := line.agrees(rec); err != nil {
		return nil, &DamageError{File: line.File, Line: line.Line, Item: line.Item, Err: err}
	}
	given := new(evidence.Given)
	if item.Signature != nil {
		data, whole, err := item.Signature.read(make([]byte, 4<<10), verify.MaxSize)
		if err != nil {
			return nil, fmt.Errorf("batch: reading the signature of %s: %w", line.Item, err)
		}
		if whole {
			given.Signature = data
		}
	}
	apart := rec.Asked.Method == evidence.Detached || rec.Asked.Method == evidence.Statement
	if item.Content != nil && apart {
		content, err := item.Content()
		if err != nil {
			return nil, fmt.Errorf("batch: reading the content of %s: %w", line.Item, err)
		}
		defer content.Close()
		given.Content = io.Reader(content)
	}
	return r.judge.Judge(r.ctx, rec, given)
}

// agrees checks that a result says what the record of its verdict does.
func (res *Result) agrees(rec *evidence.Record) error {
	reason := verify.Reason("")
	if rec.Verdict.Refusal != nil {
		reason = rec.Verdict.Refusal.Reason
	}
	switch accepted := rec.Verdict.Outcome == evidence.Accepted; {
	case accepted != (reason == ""):
		return errors.New("the outcome in its evidence contradicts itself")
	case res.Reason != reason && !(accepted && res.Reason == ReasonSignerMismatch):
		return fmt.Errorf("its reason is %q, and that in its evidence %q", res.Reason, reason)
	case res.Signature != rec.Asked.Signature.String():
		return errors.New("its evidence is about another signature")
	case !res.ReceivedAt.Equal(rec.Asked.ReceivedAt):
		return errors.New("its evidence is about another receipt time")
	}
	return nil
}
