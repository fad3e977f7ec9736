package batch_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/testbed"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A responder is asked once about each certificate, however many filings there are
// and however many workers.
func TestShared(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 90, Citizens: 6, ContentSize: 100, Defects: map[pkitest.Defect]float64{}})
	items, expect := w.made(t)
	runner := w.runner(t, func(c *batch.Config) {
		c.Verify.Status, c.Workers = testbed.Sources(t, nil), 16
	})
	var results []batch.Result
	for res, err := range runner.Results(t.Context(), each(items, len(items)), batch.InputOrder) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, *res)
	}
	wantResults(t, results, expect)
	asked := w.pki.Requests(w.pki.G2.MOICA.URLs.OCSP) + w.pki.Requests(w.pki.G3.MOICA.URLs.OCSP)
	if asked != 6 {
		t.Errorf("the responders of MOICA have had %d requests for 6 citizens, want 6", asked)
	}
}

// prefetchFunc is a Prefetcher.
type prefetchFunc func(context.Context) error

func (f prefetchFunc) Prefetch(ctx context.Context) error { return f(ctx) }

// Prefetching comes before everything; what it could not fetch ends nothing.
func TestPrefetch(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 2, ContentSize: 100, Defects: map[pkitest.Defect]float64{}})
	items, expect := w.made(t)
	down := &outage{source: w.config.Verify.Status[0]}
	down.down.Store(true)
	runner := w.runner(t, func(c *batch.Config) {
		c.Verify.Status = []verify.StatusSource{down}
		c.Prefetch = prefetchFunc(func(context.Context) error { down.down.Store(false); return errors.New("one list of two") })
	})
	var results []batch.Result
	for res, err := range runner.Results(t.Context(), each(items, 2), batch.InputOrder) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, *res)
	}
	wantResults(t, results, expect)

	ctx, cancel := context.WithCancel(t.Context())
	runner = w.runner(t, func(c *batch.Config) {
		c.Prefetch = prefetchFunc(func(ctx context.Context) error { cancel(); return ctx.Err() })
	})
	ended := false
	for res, err := range runner.Results(ctx, each(items, 2), batch.InputOrder) {
		if ended = true; res != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", res, err)
		}
	}
	if !ended {
		t.Error("got no error of the context that ended while prefetching")
	}
}

// keptObjects is a Keeper in memory.
type keptObjects struct {
	evidence.Memory
	synced int
	broken bool
}

func (k *keptObjects) Put(ctx context.Context, hash evidence.Hash, data []byte) error {
	if k.broken {
		return errors.New("no room for evidence")
	}
	return k.Memory.Put(ctx, hash, data)
}

func (k *keptObjects) Sync() error { k.synced++; return nil }

// Everything that a result refers to has been given to the Keeper, and nothing is in
// the folder; if it cannot keep it, the run ends.
func TestKeep(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 40, Citizens: 4, ContentSize: 100})
	items, _ := w.made(t)
	kept := new(keptObjects)
	runner := w.runner(t, func(c *batch.Config) { c.Keep = kept })
	out := t.TempDir()
	if _, err := runner.Run(t.Context(), out, sourceOf(items), batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, res := range readResults(t, filepath.Join(out, "results-0.jsonl")) {
		for _, sum := range references(&res) {
			checked++
			var hash evidence.Hash
			if err := hash.UnmarshalText([]byte(sum)); err != nil {
				t.Fatal(err)
			}
			if _, err := kept.Get(t.Context(), hash); err != nil {
				t.Errorf("%s: %v", res.Item, err)
			}
		}
	}
	if checked == 0 {
		t.Error("no result refers to anything")
	}
	if kept.synced == 0 {
		t.Error("what was kept has not been made durable")
	}
	if _, err := os.Stat(filepath.Join(out, batch.EvidenceName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a pack beside the results: %v", err)
	}

	runner = w.runner(t, func(c *batch.Config) { c.Keep = &keptObjects{broken: true} })
	if _, err := runner.Run(t.Context(), t.TempDir(), sourceOf(items), batch.RunOptions{}); err == nil || !strings.Contains(err.Error(), "no room for evidence") {
		t.Errorf("got %v", err)
	}
}

// references are the digests of objects in a result.
func references(res *batch.Result) (all []string) {
	if res.Certificate != "" {
		all = append(all, res.Certificate)
	}
	for _, s := range res.Signers {
		all = append(all, s.Path...)
		for _, fact := range s.Revocation {
			all = append(all, fact.Evidence...)
		}
	}
	return all
}
