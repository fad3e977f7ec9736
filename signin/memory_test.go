package signin_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
)

func TestMemoryStoreTakesOnce(t *testing.T) {
	ctx := t.Context()
	var store signin.MemoryStore
	if err := store.Put(ctx, "key", []byte("value"), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var taken atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			value, err := store.Take(ctx, "key")
			switch {
			case err == nil && string(value) == "value":
				taken.Add(1)
			case !errors.Is(err, signin.ErrNotFound):
				t.Errorf("got %q, %v, want ErrNotFound", value, err)
			}
		})
	}
	wg.Wait()
	if got := taken.Load(); got != 1 {
		t.Errorf("taken %d times, want once", got)
	}
}

// A full store refuses new challenges, keeps all it has, and has room again when
// one is redeemed or has ended.
func TestMemoryStoreBound(t *testing.T) {
	ctx := t.Context()
	clock := pkitest.NewClock(noon())
	store := signin.MemoryStore{Now: clock.Now}
	put := func(key string, life time.Duration) error { return store.Put(ctx, key, nil, clock.Now().Add(life)) }
	for i := range signin.MaxChallenges {
		if err := put(fmt.Sprint(i), time.Minute+time.Duration(i)); err != nil {
			t.Fatalf("challenge %d: %v", i, err)
		}
	}
	full := func() {
		t.Helper()
		if err := put("one more", time.Hour); !errors.Is(err, signin.ErrStoreFull) {
			t.Errorf("got %v, want ErrStoreFull", err)
		}
	}
	full()
	if _, err := store.Take(ctx, "7"); err != nil {
		t.Fatal(err)
	}
	if err := put("another", time.Hour); err != nil {
		t.Errorf("after one was redeemed: %v", err)
	}
	clock.Advance(time.Minute - time.Nanosecond)
	full()
	clock.Advance(time.Nanosecond) // the end of the first
	if err := put("last", time.Hour); err != nil {
		t.Errorf("after one has ended: %v", err)
	}
	full()
	for _, key := range []string{"1", "another", "last", fmt.Sprint(signin.MaxChallenges - 1)} {
		if _, err := store.Take(ctx, key); err != nil {
			t.Errorf("live challenge %s: %v", key, err)
		}
	}
}

// A million abandoned challenges leave memory where it was.
func TestMemoryStoreAbandoned(t *testing.T) {
	ctx := t.Context()
	clock := pkitest.NewClock(noon())
	store := &signin.MemoryStore{Now: clock.Now}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	round := func() {
		for i := range signin.MaxChallenges {
			if err := store.Put(ctx, fmt.Sprint(i), make([]byte, 100), clock.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(time.Minute)
	}
	round()
	before := heap()
	for range 9 {
		round()
	}
	if after := heap(); after > before+before/4 {
		t.Errorf("heap grew from %d to %d bytes", before, after)
	}
	runtime.KeepAlive(store)
}

func TestMemoryStoreDenials(t *testing.T) {
	ctx := t.Context()
	clock := pkitest.NewClock(noon())
	store := signin.MemoryStore{Now: clock.Now}
	denied := func(issued time.Time, keys ...string) bool {
		t.Helper()
		got, err := store.Denied(ctx, issued, keys...)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	deny := func(key string, issuedUntil, until time.Time) {
		t.Helper()
		if err := store.Deny(ctx, key, issuedUntil, until); err != nil {
			t.Fatal(err)
		}
	}
	deny("a", noon(), noon().Add(time.Hour))
	for issued, want := range map[time.Time]bool{noon(): true, noon().Add(time.Second): false, noon().Add(-time.Hour): true} {
		if got := denied(issued, "x", "a"); got != want {
			t.Errorf("issued %v: got denied %v, want %v", issued, got, want)
		}
	}
	if denied(noon(), "x") || denied(noon()) {
		t.Error("denied by a key that is not there")
	}

	// Of two denials the later instants hold, in whichever order they come.
	deny("a", noon().Add(-time.Minute), noon().Add(2*time.Hour))
	deny("a", noon().Add(time.Minute), noon().Add(time.Minute))
	clock.Advance(2*time.Hour - time.Nanosecond)
	deny("b", noon(), noon()) // has whatever has ended removed
	if !denied(noon().Add(time.Minute), "a") {
		t.Error("a denial was forgotten before its time")
	}
	clock.Advance(time.Nanosecond)
	deny("c", noon(), noon())
	if denied(noon(), "a") {
		t.Error("a denial is remembered after its time")
	}
}

func BenchmarkMemoryStore(b *testing.B) {
	ctx := b.Context()
	var store signin.MemoryStore
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key := fmt.Sprint(i)
		if err := store.Put(ctx, key, nil, time.Now().Add(time.Minute)); err != nil {
			b.Fatal(err)
		}
		if _, err := store.Take(ctx, key); err != nil {
			b.Fatal(err)
		}
	}
}
