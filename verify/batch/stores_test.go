package batch_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A folderKeeper keeps objects in a folder, where each is durable at once.
type folderKeeper struct{ evidence.Dir }

func (folderKeeper) Sync() error { return nil }

// spreadRecord runs a batch of 1,003 filings whose first shard one worker judges and
// whose second another does: for other citizens, and each with evidence of its own.
func spreadRecord(t *testing.T) (dir, pack, folder string) {
	t.Helper()
	w := newWorld(t, pkitest.FilingsConfig{N: 12, Citizens: 2, ContentSize: 100, Defects: map[pkitest.Defect]float64{}})
	made, _ := w.made(t)
	var items, others []batch.Item
	for _, item := range made {
		if item.Signer == made[0].Signer {
			items = append(items, item)
		} else {
			others = append(others, item)
		}
	}
	if len(others) == 0 {
		t.Fatal("all filings are of one citizen")
	}
	for len(items) < batch.ShardSize {
		items = append(items, items[0])
	}
	items = append(items, others[0], others[0], others[0])
	src := newRepeated(items, len(items))

	base := t.TempDir()
	dir, pack, folder = filepath.Join(base, "results"), filepath.Join(base, "one.pack"), filepath.Join(base, "two")
	one := openPack(t, pack)
	own := openPack(t, filepath.Join(base, "coordinator.pack"))
	keep := func(k batch.Keeper) *batch.Runner { return w.runner(t, func(c *batch.Config) { c.Keep = k }) }
	workers := []*batch.Runner{keep(one), keep(folderKeeper{evidence.Dir(folder)})}
	judge := func(ctx context.Context, missing iter.Seq2[batch.ShardRef, error]) iter.Seq2[*batch.JudgedShard, error] {
		return func(yield func(*batch.JudgedShard, error) bool) {
			for ref, err := range missing {
				var shard *batch.JudgedShard
				if err == nil {
					shard, err = workers[ref.Shard].JudgeShard(ctx, ref, ref.Items(src))
				}
				if !yield(shard, err) {
					return
				}
			}
		}
	}
	if _, err := keep(own).RunShards(t.Context(), dir, src, judge, batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	return dir, pack, folder
}

func openPack(t *testing.T, path string) *evidence.Pack {
	t.Helper()
	pack, err := evidence.OpenPack(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pack.Close() })
	return pack
}

// After a run that was spread, what all workers have kept is looked at: nothing is
// missing and nothing is damaged, or it is said what and where.
func TestVerifySpread(t *testing.T) {
	dir, pack, folder := spreadRecord(t)
	if report, err := batch.Verify(dir, pack, folder); err != nil || report.Elsewhere != 0 {
		t.Errorf("all: got %+v, %v", report, err)
	}
	if report, err := batch.Verify(dir); err != nil || report.Elsewhere != 1003 {
		t.Errorf("none: got %+v, %v, want 1003 results with evidence elsewhere", report, err)
	}
	for name, test := range map[string]struct {
		stores []string
		line   int64 // that lacks an object
	}{
		"the second is missing": {[]string{pack}, 1001},
		"the first is missing":  {[]string{folder}, 1},
		"another is there":      {[]string{t.TempDir()}, 1},
	} {
		_, err := batch.Verify(dir, test.stores...)
		if damage, ok := errors.AsType[*batch.DamageError](err); !ok || damage.File != "results-0.jsonl" || damage.Line != test.line || damage.Item == "" {
			t.Errorf("%s: got %v, want a DamageError about line %d", name, err, test.line)
		}
	}
	_, err := batch.Verify(dir, pack, filepath.Join(dir, "nowhere"))
	if _, damaged := errors.AsType[*batch.DamageError](err); damaged || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such store: got %v", err)
	}
}

// A bit that flips in any of the stores is found, and named with its file.
func TestVerifySpreadMangled(t *testing.T) {
	dir, pack, folder := spreadRecord(t)
	data := mustRead(t, pack)
	for i := 0; i < len(data); i += 97 {
		data[i] ^= 1
		batchtest.WriteFile(t, pack, data)
		_, err := batch.Verify(dir, pack, folder)
		data[i] ^= 1
		damage, ok := errors.AsType[*batch.DamageError](err)
		inside, named := errors.AsType[*evidence.DamageError](err)
		if !ok || damage.File != pack || !named || i >= 16 && (inside.Object.IsZero() || inside.Offset > int64(i)) {
			t.Fatalf("byte %d of the pack flipped: got %v", i, err)
		}
	}
	batchtest.WriteFile(t, pack, data)

	needed := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data := mustRead(t, path)
		data[len(data)/2] ^= 1
		batchtest.WriteFile(t, path, data)
		_, err = batch.Verify(dir, pack, folder)
		data[len(data)/2] ^= 1
		batchtest.WriteFile(t, path, data)
		damage, ok := errors.AsType[*batch.DamageError](err)
		inside, _ := errors.AsType[*evidence.DamageError](err)
		switch {
		case err == nil: // the pack has it, too
		case !ok || damage.File != folder || inside == nil || inside.Object.String() != entry.Name():
			t.Errorf("%s flipped: got %v", entry.Name(), err)
		default:
			needed++
		}
		return nil
	})
	if err != nil || needed == 0 {
		t.Errorf("got %d objects that only the folder has (%v), want some", needed, err)
	}
	if _, err := batch.Verify(dir, pack, folder); err != nil {
		t.Errorf("restored: got %v", err)
	}
}

// Where Config.Keep is the very pack beside the results, it is looked at like one
// that Run has made.
func TestVerifyKeptBeside(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 6, Citizens: 1, ContentSize: 100, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	dir := t.TempDir()
	path := filepath.Join(dir, batch.EvidenceName)
	runner := w.runner(t, func(c *batch.Config) { c.Keep = openPack(t, path) })
	if _, err := runner.Run(t.Context(), dir, sourceOf(items), batch.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if report, err := batch.Verify(dir); err != nil || report.Elsewhere != 0 {
		t.Errorf("got %+v, %v", report, err)
	}
	data := mustRead(t, path)
	mangled := bytes.Clone(data)
	mangled[len(data)/2] ^= 1
	batchtest.WriteFile(t, path, mangled)
	_, err := batch.Verify(dir)
	if damage, ok := errors.AsType[*batch.DamageError](err); !ok || damage.File != batch.EvidenceName {
		t.Errorf("a byte flipped: got %v", err)
	}
	if err := os.Rename(path, filepath.Join(t.TempDir(), "away")); err != nil {
		t.Fatal(err)
	}
	if report, err := batch.Verify(dir); err != nil || report.Elsewhere != 6 {
		t.Errorf("moved away: got %+v, %v, want 6 results with evidence elsewhere", report, err)
	}
}
