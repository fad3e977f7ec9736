package crl_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

var indexKey = bytes.Repeat([]byte{7}, crl.MinIndexKey)

// onDisk are configurations that keep lists in a directory, without and with
// indexes.
func onDisk(dir string) map[string]crl.Config {
	return map[string]crl.Config{
		"lists":   {Dir: dir},
		"indexes": {Dir: dir, IndexKey: indexKey},
	}
}

// files returns the files in a directory with a suffix.
func files(tb testing.TB, dir, suffix string) []string {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*", "*"+suffix))
	if err != nil {
		tb.Fatal(err)
	}
	return names
}

// replace puts another file in the place of one that is not for writing.
func replace(tb testing.TB, name string, data []byte) {
	tb.Helper()
	if err := os.Remove(name); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o400); err != nil {
		tb.Fatal(err)
	}
}

// A start without a network serves what is on disk until its nextUpdate.
func TestRestart(t *testing.T) {
	for name, cfg := range onDisk("") {
		w := newWorld(t)
		revoked := w.about(w.issue(pkitest.Template{}))
		w.ca.Revoke(revoked.cert, noon.Add(-time.Minute), pkitest.ReasonKeyCompromise)
		cfg.Dir = t.TempDir()
		first := w.store(cfg)
		w.wantAsked(name+", fetched", first, verify.Good, "")
		first.Close()
		cfg.Offline = true
		second := w.store(cfg)
		w.wantAsked(name+", restarted", second, verify.Good, "")
		revoked.wantAsked(name+", restarted, revoked", second, verify.Revoked, "")
		reports, err := second.Status(t.Context(), w.query())
		if err != nil || len(reports) != 1 || !bytes.Equal(reports[0].DER, w.list(pkitest.CRLOptions{Partition: true})) {
			t.Errorf("%s: got %d reports, %v, want one with the list", name, len(reports), err)
		}
		w.clock.Advance(24*time.Hour - time.Second)
		w.wantAsked(name+", a second before nextUpdate", w.store(cfg), verify.Good, "")
		w.clock.Advance(time.Second)
		w.wantAsked(name+", at nextUpdate", w.store(cfg), verify.Unknown, verify.ReasonStatusStale)
		revoked.wantAsked(name+", at nextUpdate, revoked", w.store(cfg), verify.Revoked, "")
	}
}

// rollbackOnDisk has a server go back after a restart.
func rollbackOnDisk(w *world) {
	for name, cfg := range onDisk("") {
		for _, c := range []struct {
			second pkitest.CRLOptions
			back   bool
		}{{numbered(9, 0), true}, {numbered(11, 2*time.Minute), true}, {numbered(10, 0), true}, {numbered(11, 0), false}} {
			cfg.Dir = w.TempDir()
			store := w.store(cfg)
			w.serve(numbered(10, time.Minute))
			w.wantAsked(name+", first", store, verify.Good, "")
			store.Close()
			w.serve(c.second)
			q := w.query()
			q.Fresh.CRL = time.Nanosecond // fetch again
			_, err := w.store(cfg).Status(w.Context(), q)
			if back := errors.Is(err, crl.ErrRollback); back != c.back {
				w.Errorf("%s, number %v: got error %v, want rollback %v", name, c.second.Number, err, c.back)
			}
		}
	}
}

// A list that has not changed is not sent again, and neither after a restart.
func TestNotModified(t *testing.T) {
	w := newWorld(t)
	cfg := crl.Config{Dir: t.TempDir()}
	sent := 0
	list := w.ca.CRLHandler(pkitest.CRLOptions{Partition: true})
	w.Script(w.ca.URLs.Partition, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		counter := &statusWriter{ResponseWriter: rw}
		list.ServeHTTP(counter, r)
		if counter.code != http.StatusNotModified {
			sent++
		}
	}))
	w.wantAsked("first", w.store(cfg), verify.Good, "")
	w.clock.Advance(time.Second)
	again := w.query()
	again.Fresh.CRL = time.Nanosecond // fetch again
	for range 3 {
		store := w.store(cfg)
		for range 2 {
			before := w.fetches()
			if reports, _ := store.Status(t.Context(), again); len(reports) == 0 || w.fetches() == before {
				t.Fatalf("got %d reports after %d requests, want both", len(reports), w.fetches()-before)
			}
		}
		store.Close()
	}
	if sent != 1 {
		t.Errorf("sent %d times, want once", sent)
	}
	w.ca.Revoke(w.cert, noon, pkitest.ReasonKeyCompromise)
	store := w.store(cfg)
	if _, err := store.Status(t.Context(), again); sent != 2 {
		t.Errorf("got %v, sent %d times, want the new list", err, sent)
	}
	w.wantAsked("revoked since", store, verify.Revoked, "")
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// A saved index that was damaged, or is another's, is made again from the list, and
// changes no answer.
func TestDamagedIndex(t *testing.T) {
	w := newWorld(t)
	w.serve(pkitest.CRLOptions{Filler: 3000})
	listed := w.about(w.issue(pkitest.Template{Serial: pkitest.FillerSerial(17)}))
	cfg := crl.Config{Dir: t.TempDir(), IndexKey: indexKey, RefreshInterval: -1}
	w.wantAsked("fetched", w.store(cfg), verify.Good, "")
	name := files(t, cfg.Dir, ".index")[0]
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Offline = true
	check := func(what string, data []byte) {
		t.Helper()
		replace(t, name, data)
		store := w.store(cfg)
		listed.wantAsked(what+", listed", store, verify.Revoked, "")
		w.wantAsked(what+", not listed", store, verify.Good, "")
		store.Close()
	}
	check("whole", whole)
	for at := 0; at < len(whole); at += 997 {
		data := bytes.Clone(whole)
		data[at] ^= 1
		check("flipped bit", data)
	}
	for _, n := range []int{0, 10, 100, len(whole) / 2, len(whole) - 1} {
		check("cut short", whole[:n])
	}
	check("longer", append(bytes.Clone(whole), make([]byte, 1<<14)...))
	other := cfg
	other.IndexKey = bytes.Repeat([]byte{8}, crl.MinIndexKey)
	listed.wantAsked("by another key", w.store(other), verify.Revoked, "")
	if made, err := os.ReadFile(name); err != nil || bytes.Equal(made, whole) {
		t.Errorf("index by another key was not made again (%v)", err)
	}
	listed.wantAsked("by the first key again", w.store(cfg), verify.Revoked, "")
}

// A list whose file has been damaged is fetched again, even if its index is whole.
func TestDamagedList(t *testing.T) {
	w := newWorld(t)
	for name, cfg := range onDisk("") {
		cfg.Dir, cfg.RefreshInterval = t.TempDir(), -1
		w.wantAsked(name+", fetched", w.store(cfg), verify.Good, "")
		for _, list := range files(t, cfg.Dir, ".crl") {
			data, err := os.ReadFile(list)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(list, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before := w.fetches()
		w.wantAsked(name+", damaged", w.store(cfg), verify.Good, "")
		if w.fetches() == before {
			t.Errorf("%s: damaged list was not fetched again", name)
		}
	}
}

// An index of another list, put in the place of the right one by somebody who has
// it with the right key, is found out.
func TestForeignIndex(t *testing.T) {
	w := newWorld(t)
	cfg := crl.Config{Dir: t.TempDir(), IndexKey: indexKey, RefreshInterval: -1}
	w.wantAsked("first", w.store(cfg), verify.Good, "")
	old := files(t, cfg.Dir, ".index")[0]
	data, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	w.ca.Revoke(w.cert, noon, pkitest.ReasonKeyCompromise)
	w.clock.Advance(24 * time.Hour)
	w.wantAsked("second", w.store(cfg), verify.Revoked, "")
	names := files(t, cfg.Dir, ".index")
	if len(names) != 1 || names[0] == old {
		t.Fatalf("got indexes %v, want that of the second list alone", names)
	}
	replace(t, names[0], data)
	cfg.Offline = true
	w.wantAsked("index of the first list", w.store(cfg), verify.Revoked, "")
}

// unusableDir has a directory for lists that is of no use, or full of lies.
func unusableDir(w *world) {
	revoked := w.about(w.issue(pkitest.Template{}))
	w.ca.Revoke(revoked.cert, noon.Add(-time.Minute), pkitest.ReasonKeyCompromise)
	check := func(name string, dir string) {
		w.Helper()
		for _, cfg := range onDisk(dir) {
			before := w.fetches()
			store := w.store(cfg)
			w.wantAsked(name, store, verify.Good, "")
			revoked.wantAsked(name+", revoked", store, verify.Revoked, "")
			if got := w.fetches() - before; got != 1 {
				w.Errorf("%s: fetched %d lists, want 1", name, got)
			}
		}
	}
	file := filepath.Join(w.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		w.Fatal(err)
	}
	check("a file in its place", file)
	check("below a file", filepath.Join(file, "lists"))
	if _, err := os.Stat("/dev/full"); err == nil {
		check("not a directory", "/dev/full")
	}

	filled := w.TempDir()
	cfg := crl.Config{Dir: filled, RefreshInterval: -1}
	w.wantAsked("filled", w.store(cfg), verify.Good, "")
	other, err := w.G2.MOICA.CRL(pkitest.CRLOptions{})
	if err != nil {
		w.Fatal(err)
	}
	truth := w.list(pkitest.CRLOptions{Partition: true})
	forged := w.list(pkitest.CRLOptions{Partition: true, OnlyEntries: true, BreakSignature: true})
	for name, data := range map[string][]byte{"another CA's list": other, "forged list": forged, "garbage": []byte("garbage"), "empty": nil, "half": truth[:len(truth)/2]} {
		for _, list := range files(w, filled, ".crl") {
			if err := os.WriteFile(list, data, 0o600); err != nil {
				w.Fatal(err)
			}
		}
		before := w.fetches()
		store := w.store(cfg)
		w.wantAsked("poisoned with "+name, store, verify.Good, "")
		revoked.wantAsked("poisoned with "+name+", revoked", store, verify.Revoked, "")
		if w.fetches() == before {
			w.Errorf("poisoned with %s: nothing was fetched", name)
		}
	}
}

// Superseded lists are kept, as many as the configuration says, and found by their
// digest.
func TestOriginal(t *testing.T) {
	w := newWorld(t)
	store := w.store(crl.Config{Dir: t.TempDir(), KeepSuperseded: 1})
	var lists [][]byte
	for range 3 {
		w.clock.Advance(24 * time.Hour)
		w.wantAsked("current", store, verify.Good, "")
		lists = append(lists, w.list(pkitest.CRLOptions{Partition: true}))
	}
	for i, want := range []bool{false, true, true} {
		got, err := store.Original(sha256.Sum256(lists[i]))
		if (err == nil) != want || want && !bytes.Equal(got, lists[i]) || !want && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("list %d: got %d bytes, %v, want found %v", i, len(got), err, want)
		}
	}
	if _, err := w.store(crl.Config{}).Original([32]byte{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a directory: got %v", err)
	}
}
