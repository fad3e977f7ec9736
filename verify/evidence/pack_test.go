package evidence_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/verify/evidence"
)

// object returns the i-th of many different objects.
func object(i int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "object %d\n", i), i%7)
}

func put(t testing.TB, s evidence.Store, data []byte) evidence.Hash {
	t.Helper()
	hash := evidence.HashOf(data)
	if err := s.Put(t.Context(), hash, data); err != nil {
		t.Fatal(err)
	}
	return hash
}

func openPack(t testing.TB, path string) *evidence.Pack {
	t.Helper()
	p, err := evidence.OpenPack(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func readPack(t testing.TB, path string) *evidence.Pack {
	t.Helper()
	p, err := evidence.ReadPack(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// wantObject wants an object to be there as it was.
func wantObject(t testing.TB, s evidence.Store, data []byte) {
	t.Helper()
	got, err := s.Get(t.Context(), evidence.HashOf(data))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %q, %v, want %q", got, err, data)
	}
}

// Each store returns what was put in, and says what it does not have.
func TestStores(t *testing.T) {
	for name, s := range map[string]evidence.Store{
		"memory": new(evidence.Memory),
		"folder": evidence.Dir(filepath.Join(t.TempDir(), "objects")),
		"pack":   openPack(t, filepath.Join(t.TempDir(), "objects.pack")),
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 200 {
				put(t, s, object(i))
				put(t, s, object(i))
			}
			for i := range 200 {
				wantObject(t, s, object(i))
			}
			if _, err := s.Get(t.Context(), evidence.HashOf([]byte("nothing"))); !errors.Is(err, evidence.ErrNotFound) {
				t.Errorf("got %v, want ErrNotFound", err)
			}
			// Whoever puts something in may use its bytes for something else.
			data := []byte("changing")
			hash := put(t, s, data)
			data[0]++
			if got, err := s.Get(t.Context(), hash); err != nil || string(got) != "changing" {
				t.Errorf("got %q, %v", got, err)
			}
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					for i := range 100 {
						put(t, s, object(1000+i))
						wantObject(t, s, object(1000+i))
					}
				})
			}
			wait.Wait()
		})
	}
}

// A pack keeps each object once.
func TestPackOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "objects.pack")
	p := openPack(t, path)
	large := bytes.Repeat([]byte("a revocation list "), 1<<16)
	for range 100 {
		put(t, p, large)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if p.Len() != 1 || info.Size() != int64(len(large))+16+48 {
		t.Errorf("got %d objects in %d bytes, want 1 in %d", p.Len(), info.Size(), len(large)+16+48)
	}
}

func TestDirDamage(t *testing.T) {
	dir := t.TempDir()
	s := evidence.Dir(dir)
	hash := put(t, s, []byte("an object"))
	path := filepath.Join(dir, hash.String()[:2], hash.String())
	if err := os.WriteFile(path, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), hash)
	if e, ok := errors.AsType[*evidence.DamageError](err); !ok || e.Object != hash {
		t.Errorf("got %v, want damage", err)
	}
}

// fill writes a pack of a few objects, and returns its bytes and where each begins.
func fill(t *testing.T, path string) (data []byte, objects [][]byte, starts []int) {
	t.Helper()
	p := openPack(t, path)
	at := 16
	for i := 1; i < 7; i++ {
		objects, starts = append(objects, object(i)), append(starts, at)
		put(t, p, object(i))
		at += 48 + len(object(i))
	}
	if err := errors.Join(p.Sync(), p.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || len(data) != at {
		t.Fatalf("got %d bytes, want %d (%v)", len(data), at, err)
	}
	return data, objects, append(starts, at)
}

// Wherever writing was broken off, what was whole is there, the rest is cut off, and
// writing goes on.
func TestPackTorn(t *testing.T) {
	dir := t.TempDir()
	data, objects, starts := fill(t, filepath.Join(dir, "whole.pack"))
	path := filepath.Join(dir, "torn.pack")
	for n := range len(data) + 1 {
		for _, zeros := range []int{0, 100} {
			if err := os.WriteFile(path, append(bytes.Clone(data[:n]), make([]byte, zeros)...), 0o600); err != nil {
				t.Fatal(err)
			}
			whole := 0
			for whole < len(objects) && starts[whole+1] <= n {
				whole++
			}
			if n >= 16 && zeros == 0 {
				r := readPack(t, path)
				if r.Len() != whole {
					t.Fatalf("cut at %d: a reader has %d objects, want %d", n, r.Len(), whole)
				}
				r.Close()
			}
			if zeros > 0 && (n < 16 || n-starts[whole] >= 48 || n > starts[whole]) {
				continue // is damage, or an object that happens to end in zeros
			}
			p := openPack(t, path)
			if p.Len() != whole || n >= 16 && p.Truncated() != int64(n+zeros-starts[whole]) {
				t.Fatalf("cut at %d: got %d objects and %d bytes cut off, want %d and %d", n, p.Len(), p.Truncated(), whole, n+zeros-starts[whole])
			}
			for _, o := range objects[:whole] {
				wantObject(t, p, o)
			}
			put(t, p, []byte("one more"))
			for _, o := range objects {
				put(t, p, o)
			}
			p.Close()
			p = openPack(t, path)
			if damage, err := p.Check(); err != nil || len(damage) > 0 || p.Len() != len(objects)+1 || p.Truncated() != 0 {
				t.Fatalf("cut at %d, written again: got %d objects, damage %v, %v", n, p.Len(), damage, err)
			}
			p.Close()
		}
	}
}

// A changed byte is found and named by object and offset, nothing is cut off for it,
// and the other objects are still there.
func TestPackFlippedByte(t *testing.T) {
	dir := t.TempDir()
	data, objects, starts := fill(t, filepath.Join(dir, "whole.pack"))
	path := filepath.Join(dir, "changed.pack")
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 0x40
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if i < 16 {
			if _, err := evidence.ReadPack(path); err == nil {
				t.Fatalf("byte %d changed: opened", i)
			}
			if _, err := evidence.OpenPack(path); err == nil {
				t.Fatalf("byte %d changed: opened to write", i)
			}
			continue
		}
		hit := 0
		for starts[hit+1] <= i {
			hit++
		}
		inHash := i-starts[hit] >= 12 && i-starts[hit] < 44
		for _, open := range []func(testing.TB, string) *evidence.Pack{readPack, openPack} {
			p := open(t, path)
			damage, err := p.Check()
			if err != nil || len(damage) != 1 || damage[0].Offset != int64(starts[hit]) || !inHash && damage[0].Object != evidence.HashOf(objects[hit]) {
				t.Fatalf("byte %d changed: got %v, %v, want object %v at %d", i, damage, err, evidence.HashOf(objects[hit]), starts[hit])
			}
			for k, o := range objects {
				got, err := p.Get(t.Context(), evidence.HashOf(o))
				if k != hit && (err != nil || !bytes.Equal(got, o)) || k == hit && err == nil {
					t.Fatalf("byte %d changed: object %d: got %q, %v", i, k, got, err)
				}
			}
			if p.Truncated() != 0 {
				t.Fatalf("byte %d changed: %d bytes cut off", i, p.Truncated())
			}
			p.Close()
		}
		// A writer goes on behind it.
		p := openPack(t, path)
		put(t, p, []byte("one more"))
		p.Close()
		wantObject(t, readPack(t, path), []byte("one more"))
	}
}

// A pack may hold a pack.
func TestPackInPack(t *testing.T) {
	dir := t.TempDir()
	inner, _, _ := fill(t, filepath.Join(dir, "inner.pack"))
	path := filepath.Join(dir, "outer.pack")
	p := openPack(t, path)
	put(t, p, inner)
	p.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[16] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := openPack(t, path); r.Len() != 0 || r.Truncated() != 0 {
		t.Errorf("got %d objects, want none of the inner pack's", r.Len())
	}
}

// A header cannot make a reader allocate what is not there.
func TestPackHostile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hostile.pack")
	header := make([]byte, 48)
	copy(header, "obj\n")
	binary.BigEndian.PutUint64(header[4:], 1<<62)
	if err := os.WriteFile(path, append([]byte("citizencert-pk1\n"), header...), 0o600); err != nil {
		t.Fatal(err)
	}
	damage, err := readPack(t, path).Check()
	if err != nil || len(damage) != 1 {
		t.Errorf("got %v, %v, want one damage", damage, err)
	}
	if _, err := evidence.ReadPack(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// There is one writer, whom readers may watch.
func TestPackReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "objects.pack")
	p := openPack(t, path)
	if other, err := evidence.OpenPack(path); err == nil {
		other.Close()
		t.Error("opened to write twice")
	}
	r := readPack(t, path)
	for i := range 100 {
		put(t, p, object(i))
		wantObject(t, r, object(i))
	}
	if err := r.Put(t.Context(), evidence.HashOf(nil), nil); err == nil {
		t.Error("a reader can write")
	}
	p.Close()
	openPack(t, path)
}

func TestMain(m *testing.M) { childtest.Main(m, writePack) }

// writePack puts one object after the other into a pack, and says what is in it.
func writePack(path string) error {
	p, err := evidence.OpenPack(path)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		data := bytes.Repeat(object(7*i+6), 100)
		if err := p.Put(context.Background(), evidence.HashOf(data), data); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// A process that writes is killed, again and again. What it has said that it wrote
// is there.
func TestPackKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "killed.pack")
	written := -1
	for range 10 {
		written = childtest.KillAt(t, path, written+1+rand.IntN(100))
	}
	p := openPack(t, path)
	if damage, err := p.Check(); err != nil || len(damage) > 0 {
		t.Errorf("damaged: %v, %v", damage, err)
	}
	for i := range written + 1 {
		wantObject(t, p, bytes.Repeat(object(7*i+6), 100))
	}
}
