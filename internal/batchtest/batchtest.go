// Package batchtest makes the folders that tests of batches read, in as many
// processes as they like: one of the policy to judge under, and one of filings.
package batchtest

import (
	"bytes"
	"encoding/json"
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

// SavePolicy writes what LoadPolicy reads into a folder of the test: the CA
// certificates and their pins, and the lists of who has been revoked by now.
func SavePolicy(t testing.TB, pki *pkitest.PKI) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, pki.FS()); err != nil {
		t.Fatal(err)
	}
	pins, err := json.Marshal(pki.Pins())
	if err != nil {
		t.Fatal(err)
	}
	WriteFile(t, filepath.Join(dir, "pins.json"), pins)
	for _, ca := range []*pkitest.CA{pki.G2.Root, pki.G3.Root, pki.G2.MOICA, pki.G3.MOICA} {
		list, err := ca.CRL(pkitest.CRLOptions{})
		if err != nil {
			t.Fatal(err)
		}
		WriteFile(t, filepath.Join(dir, ca.Name+".crl"), list)
	}
	return dir
}

// LoadPolicy returns a policy that was saved. It knows the lists and uses no network.
func LoadPolicy(dir string) (batch.Config, error) {
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
	store, err := crl.New(crl.Config{Offline: true}) // without goroutines: there is nothing to close
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
	}, nil
}

// Open returns a Runner of a policy that was saved, changed as a process wants it, and
// the source that it judges, which is for the caller to close.
func Open(policy, source string, change func(*batch.Config)) (*batch.Runner, *batch.FileSource, error) {
	cfg, err := LoadPolicy(policy)
	if err != nil {
		return nil, nil, err
	}
	change(&cfg)
	runner, err := batch.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	src, err := batch.Open(source)
	return runner, src, err
}

// WriteFiling writes the parts of a filing into a folder and returns what a line of the
// manifest says of it.
func WriteFiling(t testing.TB, dir string, f *pkitest.Filing) map[string]any {
	t.Helper()
	entry := map[string]any{"id": f.Name, "signer": f.Holder, "signature": f.Name + ".p7s"}
	WriteFile(t, filepath.Join(dir, f.Name+".p7s"), f.Signature)
	if !f.ReceivedAt.IsZero() {
		entry["receivedAt"] = f.ReceivedAt
	}
	if f.Content != nil {
		entry["content"] = f.Name + ".txt"
		WriteFile(t, filepath.Join(dir, f.Name+".txt"), f.Content)
	}
	if f.Line != "" {
		entry["line"], entry["certificate"] = f.Line, f.Name+".cer"
		WriteFile(t, filepath.Join(dir, f.Name+".cer"), f.Certificate)
	}
	return entry
}

// WriteFile writes a file or ends the test.
func WriteFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
