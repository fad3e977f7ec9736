package nats_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
)

// A world is a folder of filings and a folder of the policy to judge them under, for
// this process and others.
type world struct {
	source, policy string
	expect         []string // reasons, in the order of the manifest
}

// newWorld makes some filings with a mix of defects, and names them in the manifest
// over and over until there are n.
func newWorld(t testing.TB, n int) *world {
	t.Helper()
	return newWorldOf(t, n, pkitest.FilingsConfig{N: 60, Citizens: 15, ContentSize: 2000})
}

func newWorldOf(t testing.TB, n int, filings pkitest.FilingsConfig) *world {
	t.Helper()
	pki := testbed.New(t, nil)
	made, err := pki.NewFilings(filings)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{source: t.TempDir(), policy: batchtest.SavePolicy(t, pki)} // the lists name what has been revoked for the filings
	var entries []map[string]any
	var expect []string
	for f, err := range made.All() {
		if err != nil {
			t.Fatal(err)
		}
		entries, expect = append(entries, batchtest.WriteFiling(t, w.source, &f)), append(expect, f.Expect())
	}
	var manifest bytes.Buffer
	lines := json.NewEncoder(&manifest)
	for i := range n {
		entry := entries[i%len(entries)]
		entry["id"] = fmt.Sprintf("filing-%d", i)
		if err := lines.Encode(entry); err != nil {
			t.Fatal(err)
		}
		w.expect = append(w.expect, expect[i%len(entries)])
	}
	batchtest.WriteFile(t, filepath.Join(w.source, batch.ManifestName), manifest.Bytes())
	return w
}

// runner returns a Runner of the world's policy.
func (w *world) runner(t testing.TB, change func(*batch.Config)) *batch.Runner {
	t.Helper()
	cfg, err := batchtest.LoadPolicy(w.policy)
	if err != nil {
		t.Fatal(err)
	}
	cfg.OmitEvidence = true
	if change != nil {
		change(&cfg)
	}
	r, err := batch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) open(t testing.TB) *batch.FileSource {
	t.Helper()
	src, err := batch.Open(w.source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// check checks that a record is whole, and has the expected verdict of each filing,
// each once.
func (w *world) check(t testing.TB, dir string, report *batch.Report) {
	t.Helper()
	checked, err := batch.Verify(dir)
	if err != nil || checked.Manifest != report.Manifest {
		t.Fatalf("Verify: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "results-0.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for line := range bytes.Lines(text) {
		var res batch.Result
		if err := json.Unmarshal(line, &res); err != nil {
			t.Fatal(err)
		}
		if i < len(w.expect) && (res.Index != int64(i) || res.Item != fmt.Sprintf("filing-%d", i) || string(res.Reason) != w.expect[i] || (res.Verdict == batch.Valid) != (w.expect[i] == "")) {
			t.Errorf("result %d: got %d %s %s %q (%s), want %q", i, res.Index, res.Item, res.Verdict, res.Reason, res.Message, w.expect[i])
		}
		i++
	}
	if i != len(w.expect) {
		t.Errorf("got %d results, want %d", i, len(w.expect))
	}
}
