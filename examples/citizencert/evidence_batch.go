package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// isBatch reports whether an argument of evidence verify is the folder of a batch.
func isBatch(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// maxShownLines bounds the lines that are shown because they are not as recorded.
const maxShownLines = 1000

// A rejudgedBatch is the report of evidence verify about the results of a batch. It
// shows those lines that are not as recorded, or the one that was asked for.
type rejudgedBatch struct {
	Verdict    string           `json:"verdict"` // valid, if all is as recorded
	Lines      int64            `json:"lines"`
	AsRecorded int64            `json:"asRecorded"`
	NotJudged  int64            `json:"notJudged"` // then either, for what was wrong with the filing's entry
	Others     int64            `json:"others"`
	Records    []rejudgedRecord `json:"records"`
	Store      []string         `json:"store,omitempty"`    // what is damaged in it
	Manifest   string           `json:"manifest,omitempty"` // the SHA-256 of the one that closes the lines
	manifestSeals
}

// verifyBatch judges the lines of a batch again.
func (r *rejudging) verifyBatch(ctx context.Context, in *files, dir string) (report, error) {
	switch {
	case r.message != "" || r.text != "":
		return nil, errors.New("-signature and -content are for a file: of a batch, -source has the filings")
	case len(in.more) > 0:
		return nil, errors.New("evidence verify takes one batch at a time")
	}
	opts := batch.RejudgeOptions{Item: r.item}
	if r.source != "" {
		src, err := batch.Open(r.source)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		opts.Source = src
	}
	// Other processes that judged for the batch have packs of their own.
	pack := filepath.Join(dir, batch.EvidenceName)
	if _, err := os.Stat(pack); err == nil {
		r.stores = append(r.stores, pack)
	}
	judge, prepared, err := r.prepare(in)
	if err != nil {
		return nil, err
	}
	checker, err := r.seals.newChecker(in)
	if err != nil {
		return nil, err
	}
	defer checker.Close()
	out := &rejudgedBatch{Verdict: prepared.Verdict, Store: prepared.Store, Records: []rejudgedRecord{}}
	for line, err := range batch.Rejudge(ctx, dir, judge, opts) {
		if damage, ok := errors.AsType[*batch.DamageError](err); ok {
			out.addDamage(damage)
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		record, err := newRejudgedLine(line)
		if err != nil {
			return nil, err
		}
		out.add(*record, r.item != "")
	}
	if out.Lines == 0 && r.item != "" {
		return nil, fmt.Errorf("the batch has no filing %q", r.item)
	}
	return out, out.checkSeals(ctx, checker, dir)
}

// checkSeals checks the seals over the manifest, which all lines belong to.
func (b *rejudgedBatch) checkSeals(ctx context.Context, checker *sealChecker, dir string) error {
	last, err := batch.ReadReport(dir)
	if errors.Is(err, batch.ErrUnfinished) {
		last, err = new(batch.Report), nil
	}
	if damage, ok := errors.AsType[*batch.DamageError](err); ok {
		b.addDamage(damage)
		return nil
	}
	if err != nil {
		return err
	}
	b.Manifest = last.Manifest
	if b.check(ctx, checker, last); b.NotSealed != "" {
		b.Verdict = "refused"
	}
	return nil
}

// addDamage keeps what ends the judging.
func (b *rejudgedBatch) addDamage(damage *batch.DamageError) {
	name := damage.File
	if damage.Line > 0 {
		name = fmt.Sprintf("%s:%d", damage.File, damage.Line)
	}
	b.add(rejudgedRecord{Name: name, Verdict: "damaged", Message: damage.Error()}, false)
}

// notJudged is the verdict on a line that no verifier was asked about.
const notJudged = "not-judged"

// newRejudgedLine says what came of a line. An error means that files could not be
// read.
func newRejudgedLine(line *batch.Rejudged) (*rejudgedRecord, error) {
	out := &rejudgedRecord{Name: fmt.Sprintf("%s:%d (%s)", line.File, line.Line, line.Item), Verdict: "valid", Recorded: string(line.Verdict)}
	switch {
	case line.Err != nil:
		return out, out.fail(line.Err)
	case line.Judgement == nil:
		out.Verdict, out.Message = notJudged, line.Message
		return out, nil
	}
	rec, err := evidence.NewFile(line.Judgement.Recorded)
	if err != nil {
		return nil, err
	}
	out.SHA256 = rec.Hash().String()
	out.compare(line.Judgement)
	return out, nil
}

// add counts a line, and keeps it if it is to be shown.
func (b *rejudgedBatch) add(record rejudgedRecord, shown bool) {
	b.Lines++
	switch record.Verdict {
	case "valid":
		b.AsRecorded++
	case notJudged:
		b.NotJudged++
	default:
		b.Others++
		b.Verdict, shown = "refused", true
	}
	if shown && len(b.Records) < maxShownLines {
		b.Records = append(b.Records, record)
	}
}

func (b *rejudgedBatch) exitCode() int {
	if b.Verdict == "valid" {
		return exitGood
	}
	return exitRefused
}

func (b *rejudgedBatch) writeText(w *textWriter) {
	w.title("%d lines, %d as recorded", b.Lines, b.AsRecorded)
	if b.NotJudged > 0 {
		w.line("not judged", "%d, then either", b.NotJudged)
	}
	w.line("manifest", "%s", b.Manifest)
	b.manifestSeals.writeText(w)
	for _, damage := range b.Store {
		w.line("store", "%s", damage)
	}
	for i := range b.Records {
		b.Records[i].writeText(w)
	}
	if more := b.Others - int64(len(b.Records)); more > 0 {
		w.line("and", "%d more that are not as recorded", more)
	}
}
