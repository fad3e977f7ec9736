package nats_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/moica"
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
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pki.Close() })
	w := &world{source: t.TempDir(), policy: t.TempDir()}
	made, err := pki.NewFilings(filings)
	if err != nil {
		t.Fatal(err)
	}
	w.savePolicy(t, pki) // the lists name what has been revoked for the filings
	var entries []map[string]any
	var expect []string
	for f, err := range made.All() {
		if err != nil {
			t.Fatal(err)
		}
		entries, expect = append(entries, w.write(t, &f)), append(expect, f.Expect())
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
	writeFile(t, filepath.Join(w.source, batch.ManifestName), manifest.Bytes())
	return w
}

// write writes the parts of a filing and returns its entry.
func (w *world) write(t testing.TB, f *pkitest.Filing) map[string]any {
	t.Helper()
	entry := map[string]any{"signer": f.Holder, "signature": f.Name + ".p7s"}
	writeFile(t, filepath.Join(w.source, f.Name+".p7s"), f.Signature)
	if !f.ReceivedAt.IsZero() {
		entry["receivedAt"] = f.ReceivedAt
	}
	if f.Content != nil {
		entry["content"] = f.Name + ".txt"
		writeFile(t, filepath.Join(w.source, f.Name+".txt"), f.Content)
	}
	if f.Line != "" {
		entry["line"], entry["certificate"] = f.Line, f.Name+".cer"
		writeFile(t, filepath.Join(w.source, f.Name+".cer"), f.Certificate)
	}
	return entry
}

func (w *world) savePolicy(t testing.TB, pki *pkitest.PKI) {
	t.Helper()
	if err := os.CopyFS(w.policy, pki.FS()); err != nil {
		t.Fatal(err)
	}
	pins, err := json.Marshal(pki.Pins())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(w.policy, "pins.json"), pins)
	for _, ca := range []*pkitest.CA{pki.G2.Root, pki.G3.Root, pki.G2.MOICA, pki.G3.MOICA} {
		list, err := ca.CRL(pkitest.CRLOptions{})
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(w.policy, ca.Name+".crl"), list)
	}
}

// loadPolicy is the other half of savePolicy, for any process.
func loadPolicy(dir string) (batch.Config, error) {
	var pins []moica.Pin
	text, err := os.ReadFile(filepath.Join(dir, "pins.json"))
	if err == nil {
		err = json.Unmarshal(text, &pins)
	}
	if err != nil {
		return batch.Config{}, err
	}
	anchors, err := moica.LoadTestAnchors(os.DirFS(dir), pins...)
	if err != nil {
		return batch.Config{}, err
	}
	store, err := crl.New(crl.Config{Offline: true})
	if err != nil {
		return batch.Config{}, err
	}
	lists, err := fs.Glob(os.DirFS(dir), "*.crl")
	if err != nil {
		return batch.Config{}, err
	}
	for _, name := range lists {
		list, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = store.Add(list, "")
		}
		if err != nil {
			return batch.Config{}, err
		}
	}
	return batch.Config{
		Verify:       verify.Config{Scheme: moica.Test(anchors, "127.0.0.1"), Status: []verify.StatusSource{store}},
		PseudonymKey: bytes.Repeat([]byte{7}, batch.MinPseudonymKey), Host: "localhost:8080", Service: "tax",
		OmitEvidence: true,
	}, nil
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runner returns a Runner of the world's policy.
func (w *world) runner(t testing.TB, change func(*batch.Config)) *batch.Runner {
	t.Helper()
	cfg, err := loadPolicy(w.policy)
	if err != nil {
		t.Fatal(err)
	}
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
