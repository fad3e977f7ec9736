package batch_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

// The mix of defects comes back exactly as it was generated, from memory and from
// disk, and the record says so too.
func TestRun(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 400, Citizens: 20, ContentSize: 300, Seed: 1, Defects: everyDefect(0.04)})
	folder, out := t.TempDir(), t.TempDir()
	expect := w.write(t, folder)
	src, err := batch.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	report, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	results := readResults(t, filepath.Join(out, "results-0.jsonl"))
	wantResults(t, results, expect)

	want := make(map[verify.Reason]int64)
	for _, reason := range expect {
		if reason != "" {
			want[verify.Reason(reason)]++
		}
	}
	if len(want) != 12 {
		t.Errorf("got %d defects in the mix, want all 12", len(want))
	}
	for reason, n := range want {
		if report.Summary.Reasons[reason] != n {
			t.Errorf("summary counts %d with %s, want %d", report.Summary.Reasons[reason], reason, n)
		}
	}
	if len(report.Summary.Reasons) != len(want) || report.Summary.Filings != 400 || report.Summary.OldestRevocation.IsZero() {
		t.Errorf("got summary %+v", report.Summary)
	}
	checkSigners(t, results)

	checked, err := batch.Verify(out)
	if err != nil || checked.Manifest != report.Manifest || checked.Chain != report.Chain {
		t.Errorf("the record does not verify: %v", err)
	}
}

func everyDefect(share float64) map[pkitest.Defect]float64 {
	defects := make(map[pkitest.Defect]float64)
	for _, f := range []pkitest.Defect{
		pkitest.DefectTampered, pkitest.DefectSignature, pkitest.DefectRevoked, pkitest.DefectSuspended, pkitest.DefectExpired,
		pkitest.DefectStranger, pkitest.DefectEncryption, pkitest.DefectSHA1, pkitest.DefectGarbage, pkitest.DefectNoReceipt,
		pkitest.DefectOther, pkitest.DefectService,
	} {
		defects[f] = share
	}
	return defects
}

// checkSigners checks that signers stand in results by pseudonym, with what the
// verdict rests on.
func checkSigners(t *testing.T, results []batch.Result) {
	t.Helper()
	pseudonyms := make(map[string]bool)
	for _, res := range results {
		if res.Verdict != batch.Valid {
			if len(res.Signers) > 0 {
				t.Errorf("%s is %s and has signers", res.Item, res.Verdict)
			}
			continue
		}
		s := res.Signers[0]
		pseudonyms[s.Pseudonym] = true
		if s.Identity != nil || len(s.Path) != 3 || len(s.Revocation) != 2 || len(s.Revocation[0].Evidence) != 1 || res.Signature == "" {
			t.Errorf("%s: got %+v", res.Item, res)
		}
	}
	if len(pseudonyms) != 20 {
		t.Errorf("got %d pseudonyms, want 20", len(pseudonyms))
	}
}

// Results as they come are the same, each once; those in order are in order even if
// the first takes the longest.
func TestResults(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 60, Citizens: 3, ContentSize: 300})
	items, expect := w.made(t)
	gate := make(chan struct{})
	slow := items[0]
	items[0].Signature = func() (io.ReadCloser, error) { <-gate; return slow.Signature() }

	var got []batch.Result
	for res, err := range w.runner(t, func(c *batch.Config) { c.Workers = 4 }).Results(t.Context(), each(items, 60), batch.AsTheyCome) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, *res); len(got) == 59 {
			close(gate)
		}
	}
	if len(got) != 60 || got[59].Index != 0 {
		t.Fatalf("got %d results, the last of filing %d, want 60 and 0", len(got), got[len(got)-1].Index)
	}
	seen := make(map[int64]bool)
	for _, res := range got {
		seen[res.Index] = true
		if string(res.Reason) != expect[res.Index] {
			t.Errorf("%s: got %q, want %q", res.Item, res.Reason, expect[res.Index])
		}
	}
	if len(seen) != 60 {
		t.Errorf("got results of %d filings, want 60", len(seen))
	}

	got = nil
	for res, err := range w.runner(t, nil).Results(t.Context(), each(items, 60), batch.InputOrder) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, *res)
	}
	wantResults(t, got, expect)
}

// When the context ends, results end with its error, and none is invented.
func TestResultsCanceled(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 4, Citizens: 1, ContentSize: 300, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	for _, order := range []batch.Order{batch.InputOrder, batch.AsTheyCome} {
		ctx, cancel := context.WithCancel(t.Context())
		n, ended := 0, false
		for res, err := range w.runner(t, nil).Results(ctx, each(items, 1_000_000), order) {
			if err != nil {
				if !errors.Is(err, context.Canceled) || res != nil {
					t.Errorf("got %v with %v", err, res)
				}
				ended = true
				break
			}
			if res.Verdict != batch.Valid {
				t.Errorf("got %s %s", res.Verdict, res.Reason)
			}
			if n++; n == 10 {
				cancel()
			}
		}
		cancel()
		if n > 100_000 || !ended {
			t.Errorf("got %d results, ended with an error %t, after the context had ended", n, ended)
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
	}
	for range w.runner(t, nil).Results(t.Context(), each(items, 1_000_000), batch.InputOrder) {
		break // and nothing is left behind
	}
}

// A source that fails ends the run with its error, after what came before.
func TestResultsSourceError(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 4, Citizens: 1, ContentSize: 300, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	broken := errors.New("the tape broke")
	source := func(yield func(batch.Item, error) bool) {
		for item, err := range each(items, 4) {
			if !yield(item, err) {
				return
			}
		}
		yield(batch.Item{}, broken)
	}
	for _, order := range []batch.Order{batch.InputOrder, batch.AsTheyCome} {
		n := 0
		var last error
		for _, err := range w.runner(t, nil).Results(t.Context(), source, order) {
			if last = err; err == nil {
				n++
			}
		}
		if n != 4 || !errors.Is(last, broken) {
			t.Errorf("got %d results and %v, want 4 and %v", n, last, broken)
		}
	}
}

func TestNew(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 1})
	for want, change := range map[string]func(*batch.Config){
		"PseudonymKey has 31": func(c *batch.Config) { c.PseudonymKey = c.PseudonymKey[:31] },
		"go together":         func(c *batch.Config) { c.Service = "" },
		"negative":            func(c *batch.Config) { c.ItemTimeout = -time.Second },
		"verify:":             func(c *batch.Config) { c.Verify.Status = nil },
	} {
		cfg := w.config
		change(&cfg)
		if _, err := batch.New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
