package batch_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
)

// repeated is a source that has the same filings again and again.
type repeated struct {
	batch.Source
	items []batch.Item
	n     int64
}

// omitEvidence leaves evidence to nobody: what is judged elsewhere is kept there.
func omitEvidence(c *batch.Config) { c.OmitEvidence = true }

func newRepeated(items []batch.Item, n int) *repeated {
	return &repeated{batch.Iterate("repeated", each(items, n)), items, int64(n)}
}

func (s *repeated) Len() int64 { return s.n }

func (s *repeated) From(place int64) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for ; place < s.n; place++ {
			if !yield(s.items[place%int64(len(s.items))], nil) {
				return
			}
		}
	}
}

// elsewhere judges shards as another machine would: with a Runner of its own.
func elsewhere(runner *batch.Runner, src batch.Divided, change func(*batch.JudgedShard)) batch.ShardJudge {
	return func(ctx context.Context, missing iter.Seq2[batch.ShardRef, error]) iter.Seq2[*batch.JudgedShard, error] {
		return func(yield func(*batch.JudgedShard, error) bool) {
			for ref, err := range missing {
				var shard *batch.JudgedShard
				if err == nil {
					shard, err = runner.JudgeShard(ctx, ref, ref.Items(src))
				}
				if err == nil && change != nil {
					change(shard)
				}
				if !yield(shard, err) {
					return
				}
			}
		}
	}
}

// Shards that were judged elsewhere make the record that they would have made here.
func TestRunShards(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 40, ContentSize: 100})
	items, _ := w.made(t)
	src := newRepeated(items, 2500)
	local, dir := t.TempDir(), t.TempDir()
	want, err := w.runner(t, omitEvidence).Run(t.Context(), local, src, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []byte
	shards := 0
	opts := batch.RunOptions{OnShard: func(*batch.JudgedShard) { shards++ }}
	judge := elsewhere(w.runner(t, omitEvidence), src, func(shard *batch.JudgedShard) { lines = append(lines, shard.Lines...) })
	report, err := w.runner(t, omitEvidence).RunShards(t.Context(), dir, src, judge, opts)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "results-0.jsonl")
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, lines) {
		t.Errorf("the results are not the lines of the shards: %v", err)
	}
	checkSame(t, report, want)
	if checked, err := batch.Verify(dir); err != nil || checked.Manifest != report.Manifest {
		t.Errorf("Verify: %v", err)
	}
	if shards != 3 {
		t.Errorf("OnShard has been called %d times, want 3", shards)
	}
	wantSameVerdicts(t, readResults(t, path), readResults(t, filepath.Join(local, "results-0.jsonl")))

	again, err := w.runner(t, omitEvidence).RunShards(t.Context(), dir, src, nil, batch.RunOptions{Resume: true})
	if err != nil || again.Manifest != report.Manifest {
		t.Errorf("running again: got %v, %v", again, err)
	}
	if again, err := w.runner(t, omitEvidence).Run(t.Context(), dir, src, batch.RunOptions{Resume: true}); err != nil || again.Manifest != report.Manifest {
		t.Errorf("running again here: got %v, %v", again, err)
	}

	// A record that ends within a shard is finished, and goes on with the next.
	for _, keep := range []int{1, 1400, 2000, 2300} {
		half := t.TempDir()
		batchtest.WriteFile(t, filepath.Join(half, "batch.json"), mustRead(t, filepath.Join(dir, "batch.json")))
		batchtest.WriteFile(t, filepath.Join(half, "results-0.jsonl"), bytes.Join(slices.Collect(bytes.Lines(lines))[:keep], nil))
		report, err := w.runner(t, omitEvidence).RunShards(t.Context(), half, src, elsewhere(w.runner(t, omitEvidence), src, nil), batch.RunOptions{Resume: true})
		if err != nil {
			t.Fatal(err)
		}
		got := mustRead(t, filepath.Join(half, "results-0.jsonl"))
		if !bytes.Equal(bytes.Join(slices.Collect(bytes.Lines(got))[:keep], nil), bytes.Join(slices.Collect(bytes.Lines(lines))[:keep], nil)) {
			t.Error("results that had been recorded have changed")
		}
		if report.Lines != 2500 {
			t.Errorf("resumed after %d: got %d results", keep, report.Lines)
		}
		if _, err := batch.Verify(half); err != nil {
			t.Error(err)
		}
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func checkSame(t *testing.T, got, want *batch.Report) {
	t.Helper()
	g, w := got.Summary, want.Summary
	for reason, n := range w.Reasons {
		if g.Reasons[reason] != n {
			t.Errorf("%s: got %d, want %d", reason, g.Reasons[reason], n)
		}
	}
	if got.Batch != want.Batch || got.Lines != want.Lines || len(got.Shards) != len(want.Shards) ||
		g.Filings != w.Filings || len(g.Reasons) != len(w.Reasons) || !g.OldestRevocation.Equal(w.OldestRevocation) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func wantSameVerdicts(t *testing.T, got, want []batch.Result) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d results, want %d", len(got), len(want))
	}
	for i := range got {
		if g, w := got[i], want[i]; g.Index != w.Index || g.Item != w.Item || g.Verdict != w.Verdict || g.Reason != w.Reason {
			t.Errorf("result %d: got %v, want %v", i, g, w)
		}
	}
}

// What is not what a Runner of this policy and key has made of that shard is not
// recorded, and the run can be resumed.
func TestRunShardsRefused(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 20, ContentSize: 100})
	items, _ := w.made(t)
	src := newRepeated(items, 1100)
	otherKey := w.runner(t, func(c *batch.Config) {
		omitEvidence(c)
		c.PseudonymKey = bytes.Repeat([]byte{8}, batch.MinPseudonymKey)
	})
	same := w.runner(t, omitEvidence)
	for name, judge := range map[string]batch.ShardJudge{
		"another key": elsewhere(otherKey, src, nil),
		"a line": elsewhere(same, src, func(s *batch.JudgedShard) {
			s.Lines = bytes.Replace(s.Lines, []byte(`"refused"`), []byte(`"valid"`), 1)
		}),
		"no last line": elsewhere(same, src, func(s *batch.JudgedShard) { s.Lines = s.Lines[:bytes.LastIndexByte(s.Lines[:len(s.Lines)-1], '\n')+1] }),
		"the head":     elsewhere(same, src, func(s *batch.JudgedShard) { s.Head.Head = strings.Repeat("0", 64) }),
		"the summary":  elsewhere(same, src, func(s *batch.JudgedShard) { s.Summary.Verdicts[batch.Valid]++ }),
		"another shard": elsewhere(same, src, func(s *batch.JudgedShard) {
			other, err := same.JudgeShard(t.Context(), batch.ShardRef{Batch: s.Batch, Shard: 1 - s.Shard}, each(items, int(s.Head.Filings)))
			if err != nil {
				t.Error(err)
			}
			*s = *other
		}),
		"another batch": elsewhere(same, src, func(s *batch.JudgedShard) {
			other, err := same.JudgeShard(t.Context(), batch.ShardRef{Batch: strings.Repeat("0", 64), Shard: s.Shard}, each(items, int(s.Head.Filings)))
			if err != nil {
				t.Error(err)
			}
			*s = *other
		}),
		"a filing too few": func(ctx context.Context, missing iter.Seq2[batch.ShardRef, error]) iter.Seq2[*batch.JudgedShard, error] {
			return elsewhere(same, newRepeated(items, 999), nil)(ctx, missing)
		},
		"nothing": func(context.Context, iter.Seq2[batch.ShardRef, error]) iter.Seq2[*batch.JudgedShard, error] {
			return func(func(*batch.JudgedShard, error) bool) {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := same.RunShards(t.Context(), dir, src, judge, batch.RunOptions{})
			if _, ok := errors.AsType[*batch.ShardError](err); !ok {
				t.Fatalf("got %v, want a ShardError", err)
			}
			if results := readResults(t, filepath.Join(dir, "results-0.jsonl")); len(results)%batch.ShardSize != 0 {
				t.Errorf("%d results are recorded", len(results))
			}
			report, err := same.RunShards(t.Context(), dir, src, elsewhere(same, src, nil), batch.RunOptions{Resume: true})
			if err != nil || report.Lines != 1100 {
				t.Errorf("resumed: got %v, %v", report, err)
			}
		})
	}
}

// A shard that no machine could judge is undecided; a retry judges those filings, and
// those that an outage has left open, wherever they are.
func TestRunShardsRetry(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 20, ContentSize: 100})
	items, _ := w.made(t)
	src, dir := newRepeated(items, 3100), t.TempDir()
	runner := w.runner(t, omitEvidence)
	report, err := runner.RunShards(t.Context(), dir, src, elsewhere(runner, src, func(s *batch.JudgedShard) {
		if s.Shard%2 == 1 {
			*s = batch.JudgedShard{ShardRef: s.ShardRef, Failure: "no machine has come to its end"}
		}
	}), batch.RunOptions{})
	if err != nil || report.Summary.Reasons[batch.ReasonShard] != 1100 || report.Summary.Verdicts[batch.Undecided] != 1100 {
		t.Fatalf("got %+v, %v", report, err)
	}
	var places [][]int64
	report, err = runner.RunShards(t.Context(), dir, src, elsewhere(runner, src, func(s *batch.JudgedShard) {
		places = append(places, s.Places)
	}), batch.RunOptions{Retry: true})
	if err != nil || report.Generation != 1 || report.Lines != 1100 || report.Summary.Verdicts[batch.Undecided] != 0 {
		t.Fatalf("retry: got %+v, %v", report, err)
	}
	if len(places) != 2 || places[0][0] != 1000 || places[1][0] != 3000 || len(places[1]) != 100 {
		t.Errorf("got shards of places %v", places)
	}
	local, err := runner.Run(t.Context(), t.TempDir(), src, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Summary.Verdicts[batch.Valid] != local.Summary.Verdicts[batch.Valid] {
		t.Errorf("got %v, want %v", report.Summary.Verdicts, local.Summary.Verdicts)
	}
	if _, err := batch.Verify(dir); err != nil {
		t.Error(err)
	}
}

// From yields what Items yields from that place on, in every kind of source.
func TestFrom(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 3, ContentSize: 10, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	folder := t.TempDir()
	w.write(t, folder)
	entries := slices.Collect(bytes.Lines(mustRead(t, filepath.Join(folder, batch.ManifestName))))
	var manifest []byte
	for i := range 2100 { // some without a name, which are called by their line; and empty lines
		switch {
		case i%500 == 7:
			manifest = append(manifest, "not JSON\n"...)
		case i%300 == 3:
			manifest = append(manifest, " \n\n"...)
			fallthrough
		default:
			manifest = append(manifest, entries[i%3]...)
		}
	}
	batchtest.WriteFile(t, filepath.Join(folder, batch.ManifestName), manifest)
	archive := filepath.Join(t.TempDir(), "a.zip")
	writeZip(t, archive, members(t, folder))
	for _, path := range []string{folder, archive} {
		checkFrom(t, path)
	}
	// A tar archive has each file as often as it is named.
	few := t.TempDir()
	w.write(t, few)
	archive = filepath.Join(t.TempDir(), "a.tar")
	writeTar(t, archive, members(t, few))
	checkFrom(t, archive)
}

func checkFrom(t *testing.T, path string) {
	t.Helper()
	src, err := batch.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var all []string
	for item, err := range src.Items() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, item.Name)
	}
	if int64(len(all)) != src.Len() {
		t.Errorf("%s: %d filings, Len is %d", path, len(all), src.Len())
	}
	for _, place := range []int{0, 1, 2, 999, 1000, 1001, 2000, 2099, 2100, 5000} {
		var got []string
		for item, err := range src.From(int64(place)) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, item.Name)
		}
		if want := all[min(place, len(all)):]; !slices.Equal(got, want) {
			t.Errorf("%s from %d: got %d filings, want %d", path, place, len(got), len(want))
		}
	}
}
