package batch_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

// A responder is asked once about each certificate, however many filings there are
// and however many workers.
func TestShared(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 90, Citizens: 6, ContentSize: 100, Defects: map[pkitest.Defect]float64{}})
	hosts := []string{"127.0.0.1"}
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	defer responders.Close()
	lists, err := crl.New(crl.Config{AllowedHosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	defer lists.Close()
	items, expect := w.made(t)
	runner := w.runner(t, func(c *batch.Config) {
		c.Verify.Status, c.Workers = []verify.StatusSource{responders, lists}, 16
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
	for res, err := range runner.Results(ctx, each(items, 2), batch.InputOrder) {
		if res != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", res, err)
		}
	}
}

// keptObjects is a Keeper in memory.
type keptObjects struct {
	mu      sync.Mutex
	objects map[string]verify.EvidenceKind
	synced  int
	broken  bool
}

func (k *keptObjects) Put(kind verify.EvidenceKind, sum [sha256.Size]byte, der []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return errors.New("no room for evidence")
	}
	if sum != sha256.Sum256(der) {
		return errors.New("not its digest")
	}
	k.objects[hex.EncodeToString(sum[:])] = kind
	return nil
}

func (k *keptObjects) Sync() error { k.synced++; return nil }

// Everything that a result refers to has been given to the Keeper; if it cannot keep
// it, the run ends.
func TestKeep(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 40, Citizens: 4, ContentSize: 100})
	items, _ := w.made(t)
	kept := &keptObjects{objects: make(map[string]verify.EvidenceKind)}
	runner := w.runner(t, func(c *batch.Config) { c.Keep = kept })
	out := t.TempDir()
	if _, err := runner.Run(t.Context(), out, sourceOf(items), batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, res := range readResults(t, filepath.Join(out, "results-0.jsonl")) {
		if res.Certificate != "" && kept.objects[res.Certificate] != verify.CertificateEvidence {
			t.Errorf("%s: the certificate at defect is not kept", res.Item)
		}
		for _, s := range res.Signers {
			for _, sum := range s.Path {
				if kept.objects[sum] != verify.CertificateEvidence {
					t.Errorf("%s: certificate %s is not kept", res.Item, sum)
				}
			}
			for _, fact := range s.Revocation {
				for _, sum := range fact.Evidence {
					if kept.objects[sum] != verify.CRLEvidence {
						t.Errorf("%s: list %s is not kept", res.Item, sum)
					}
				}
			}
		}
	}
	if kept.synced == 0 {
		t.Error("what was kept has not been made durable")
	}

	kept = &keptObjects{broken: true}
	runner = w.runner(t, func(c *batch.Config) { c.Keep = kept })
	if _, err := runner.Run(t.Context(), t.TempDir(), sourceOf(items), batch.RunOptions{}); err == nil || !strings.Contains(err.Error(), "no room for evidence") {
		t.Errorf("got %v", err)
	}
}
