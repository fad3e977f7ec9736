package batch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

// A world is a look-alike PKI, filings, and a policy that knows the lists of the PKI
// and uses no network.
type world struct {
	pki     *pkitest.PKI
	filings *pkitest.Filings
	n       int
	policy  string // the folder that config is loaded from, for other processes
	config  batch.Config
}

func newWorld(t testing.TB, cfg pkitest.FilingsConfig) *world {
	t.Helper()
	pki := testbed.New(t, nil)
	filings, err := pki.NewFilings(cfg)
	if err != nil {
		t.Fatal(err)
	}
	policy := batchtest.SavePolicy(t, pki) // the lists name what has been revoked for the filings
	config, err := batchtest.LoadPolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	return &world{pki, filings, cfg.N, policy, config}
}

func (w *world) runner(t testing.TB, change func(*batch.Config)) *batch.Runner {
	t.Helper()
	cfg := w.config
	if change != nil {
		change(&cfg)
	}
	r, err := batch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// item makes an item of a filing.
func item(f *pkitest.Filing) batch.Item {
	out := batch.Item{
		Name: f.Name, ReceivedAt: f.ReceivedAt, Signer: f.Holder, Line: f.Line, Signature: batch.Bytes(f.Signature),
	}
	if f.Content != nil {
		out.Content = batch.Bytes(f.Content)
	}
	if f.Certificate != nil {
		out.Certificate = batch.Bytes(f.Certificate)
	}
	return out
}

// made are the filings, made once, and the reasons for which they must be refused.
func (w *world) made(t testing.TB) (items []batch.Item, expect []string) {
	t.Helper()
	for f, err := range w.filings.All() {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item(&f))
		expect = append(expect, f.Expect())
	}
	return items, expect
}

// each yields items in turns until there have been n.
func each(items []batch.Item, n int) iter.Seq2[batch.Item, error] {
	return func(yield func(batch.Item, error) bool) {
		for i := range n {
			if !yield(items[i%len(items)], nil) {
				return
			}
		}
	}
}

func sourceOf(items []batch.Item) batch.Source {
	return batch.Iterate("items", each(items, len(items)))
}

// write puts the filings into a folder with a manifest, and returns the reasons.
func (w *world) write(t testing.TB, dir string) (expect []string) {
	t.Helper()
	var manifest bytes.Buffer
	lines := json.NewEncoder(&manifest)
	for f, err := range w.filings.All() {
		if err != nil {
			t.Fatal(err)
		}
		if err := lines.Encode(batchtest.WriteFiling(t, dir, &f)); err != nil {
			t.Fatal(err)
		}
		expect = append(expect, f.Expect())
	}
	batchtest.WriteFile(t, filepath.Join(dir, batch.ManifestName), manifest.Bytes())
	return expect
}

// readResults returns the lines of a generation.
func readResults(t testing.TB, path string) (results []batch.Result) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		var res batch.Result
		if err := json.Unmarshal(line, &res); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		results = append(results, res)
	}
	return results
}

// wantResults checks that there is one result for each filing, in order, with the
// reason that is expected.
func wantResults(t testing.TB, results []batch.Result, expect []string) {
	t.Helper()
	if len(results) != len(expect) {
		t.Fatalf("got %d results, want %d", len(results), len(expect))
	}
	for i, res := range results {
		if res.Index != int64(i) || string(res.Reason) != expect[i] || (res.Verdict == batch.Valid) != (expect[i] == "") {
			t.Errorf("result %d is %s, place %d: got %s %q (%s), want %q", i, res.Item, res.Index, res.Verdict, res.Reason, res.Message, expect[i])
		}
	}
}

// An outage is a source of status that can be switched off.
type outage struct {
	source verify.StatusSource
	down   atomic.Bool
}

func (o *outage) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	if o.down.Load() {
		return nil, errors.New("no answer")
	}
	return o.source.Status(ctx, q)
}
