//go:build unix

package crl_test

import (
	"os"
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A backup of another machine's directory is copied over the files that are in use:
// the index there is of the same list by the same key, and still none of its pages is
// where this process looks for it.
func TestIndexOverwritten(t *testing.T) {
	w := newWorld(t)
	w.serve(pkitest.CRLOptions{Filler: 3000})
	listed := w.about(w.issue(pkitest.Template{Serial: pkitest.FillerSerial(17)}))
	var indexes [2]string
	var stores [2]*crl.Store
	for i := range stores {
		cfg := crl.Config{Dir: t.TempDir(), IndexKey: indexKey, RefreshInterval: -1}
		stores[i] = w.store(cfg)
		listed.wantAsked("before", stores[i], verify.Revoked, "")
		w.wantAsked("before, not listed", stores[i], verify.Good, "")
		indexes[i] = files(t, cfg.Dir, ".index")[0]
	}
	before := w.fetches()
	data, err := os.ReadFile(indexes[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(indexes[0], 0o600); err != nil { // as root need not
		t.Fatal(err)
	}
	if err := os.WriteFile(indexes[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		listed.wantAsked("afterwards", stores[0], verify.Revoked, "")
		w.wantAsked("afterwards, not listed", stores[0], verify.Good, "")
	}
	if w.fetches() != before {
		t.Error("the list was fetched, want its index made again")
	}
}

// An index is not for writing, so that nobody cuts it short by mistake while it is
// mapped; one that can be written to is made again.
func TestIndexMode(t *testing.T) {
	w := newWorld(t)
	cfg := crl.Config{Dir: t.TempDir(), IndexKey: indexKey, RefreshInterval: -1}
	w.wantAsked("fetched", w.store(cfg), verify.Good, "")
	name := files(t, cfg.Dir, ".index")[0]
	cfg.Offline = true
	for _, c := range []struct {
		mode os.FileMode
		made bool
	}{{0o400, false}, {0o600, true}, {0o460, true}} {
		if err := os.Chmod(name, c.mode); err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		w.wantAsked(c.mode.String(), w.store(cfg), verify.Good, "")
		after, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if after.Mode() != 0o400 || os.SameFile(before, after) == c.made {
			t.Errorf("%v: mode is %v, made again %v, want %v", c.mode, after.Mode(), !os.SameFile(before, after), c.made)
		}
	}
}
