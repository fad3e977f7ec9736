package batch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

func TestAttacks(t *testing.T) {
	t.Run("B01 an item that panics, hangs or is endless", testPoison)
	t.Run("B02 kill -9 at random instants", testKilled)
	t.Run("B02 a shard judged twice", testShardTwice)
	t.Run("B03 manifest or input changed before resume", testChanged)
	t.Run("B03 responder outage in mid-batch", testOutage)
}

// endless is a part without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (endless) Close() error               { return nil }

// hanging is a part that never answers, whatever the context says.
type hanging struct{ released chan struct{} }

func (h hanging) Read([]byte) (int, error) { <-h.released; return 0, io.EOF }
func (hanging) Close() error               { return nil }

func testPoison(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 12, Citizens: 2, ContentSize: 300, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	released := make(chan struct{})
	defer close(released)
	items[1].Signature = func() (io.ReadCloser, error) { panic("the name of a citizen") }
	items[3].Signature = func() (io.ReadCloser, error) { return hanging{released}, nil }
	items[5].Signature = func() (io.ReadCloser, error) { return endless{}, nil }
	items[7].Content = func() (io.ReadCloser, error) { return endless{}, nil }
	items[9].Content = func() (io.ReadCloser, error) { return nil, os.ErrPermission }
	expect := []string{1: "panic", 3: "deadline", 5: "limit", 7: "limit", 9: "unreadable", 11: ""}

	runner := w.runner(t, func(c *batch.Config) {
		c.ItemTimeout, c.MaxContent, c.Workers = 2*time.Second, 64<<20, 2
	})
	var results []batch.Result
	for res, err := range runner.Results(t.Context(), each(items, len(items)), batch.InputOrder) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, *res)
	}
	wantResults(t, results, expect)
	if results[1].Message != "batch: panic with a string" {
		t.Errorf("got %q, which tells what the panic carried", results[1].Message)
	}
	for i, verdict := range map[int]batch.Verdict{1: batch.Failed, 3: batch.Undecided, 5: batch.Refused, 9: batch.Failed} {
		if results[i].Verdict != verdict || results[i].Retryable != (i == 3 || i == 9) {
			t.Errorf("%s: got %s, retryable %t, want %s", results[i].Reason, results[i].Verdict, results[i].Retryable, verdict)
		}
	}
}

// A runner that is killed twenty times, at any instant, ends with one result for each
// filing, the one that is expected; and no line that had been written is lost.
func testKilled(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 2500, Citizens: 30, ContentSize: 200, Seed: 3})
	j := job{Source: t.TempDir(), Out: t.TempDir(), Policy: w.policy, Resume: true, Workers: 2}
	expect := w.write(t, j.Source)
	path := filepath.Join(j.Out, "results-0.jsonl")

	var before []byte
	kills := 0
	for kills < 20 {
		cmd := childtest.Command(t, j)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("run %d failed before it was killed: %v", kills, err)
			}
			// It has come to its end: what follows must change nothing.
		case <-time.After(time.Duration(10+rand.IntN(90)) * time.Millisecond):
			cmd.Process.Kill()
			<-done
		}
		kills++
		after, _ := os.ReadFile(path)
		if whole := before[:bytes.LastIndexByte(before, '\n')+1]; !bytes.HasPrefix(after, whole) {
			t.Fatalf("after kill %d: results that had been written have changed", kills)
		}
		before = after
	}
	t.Logf("after 20 kills %d of %d results had been written", bytes.Count(before, []byte("\n")), len(expect))
	var stderr bytes.Buffer
	cmd := childtest.Command(t, j)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	wantResults(t, readResults(t, path), expect)
	if _, err := batch.Verify(j.Out); err != nil {
		t.Error(err)
	}
	src, err := batch.Open(j.Source)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for _, again := range rejudge(t, j.Out, w.judge(t, j.Out, nil), batch.RejudgeOptions{Source: src}) {
		if again.Err != nil || again.Judgement != nil && !again.Judgement.Same() {
			t.Errorf("%s: not as recorded: %v, %v", again.Item, again.Judgement, again.Err)
		}
	}
}

// A shard that is sent again gives the same chain but for durations: whoever keys
// results by batch and shard and lets the first win has one result for each filing.
func testShardTwice(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 40, Citizens: 3, ContentSize: 200})
	items, expect := w.made(t)
	runner := w.runner(t, nil)
	for range 2 {
		shard, err := runner.JudgeShard(t.Context(), batch.ShardRef{Batch: "b", Shard: 7}, each(items, len(items)))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "shard")
		batchtest.WriteFile(t, path, shard.Lines)
		results := readResults(t, path)
		for i := range results {
			if want := int64(7*batch.ShardSize + i); results[i].Index != want || results[i].Shard != 7 {
				t.Errorf("got place %d in shard %d, want %d in 7", results[i].Index, results[i].Shard, want)
			}
			results[i].Index = int64(i)
		}
		wantResults(t, results, expect)
		if shard.Head.Filings != 40 || shard.Head.Shard != 7 {
			t.Errorf("got head %+v", shard.Head)
		}
	}
}

func testChanged(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 30, Citizens: 3, ContentSize: 200, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	folder := t.TempDir()
	expect := w.write(t, folder)
	manifest, err := os.ReadFile(filepath.Join(folder, batch.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := os.ReadFile(filepath.Join(folder, "filing-0000001.p7s"))
	if err != nil {
		t.Fatal(err)
	}
	stale := bytes.Clone(signature)
	stale[len(stale)-1] ^= 1
	for name, test := range map[string]struct {
		change func()
		config func(*batch.Config)
		want   string // in the ChangedError; empty if the run is to go on
	}{
		"nothing":         {},
		"manifest":        {change: func() { batchtest.WriteFile(t, filepath.Join(folder, batch.ManifestName), append(manifest, ' ')) }, want: "the source"},
		"judged filing":   {change: func() { batchtest.WriteFile(t, filepath.Join(folder, "filing-0000001.p7s"), stale) }, want: "the signature of filing-0000001"},
		"pseudonym key":   {config: func(c *batch.Config) { c.PseudonymKey = bytes.Repeat([]byte{8}, 32) }, want: "the pseudonym key"},
		"policy":          {config: func(c *batch.Config) { c.Verify.Algorithms = verify.SP80057Policy() }, want: "the policy"},
		"weaker policy":   {config: func(c *batch.Config) { c.Verify.InsecureAllowMixedHashes = true }, want: "the policy"},
		"weaker ladder":   {config: func(c *batch.Config) { c.Verify.Ladder.Filing.InsecureLastKnownGood = time.Hour }, want: "the policy"},
		"another service": {config: func(c *batch.Config) { c.Service = "health" }, want: "the policy"},
	} {
		t.Run(name, func(t *testing.T) {
			batchtest.WriteFile(t, filepath.Join(folder, batch.ManifestName), manifest)
			batchtest.WriteFile(t, filepath.Join(folder, "filing-0000001.p7s"), signature)
			out := t.TempDir()
			interrupt(t, w.runner(t, nil), folder, out, 10)
			if test.change != nil {
				test.change()
			}
			src, err := batch.Open(folder)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			_, err = w.runner(t, test.config).Run(t.Context(), out, src, batch.RunOptions{Resume: true})
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				wantResults(t, readResults(t, filepath.Join(out, "results-0.jsonl")), expect)
				return
			}
			changed, ok := errors.AsType[*batch.ChangedError](err)
			if !ok || !bytes.Contains([]byte(changed.What), []byte(test.want)) {
				t.Errorf("got %v, want a ChangedError about %s", err, test.want)
			}
		})
	}
}

// interrupt runs a batch and ends it after some results.
func interrupt(t *testing.T, runner *batch.Runner, folder, out string, after int) {
	t.Helper()
	src, err := batch.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	_, err = runner.Run(ctx, out, src, batch.RunOptions{OnResult: func(*batch.Result) {
		if n++; n == after {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the run to be cancelled", err)
	}
}

// Filings whose status cannot be learned are undecided, and a retry decides them.
func testOutage(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 50, Citizens: 5, ContentSize: 200, Seed: 5})
	items, expect := w.made(t)
	outage := new(outage)
	outage.source = w.config.Verify.Status[0]
	src, out := sourceOf(items), t.TempDir()
	runner := w.runner(t, func(c *batch.Config) { c.Verify.Status = []verify.StatusSource{outage} })

	outage.down.Store(true)
	first, err := runner.Run(t.Context(), out, src, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	undecided := first.Summary.Verdicts[batch.Undecided]
	if undecided == 0 || first.Summary.Verdicts[batch.Valid] != 0 || first.Summary.Reasons[verify.ReasonStatusUnavailable] != undecided {
		t.Errorf("got %+v", first.Summary)
	}
	outage.down.Store(false)
	same, err := runner.Run(t.Context(), out, src, batch.RunOptions{Resume: true})
	if err != nil || same.Manifest != first.Manifest {
		t.Errorf("running again without Retry has changed something: %v", err)
	}
	second, err := runner.Run(t.Context(), out, src, batch.RunOptions{Retry: true})
	if err != nil {
		t.Fatal(err)
	}
	retried := readResults(t, filepath.Join(out, "results-1.jsonl"))
	if int64(len(retried)) != undecided || second.Generation != 1 || second.Previous != first.Manifest {
		t.Errorf("got %d results in generation %d, want %d in 1", len(retried), second.Generation, undecided)
	}
	results := readResults(t, filepath.Join(out, "results-0.jsonl"))
	for _, res := range retried {
		results[res.Index] = res
	}
	wantResults(t, results, expect)
	again, err := runner.Run(t.Context(), out, src, batch.RunOptions{Retry: true})
	if err != nil || again.Manifest != second.Manifest {
		t.Errorf("a retry with nothing to retry has changed something: %v", err)
	}
	if checked, err := batch.Verify(out); err != nil || checked.Manifest != second.Manifest || checked.Summary.Filings != 50 {
		t.Errorf("got %+v, %v", checked, err)
	}
}
