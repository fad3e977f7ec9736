package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// keyOf returns a key as package signin makes them.
func keyOf(i int) string {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func put(t *testing.T, store Store, key string, value []byte, expiry time.Time) {
	t.Helper()
	if err := store.Put(t.Context(), key, value, expiry); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// taken takes a challenge that must be there.
func taken(t *testing.T, store Store, key string, want []byte) {
	t.Helper()
	if got, err := store.Take(t.Context(), key); err != nil || !bytes.Equal(got, want) {
		t.Errorf("Take: got %q, %v, want %q", got, err, want)
	}
}

// gone takes a challenge that must not be there.
func gone(t *testing.T, store Store, key string) {
	t.Helper()
	if got, err := store.Take(t.Context(), key); !errors.Is(err, signin.ErrNotFound) || got != nil {
		t.Errorf("Take: got %q, %v, want ErrNotFound", got, err)
	}
}

// Values come back as they were put, once, on either connection; one that was taken
// can be put back. Keys differ by every letter, case included.
func challengeValues(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	again := cfg.Again(t, store)
	expiry := cfg.Now().Add(time.Minute)
	gone(t, store, keyOf(0))
	values := [][]byte{[]byte(`{"purpose":"signin"}`), {}, {0, 0xff, '\r', '\n', 0}, bytes.Repeat([]byte("x"), 1024)}
	for i, value := range values {
		put(t, store, keyOf(i), value, expiry)
	}
	lower, upper := "a"+keyOf(0)[1:], "A"+keyOf(0)[1:]
	put(t, store, lower, []byte("lower"), expiry)
	put(t, store, upper, []byte("upper"), expiry)
	taken(t, again, lower, []byte("lower"))
	taken(t, again, upper, []byte("upper"))
	for i, value := range values {
		taken(t, again, keyOf(i), value)
		gone(t, store, keyOf(i))
		gone(t, again, keyOf(i))
	}
	put(t, again, keyOf(0), values[0], expiry)
	taken(t, store, keyOf(0), values[0])
	gone(t, again, keyOf(0))
}

// Of 64 redeemers over two connections one gets the challenge, each time.
func challengeRace(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	again := cfg.Again(t, store)
	for round := range 20 {
		key, value := keyOf(round), fmt.Append(nil, round)
		put(t, store, key, value, cfg.Now().Add(time.Minute))
		var won atomic.Int32
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 64 {
			from := store
			if i%2 == 1 {
				from = again
			}
			wg.Go(func() {
				<-start
				got, err := from.Take(t.Context(), key)
				switch {
				case err == nil && bytes.Equal(got, value):
					won.Add(1)
				case !errors.Is(err, signin.ErrNotFound):
					t.Errorf("Take: got %q, %v, want the value or ErrNotFound", got, err)
				}
			})
		}
		close(start)
		wg.Wait()
		if got := won.Load(); got != 1 {
			t.Errorf("round %d: %d redeemers got the challenge, want 1", round, got)
		}
	}
}

// A challenge is there to the end of its life. After it, it may be returned or
// not, and has not become another's.
func challengeExpiry(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	now := cfg.Now()
	put(t, store, keyOf(0), []byte("short"), now.Add(life))
	put(t, store, keyOf(1), []byte("short"), now.Add(life))
	put(t, store, keyOf(2), []byte("long"), now.Add(time.Hour))
	cfg.Advance(life / 2)
	taken(t, store, keyOf(0), []byte("short"))
	cfg.Advance(life)
	put(t, store, keyOf(3), []byte("new"), cfg.Now().Add(time.Hour))
	got, err := store.Take(t.Context(), keyOf(1))
	if !errors.Is(err, signin.ErrNotFound) && (err != nil || string(got) != "short") {
		t.Errorf("Take after expiry: got %q, %v, want ErrNotFound or the value", got, err)
	}
	gone(t, store, keyOf(1))
	taken(t, store, keyOf(2), []byte("long"))
	taken(t, store, keyOf(3), []byte("new"))
}

// A full store says so, keeps what it has, and has room again when a challenge is
// redeemed or has ended.
func challengeFull(t *testing.T, cfg Config) {
	if cfg.MaxChallenges == 0 {
		t.Skip("MaxChallenges is not set")
	}
	store := cfg.Open(t)
	long := cfg.Now().Add(time.Hour)
	for i := range cfg.MaxChallenges - 1 {
		put(t, store, keyOf(i), []byte("value"), long)
	}
	short := keyOf(-1)
	put(t, store, short, []byte("value"), cfg.Now().Add(life))
	full := func() {
		t.Helper()
		if err := store.Put(t.Context(), keyOf(-2), []byte("value"), long); !errors.Is(err, signin.ErrStoreFull) {
			t.Errorf("Put: got %v, want ErrStoreFull", err)
		}
	}
	full()
	gone(t, store, keyOf(-2))
	taken(t, store, keyOf(0), []byte("value"))
	put(t, store, keyOf(0), []byte("again"), long)
	full()
	cfg.Advance(life + life/2)
	put(t, store, keyOf(-3), []byte("after"), long)
	full()
	taken(t, store, keyOf(-3), []byte("after"))
	taken(t, store, keyOf(0), []byte("again"))
	for i := 1; i < cfg.MaxChallenges-1; i++ {
		taken(t, store, keyOf(i), []byte("value"))
	}
}

// A call whose context has ended may fail, but does not say that a challenge is
// not there, and does not swallow it.
func challengeCanceled(t *testing.T, cfg Config) {
	store := cfg.Open(t)
	put(t, store, keyOf(0), []byte("value"), cfg.Now().Add(time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	switch got, err := store.Take(ctx, keyOf(0)); {
	case err == nil:
		if string(got) != "value" {
			t.Errorf("Take: got %q", got)
		}
		gone(t, store, keyOf(0))
	case errors.Is(err, signin.ErrNotFound):
		t.Error("Take: got ErrNotFound of a challenge that is there")
	default:
		taken(t, store, keyOf(0), []byte("value"))
	}
}
