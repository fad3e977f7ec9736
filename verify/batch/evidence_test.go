package batch_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// judge makes a judge under the policy of the world, or another, with the evidence
// beside results. It has no source of status.
func (w *world) judge(t testing.TB, out string, change func(*verify.Config)) *evidence.Judge {
	t.Helper()
	pack, err := evidence.ReadPack(filepath.Join(out, batch.EvidenceName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pack.Close() })
	cfg := w.config.Verify
	cfg.Status = nil
	if change != nil {
		change(&cfg)
	}
	judge, err := evidence.NewJudge(evidence.JudgeConfig{Config: cfg, Store: pack})
	if err != nil {
		t.Fatal(err)
	}
	return judge
}

// rejudge judges the lines of a record again.
func rejudge(t testing.TB, out string, judge *evidence.Judge, opts batch.RejudgeOptions) (all []*batch.Rejudged) {
	t.Helper()
	for again, err := range batch.Rejudge(t.Context(), out, judge, opts) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, again)
	}
	if len(all) == 0 {
		t.Error("nothing is judged again")
	}
	return all
}

// Every line of a batch, whatever came of it, is judged again as it was, without a
// network and from what is kept; under another policy, it is said what changed.
func TestRejudge(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 240, Citizens: 12, ContentSize: 300, Seed: 7, Defects: everyDefect(0.05)})
	folder, out := t.TempDir(), t.TempDir()
	expect := w.write(t, folder)
	src, err := batch.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}

	all := rejudge(t, out, w.judge(t, out, nil), batch.RejudgeOptions{Source: src})
	if len(all) != len(expect) {
		t.Fatalf("got %d lines, want %d", len(all), len(expect))
	}
	for i, again := range all {
		switch {
		case again.Err != nil:
			t.Errorf("%s (%s): %v", again.Item, again.Reason, again.Err)
		case again.Reason == batch.ReasonReceiptMissing:
			if again.Judgement != nil {
				t.Errorf("%s was not put to a verifier, and is judged again", again.Item)
			}
		case again.Judgement == nil:
			t.Errorf("%s (%s) is not judged again", again.Item, again.Reason)
		case !again.Judgement.Same() || len(again.Judgement.Context) > 0:
			t.Errorf("%s (%s): %v", again.Item, again.Reason, again.Judgement)
		case (again.Judgement.Refusal == nil) != (expect[i] == "" || expect[i] == string(batch.ReasonSignerMismatch)):
			t.Errorf("%s: got %v, want %q", again.Item, again.Judgement.Refusal, expect[i])
		}
	}

	// Under another policy of algorithms that is named; in another environment, none is
	// valid any more.
	other := w.judge(t, out, func(c *verify.Config) { c.Algorithms = verify.SP80057Policy() })
	elsewhere := w.judge(t, out, func(c *verify.Config) { c.Scheme.Environment = verify.Custom })
	for i, again := range rejudge(t, out, other, batch.RejudgeOptions{Source: src}) {
		if again.Judgement != nil && (len(again.Judgement.Context) != 1 || again.Judgement.Context[0].What != "policy") {
			t.Errorf("%s: got %v, want another policy", again.Item, again.Judgement)
		}
		if all[i].Verdict != again.Verdict {
			t.Errorf("%s: got line %s, want %s", again.Item, again.Verdict, all[i].Verdict)
		}
	}
	for _, again := range rejudge(t, out, elsewhere, batch.RejudgeOptions{Source: src}) {
		if again.Verdict == batch.Valid && (again.Err != nil || again.Judgement.Same() || again.Judgement.Refusal.Reason != verify.ReasonEnvironment) {
			t.Errorf("%s: got %v, %v, want %s", again.Item, again.Judgement, again.Err, verify.ReasonEnvironment)
		}
	}

	name := all[3].Item
	one := rejudge(t, out, w.judge(t, out, nil), batch.RejudgeOptions{Source: src, Item: name})
	if len(one) != 1 || one[0].Item != name || one[0].Line != 4 {
		t.Errorf("got %d lines about %s, want one", len(one), name)
	}
}

// Large messages, messages by other hashes and lines that a filing must not contain
// are judged again as well.
func TestRejudgeForms(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 6, Citizens: 1, ContentSize: 2 << 20, Attached: 0.99, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	purpose := items[0]
	purpose.Content = batch.Bytes([]byte("citizencert:1/file/localhost:8080/tax/1/x"))
	large := items[1]
	large.Signature = batch.Bytes(bytes.Repeat([]byte("x"), 3<<20))
	items = append(items, purpose, large)
	src, out := sourceOf(items), t.TempDir()
	if _, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	forms := make(map[string]bool)
	for _, again := range rejudge(t, out, w.judge(t, out, nil), batch.RejudgeOptions{Source: src}) {
		if again.Err != nil || again.Judgement == nil || !again.Judgement.Same() {
			t.Errorf("line %d (%s): %v, %v", again.Line, again.Reason, again.Judgement, again.Err)
			continue
		}
		forms[fmt.Sprint(again.Judgement.Recorded.Asked.Method, " ", again.Reason)] = true
	}
	for _, want := range []string{"streamed ", "streamed limit", "detached purpose"} {
		if !forms[want] {
			t.Errorf("no line was %q; there are %v", want, forms)
		}
	}
}

// Without the filings, lines are not judged again, and it is said what is missing; if
// they have changed, it is said which.
func TestRejudgeSource(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 3, Citizens: 1, ContentSize: 100, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	out := t.TempDir()
	if _, err := w.runner(t, nil).Run(t.Context(), out, sourceOf(items), batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, again := range rejudge(t, out, w.judge(t, out, nil), batch.RejudgeOptions{}) {
		if missing, ok := errors.AsType[*evidence.MissingError](again.Err); !ok || missing.Kind != evidence.KindSignedData {
			t.Errorf("line %d: got %v, want a MissingError about the signature", again.Line, again.Err)
		}
	}
	items[1].Content = batch.Bytes([]byte("another document"))
	items[2].Signature = items[0].Signature
	all := rejudge(t, out, w.judge(t, out, nil), batch.RejudgeOptions{Source: sourceOf(items)})
	if all[0].Err != nil || !all[0].Judgement.Same() {
		t.Errorf("line 1: got %v, %v", all[0].Judgement, all[0].Err)
	}
	if all[1].Err != nil || all[1].Judgement.Refusal == nil || all[1].Judgement.Refusal.Reason != verify.ReasonDigestMismatch {
		t.Errorf("line 2: got %v, %v, want %s", all[1].Judgement, all[1].Err, verify.ReasonDigestMismatch)
	}
	if _, ok := errors.AsType[*evidence.MissingError](all[2].Err); !ok {
		t.Errorf("line 3: got %v, want a MissingError about the signature", all[2].Err)
	}
}

// A bit that flips anywhere in the evidence is found, and the object is named; so is a
// pack that has become shorter, or is gone, by the line that refers to it.
func TestVerifyEvidenceMangled(t *testing.T) {
	_, _, out, report := record(t, 3)
	path := filepath.Join(out, batch.EvidenceName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(data); i += 7 {
		data[i] ^= 1
		batchtest.WriteFile(t, path, data)
		_, err := batch.Verify(out)
		data[i] ^= 1
		damage, ok := errors.AsType[*batch.DamageError](err)
		inside, named := errors.AsType[*evidence.DamageError](err)
		if !ok || damage.File != batch.EvidenceName || !named || i >= 16 && (inside.Object.IsZero() || inside.Offset > int64(i)) {
			t.Fatalf("byte %d flipped: got %v", i, err)
		}
	}
	for name, test := range map[string]struct {
		spoil func() error
		want  string
	}{
		"shorter": {func() error { return os.Truncate(path, int64(len(data)/2)) }, "results-0.jsonl"},
		"empty":   {func() error { return os.Truncate(path, 16) }, "results-0.jsonl"},
		"gone":    {func() error { return os.Remove(path) }, "results-0.jsonl"},
	} {
		batchtest.WriteFile(t, path, data)
		if err := test.spoil(); err != nil {
			t.Fatal(err)
		}
		_, err := batch.Verify(out)
		if damage, ok := errors.AsType[*batch.DamageError](err); !ok || damage.File != test.want || damage.Line == 0 || damage.Item == "" {
			t.Errorf("%s: got %v, want a DamageError about a line of %s", name, err, test.want)
		}
	}
	batchtest.WriteFile(t, path, data)
	if checked, err := batch.Verify(out); err != nil || checked.Manifest != report.Manifest {
		t.Errorf("the restored record: got %v", err)
	}
}

// A flipped bit in the results is named by Rejudge too, before anything is judged by it.
func TestRejudgeMangled(t *testing.T) {
	w, src, out, _ := record(t, 3)
	path := filepath.Join(out, "results-0.jsonl")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	judge := w.judge(t, out, nil)
	for i := 0; i < len(data); i += 101 {
		data[i] ^= 1
		batchtest.WriteFile(t, path, data)
		var damage *batch.DamageError
		for _, err := range batch.Rejudge(t.Context(), out, judge, batch.RejudgeOptions{Source: src}) {
			if err != nil {
				damage, _ = errors.AsType[*batch.DamageError](err)
			}
		}
		data[i] ^= 1
		if want := int64(1 + bytes.Count(data[:i], []byte("\n"))); damage == nil || damage.Line != want {
			t.Errorf("byte %d of line %d flipped: got %v", i, want, damage)
		}
	}
}

// After a power cut, results may be on the disk and their evidence not: they are judged
// again, and the record is whole.
func TestResumeEvidence(t *testing.T) {
	for _, left := range []int64{0, 16, 5000} {
		t.Run(fmt.Sprintf("%d bytes left", left), func(t *testing.T) {
			w, src, out, _ := record(t, 40)
			_, expect := w.made(t)
			if err := os.Truncate(filepath.Join(out, batch.EvidenceName), left); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(out, "manifest-0.json")); err != nil {
				t.Fatal(err)
			}
			if _, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{Resume: true}); err != nil {
				t.Fatal(err)
			}
			wantResults(t, readResults(t, filepath.Join(out, "results-0.jsonl")), expect)
			if _, err := batch.Verify(out); err != nil {
				t.Error(err)
			}
		})
	}
}

// Lines that were left out or written anew, with chains that fit, do not pass for those
// that the manifest closes.
func TestRejudgeManifest(t *testing.T) {
	w, src, out, _ := record(t, 3)
	results, manifest := filepath.Join(out, "results-0.jsonl"), filepath.Join(out, "manifest-0.json")
	judge := w.judge(t, out, nil)
	damage := func() *batch.DamageError {
		t.Helper()
		for _, err := range batch.Rejudge(t.Context(), out, judge, batch.RejudgeOptions{Source: src}) {
			if err != nil {
				found, ok := errors.AsType[*batch.DamageError](err)
				if !ok {
					t.Fatalf("got %v, want a DamageError", err)
				}
				return found
			}
		}
		return nil
	}
	if found := damage(); found != nil {
		t.Errorf("as it was written: got %v", found)
	}
	whole, closing := mustRead(t, results), mustRead(t, manifest)
	batchtest.WriteFile(t, results, whole[:bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1])
	if found := damage(); found == nil || found.File != "manifest-0.json" {
		t.Errorf("without the last line: got %v", found)
	}
	batchtest.WriteFile(t, results, append(bytes.Clone(whole), "half"...))
	if found := damage(); found == nil || found.File != "results-0.jsonl" || found.Line != 4 {
		t.Errorf("with half a line more: got %v", found)
	}
	batchtest.WriteFile(t, results, whole)
	batchtest.WriteFile(t, filepath.Join(out, "manifest-1.json"), closing)
	if found := damage(); found == nil || found.File != "manifest-1.json" {
		t.Errorf("with a manifest without results: got %v", found)
	}
	if err := os.Remove(filepath.Join(out, "manifest-1.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	if found := damage(); found != nil {
		t.Errorf("of a run that has not finished: got %v", found)
	}
}
