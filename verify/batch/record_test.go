package batch_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
)

// record runs a small batch into a folder.
func record(t *testing.T, n int) (w *world, src batch.Source, out string, report *batch.Report) {
	t.Helper()
	w = newWorld(t, pkitest.FilingsConfig{N: n, Citizens: 2, ContentSize: 100})
	items, _ := w.made(t)
	src, out = sourceOf(items), t.TempDir()
	report, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return w, src, out, report
}

// A bit that flips anywhere in a record is found, and in the results the line and the
// filing are named.
func TestVerifyMangled(t *testing.T) {
	_, _, out, report := record(t, 3)
	for _, name := range []string{"batch.json", "manifest-0.json", "results-0.jsonl"} {
		path := filepath.Join(out, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range data {
			data[i] ^= 1
			batchtest.WriteFile(t, path, data)
			checked, err := batch.Verify(out)
			data[i] ^= 1
			damage, ok := errors.AsType[*batch.DamageError](err)
			switch {
			case name == "manifest-0.json" && err == nil && checked.Manifest != report.Manifest:
				continue // its digest tells
			case !ok:
				t.Fatalf("%s, byte %d flipped: got %v", name, i, err)
			case name == "results-0.jsonl":
				line := int64(1 + bytes.Count(data[:i], []byte("\n")))
				if damage.File != name || damage.Line != line {
					t.Errorf("%s, byte %d of line %d flipped: got %v", name, i, line, err)
				}
			}
		}
		batchtest.WriteFile(t, path, data)
	}
	if checked, err := batch.Verify(out); err != nil || checked.Manifest != report.Manifest {
		t.Errorf("the restored record: got %v", err)
	}
}

// Lines that are missing, doubled or in another place are found.
func TestVerifyLines(t *testing.T) {
	_, _, out, _ := record(t, 6)
	path := filepath.Join(out, "results-0.jsonl")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte("\n"))[:6]
	for name, changed := range map[string][][]byte{
		"last missing":   lines[:5],
		"first missing":  lines[1:],
		"one doubled":    {lines[0], lines[0], lines[1], lines[2], lines[3], lines[4], lines[5]},
		"two exchanged":  {lines[1], lines[0], lines[2], lines[3], lines[4], lines[5]},
		"half a line":    {lines[0], lines[1], lines[2], lines[3], lines[4], lines[5], []byte(`{"gen`)},
		"none":           {},
		"a foreign line": {lines[0], lines[1], lines[2], lines[3], lines[4], lines[5], []byte("{}\n")},
	} {
		batchtest.WriteFile(t, path, bytes.Join(changed, nil))
		_, err := batch.Verify(out)
		if _, ok := errors.AsType[*batch.DamageError](err); !ok {
			t.Errorf("%s: got %v, want a DamageError", name, err)
		}
	}
}

// A generation whose results have gone, but not its manifest, is missed; and a retry
// does not build on results that are not those of the manifest before.
func TestVerifyGenerations(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 6, Citizens: 2, ContentSize: 100, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	there := items[2].Content
	items[2].Content = func() (io.ReadCloser, error) { return nil, os.ErrPermission }
	src, out, runner := sourceOf(items), t.TempDir(), w.runner(t, nil)
	if _, err := runner.Run(t.Context(), out, src, batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	wantDamage := func(err error, file string) {
		t.Helper()
		if damage, ok := errors.AsType[*batch.DamageError](err); !ok || damage.File != file {
			t.Errorf("got %v, want a DamageError about %s", err, file)
		}
	}
	first := filepath.Join(out, "results-0.jsonl")
	whole, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	batchtest.WriteFile(t, first, whole[:bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1])
	_, err = runner.Run(t.Context(), out, src, batch.RunOptions{Retry: true})
	wantDamage(err, "results-0.jsonl")
	batchtest.WriteFile(t, first, whole)

	items[2].Content = there
	report, err := runner.Run(t.Context(), out, src, batch.RunOptions{Retry: true})
	if err != nil || !report.Summary.Valid() || report.Generation != 1 {
		t.Fatalf("got %+v, %v", report, err)
	}
	if checked, err := batch.Verify(out); err != nil || checked.Manifest != report.Manifest {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(filepath.Join(out, "results-1.jsonl")); err != nil {
		t.Fatal(err)
	}
	_, err = batch.Verify(out)
	wantDamage(err, "manifest-1.json")
}

// A run goes on after the last whole line; a line that is whole and not as it was
// written is not passed over.
func TestResumeTail(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func([]byte) []byte
		want  string // in the error; empty if the run goes on
	}{
		"nothing written":     {func(b []byte) []byte { return nil }, ""},
		"half a line":         {func(b []byte) []byte { return b[:len(b)*2/3] }, ""},
		"zeros after a crash": {func(b []byte) []byte { return append(b[:bytes.IndexByte(b, '\n')+1], make([]byte, 100)...) }, ""},
		"all but the closing": {func(b []byte) []byte { return b }, ""},
		"last line damaged":   {func(b []byte) []byte { b[len(b)-100] ^= 1; return b }, "results-0.jsonl, line 40"},
		"first line damaged":  {func(b []byte) []byte { b[10] ^= 1; return b }, "results-0.jsonl, line 1 (filing-0000000)"},
	} {
		t.Run(name, func(t *testing.T) {
			w, src, out, _ := record(t, 40)
			path := filepath.Join(out, "results-0.jsonl")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(out, "manifest-0.json")); err != nil {
				t.Fatal(err)
			}
			_, expect := w.made(t)
			batchtest.WriteFile(t, path, test.spoil(bytes.Clone(data)))
			if _, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{}); !errors.Is(err, batch.ErrUnfinished) {
				t.Errorf("without Resume: got %v", err)
			}
			_, err = w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{Resume: true})
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want an error with %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantResults(t, readResults(t, path), expect)
			if _, err := batch.Verify(out); err != nil {
				t.Error(err)
			}
		})
	}
}

// A disk that is full ends the run with an error that says so, and the run can be
// resumed when there is room.
func TestDiskFull(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 300, Citizens: 3, ContentSize: 100})
	j := job{Source: t.TempDir(), Out: t.TempDir(), Policy: w.policy, FileSize: 100_000}
	expect := w.write(t, j.Source)
	var stderr bytes.Buffer
	cmd := childtest.Command(t, j)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), "file too large") || !strings.Contains(stderr.String(), "can be resumed") {
		t.Fatalf("got %v\n%s", err, &stderr)
	}
	path := filepath.Join(j.Out, "results-0.jsonl")
	data, err := os.ReadFile(path)
	if err != nil || len(data) > 0 && data[len(data)-1] != '\n' {
		t.Fatalf("got %d bytes of results, not of whole lines: %v", len(data), err)
	}
	report, err := batch.Verify(j.Out)
	if !errors.Is(err, batch.ErrUnfinished) || report.Lines != int64(bytes.Count(data, []byte("\n"))) {
		t.Errorf("got %+v, %v", report, err)
	}
	j.FileSize, j.Resume = 0, true
	if out, err := childtest.Command(t, j).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(after, data) {
		t.Errorf("results that had been written have changed: %v", err)
	}
	wantResults(t, readResults(t, path), expect)
}

// Two runs do not write into one folder.
func TestLock(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 3, Citizens: 1, ContentSize: 100})
	items, _ := w.made(t)
	src, out := sourceOf(items), t.TempDir()
	_, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{OnResult: func(*batch.Result) {
		if _, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{Resume: true}); err == nil || !strings.Contains(err.Error(), "another run") {
			t.Errorf("got %v, want an error about another run", err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}
