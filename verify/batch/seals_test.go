package batch_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// addSeal signs a manifest.
func addSeal(t *testing.T, dir string, report *batch.Report, key *ecdsa.PrivateKey) {
	t.Helper()
	seal, err := evidence.NewKeySeal(report.Bytes(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.AddSeal(dir, seal); err != nil {
		t.Fatal(err)
	}
}

// With a seal over the manifest, a bit that flips in the manifest or in the seals is
// found, wherever it is.
func TestSealMangled(t *testing.T) {
	_, _, out, report := record(t, 3)
	first, second := newKey(t), newKey(t)
	addSeal(t, out, report, first)
	addSeal(t, out, report, second)
	check := func() error {
		checked, err := batch.Verify(out)
		if err != nil {
			return err
		}
		if len(checked.Seals) != 2 || len(report.Seals) != 2 {
			t.Fatalf("got %d seals and %d, want 2", len(checked.Seals), len(report.Seals))
		}
		return errors.Join(checked.Seals[0].CheckKey(checked.Bytes(), first.Public()), checked.Seals[1].CheckKey(checked.Bytes(), second.Public()))
	}
	if err := check(); err != nil {
		t.Errorf("as it was written: %v", err)
	}
	for _, name := range []string{"manifest-0.json", "manifest-0.seals"} {
		path := filepath.Join(out, name)
		data := mustRead(t, path)
		for i := range data {
			data[i] ^= 1
			batchtest.WriteFile(t, path, data)
			err := check()
			data[i] ^= 1
			damage, damaged := errors.AsType[*batch.DamageError](err)
			if !damaged && !errors.Is(err, evidence.ErrNotSealed) || damaged && damage.File != name {
				t.Fatalf("%s, byte %d flipped: got %v", name, i, err)
			}
		}
		batchtest.WriteFile(t, path, data)
	}
	batchtest.WriteFile(t, filepath.Join(out, "manifest-0.seals"), nil)
	if damage, ok := errors.AsType[*batch.DamageError](check()); !ok || damage.File != "manifest-0.seals" {
		t.Errorf("with no seal in the file: got %v", damage)
	}
}

// Seals stay with the manifest that they are over, whatever happens to the folder then.
func TestSealGenerations(t *testing.T) {
	w, src, out, report := record(t, 3)
	key := newKey(t)
	addSeal(t, out, report, key)
	again, err := w.runner(t, nil).Run(t.Context(), out, src, batch.RunOptions{Resume: true, Retry: true})
	if err != nil || again.Manifest != report.Manifest || len(again.Seals) != 1 {
		t.Errorf("running again: got %v, or another manifest", err)
	}
	read, err := batch.ReadReport(out)
	if err != nil || read.Manifest != report.Manifest || len(read.Seals) != 1 || !bytes.Equal(read.Bytes(), report.Bytes()) {
		t.Errorf("ReadReport: got %v, or another manifest", err)
	}

	manifest := filepath.Join(out, "manifest-0.json")
	whole := mustRead(t, manifest)
	batchtest.WriteFile(t, manifest, append(bytes.Clone(whole), ' '))
	if _, ok := errors.AsType[*batch.ChangedError](report.AddSeal(out, read.Seals[0])); !ok {
		t.Error("a seal was added to another manifest")
	}
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	_, err = batch.Verify(out)
	if damage, ok := errors.AsType[*batch.DamageError](err); !ok || damage.File != "manifest-0.json" {
		t.Errorf("seals without their manifest: got %v", err)
	}
	if err := os.Remove(filepath.Join(out, "manifest-0.seals")); err != nil {
		t.Fatal(err)
	}
	if _, err := batch.ReadReport(out); !errors.Is(err, batch.ErrUnfinished) {
		t.Errorf("of a run that has not finished: got %v", err)
	}
	if _, err := batch.ReadReport(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of an empty folder: got %v", err)
	}
	batchtest.WriteFile(t, manifest, whole)
	if read, err := batch.ReadReport(out); err != nil || read.Seals != nil {
		t.Errorf("without seals: got %v, or seals", err)
	}
}

// A retry has a manifest of its own, which a seal over the one before is not over.
func TestSealRetried(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 3, Citizens: 1, ContentSize: 100, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	items[2].Content = func() (io.ReadCloser, error) { return nil, os.ErrPermission }
	src, out, runner := sourceOf(items), t.TempDir(), w.runner(t, nil)
	report, err := runner.Run(t.Context(), out, src, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	addSeal(t, out, report, newKey(t))
	second, err := runner.Run(t.Context(), out, src, batch.RunOptions{Retry: true})
	if err != nil {
		t.Fatal(err)
	}
	if second.Generation != 1 || len(second.Seals) != 0 {
		t.Errorf("got generation %d with %d seals", second.Generation, len(second.Seals))
	}
	if checked, err := batch.Verify(out); err != nil || len(checked.Seals) != 0 || checked.Previous != report.Manifest {
		t.Errorf("got %v, or seals over another manifest", err)
	}
}
