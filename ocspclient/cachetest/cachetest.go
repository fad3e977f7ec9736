// Package cachetest tests implementations of ocspclient.Cache. Who writes one calls
// it from a test of its own:
//
//	func TestCache(t *testing.T) {
//		cachetest.Run(t, cachetest.Config{
//			Open: func(t *testing.T) ocspclient.Cache { return open(t) },
//		})
//	}
//
// It tests what the interface promises: that what was put comes back byte for byte
// on every connection until its time is over, that nothing else does, that a context
// is heeded, and that all of it may happen at once, which is worth running with
// -race. That answers are genuine is not for a cache to know.
package cachetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
)

// A Config says what is tested.
type Config struct {
	// Open returns a connection to an empty cache of its own for t, and sees to it that
	// it is removed when t ends. Required.
	Open func(t *testing.T) ocspclient.Cache

	// Again returns a further connection to the cache of one that Open returned, as
	// another server has it. If nil, the connection is shared.
	Again func(t *testing.T, first ocspclient.Cache) ocspclient.Cache

	// Advance moves the clock of the cache, if it has one that tests can set. If nil,
	// the tests run side by side and wait a few seconds for what must end.
	Advance func(time.Duration)
}

// life is that of what is to end during a test. Caches that count in seconds need a
// few of them.
const life = 3 * time.Second

// Run runs all tests as subtests of t.
func Run(t *testing.T, cfg Config) {
	if cfg.Open == nil {
		t.Fatal("cachetest: Config.Open is required")
	}
	waits := cfg.Advance == nil
	if waits {
		cfg.Advance = time.Sleep
	}
	if cfg.Again == nil {
		cfg.Again = func(_ *testing.T, first ocspclient.Cache) ocspclient.Cache { return first }
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, Config)
	}{
		{"values", values},
		{"replaced", replaced},
		{"expiry", expiry},
		{"canceled", canceled},
		{"at once", atOnce},
	} {
		t.Run(test.name, func(t *testing.T) {
			if waits {
				t.Parallel()
			}
			test.run(t, cfg)
		})
	}
}

// keyOf returns a key as package ocspclient makes them.
func keyOf(i int) string {
	sum := sha256.Sum256(fmt.Append(nil, i))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func put(t *testing.T, cache ocspclient.Cache, key string, answer []byte, ttl time.Duration) {
	t.Helper()
	if err := cache.Put(t.Context(), key, answer, ttl); err != nil {
		t.Errorf("Put: %v", err)
	}
}

func want(t *testing.T, cache ocspclient.Cache, key string, answer []byte) {
	t.Helper()
	got, err := cache.Get(t.Context(), key)
	if err != nil || !bytes.Equal(got, answer) {
		t.Errorf("Get: got %d bytes, %v, want %d bytes and no error", len(got), err, len(answer))
	}
}

// absent wants nothing, and no error for that.
func absent(t *testing.T, cache ocspclient.Cache, key string) {
	t.Helper()
	if got, err := cache.Get(t.Context(), key); got != nil || err != nil {
		t.Errorf("Get: got %d bytes, %v, want nil, nil", len(got), err)
	}
}

// Answers come back byte for byte, on either connection, as often as they are asked
// for. Keys differ by every letter, case included.
func values(t *testing.T, cfg Config) {
	cache := cfg.Open(t)
	again := cfg.Again(t, cache)
	absent(t, cache, keyOf(0))
	answers := [][]byte{{0x30}, {0, 0xff, '\r', '\n', 0}, bytes.Repeat([]byte{0x30, 0x80}, ocspclient.MaxResponseBytes/2)}
	for i, answer := range answers {
		given := bytes.Clone(answer)
		put(t, cache, keyOf(i), given, time.Hour)
		clear(given) // is the caller's again
	}
	lower, upper := "a"+keyOf(9)[1:], "A"+keyOf(9)[1:]
	put(t, cache, lower, []byte("lower"), time.Hour)
	put(t, cache, upper, []byte("upper"), time.Hour)
	for range 2 {
		for i, answer := range answers {
			want(t, cache, keyOf(i), answer)
			want(t, again, keyOf(i), answer)
		}
		want(t, again, lower, []byte("lower"))
		want(t, again, upper, []byte("upper"))
	}
	absent(t, again, keyOf(len(answers)))
}

// The last answer counts, and the last time to live.
func replaced(t *testing.T, cfg Config) {
	cache := cfg.Open(t)
	again := cfg.Again(t, cache)
	put(t, cache, keyOf(0), []byte("older, and longer than the newer"), life)
	put(t, again, keyOf(0), []byte("newer"), time.Hour)
	put(t, cache, keyOf(1), []byte("older"), time.Hour)
	put(t, again, keyOf(1), []byte("newer"), life)
	want(t, cache, keyOf(0), []byte("newer"))
	want(t, cache, keyOf(1), []byte("newer"))
	cfg.Advance(life + time.Second)
	want(t, cache, keyOf(0), []byte("newer"))
	absent(t, cache, keyOf(1))
}

func expiry(t *testing.T, cfg Config) {
	cache := cfg.Open(t)
	put(t, cache, keyOf(0), []byte("short"), life)
	put(t, cache, keyOf(1), []byte("long"), 30*24*time.Hour)
	put(t, cache, keyOf(2), []byte("shortest"), time.Millisecond)
	want(t, cache, keyOf(0), []byte("short"))
	cfg.Advance(life + time.Second)
	absent(t, cache, keyOf(0))
	want(t, cache, keyOf(1), []byte("long"))
	absent(t, cache, keyOf(2))
}

// Who has left is not answered, and nothing is taken for an answer.
func canceled(t *testing.T, cfg Config) {
	cache := cfg.Open(t)
	put(t, cache, keyOf(0), []byte("answer"), time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := cache.Get(ctx, keyOf(0)); err == nil || got != nil {
		t.Errorf("Get with a context that has ended: got %d bytes, %v, want an error", len(got), err)
	}
	if err := cache.Put(ctx, keyOf(0), []byte("other"), time.Hour); err == nil {
		t.Error("Put with a context that has ended: got no error")
	}
	want(t, cache, keyOf(0), []byte("answer"))
}

// Whatever happens at once, who gets an answer gets a whole one of the right key.
func atOnce(t *testing.T, cfg Config) {
	cache := cfg.Open(t)
	again := cfg.Again(t, cache)
	const keys, rounds = 8, 50
	of := func(key int) []byte { return bytes.Repeat([]byte{byte(key + 1)}, 2000) }
	var wg sync.WaitGroup
	for worker := range 8 {
		conn := cache
		if worker%2 == 1 {
			conn = again
		}
		wg.Go(func() {
			for i := range rounds {
				key := (worker + i) % keys
				if i%5 == 0 {
					put(t, conn, keyOf(key), of(key), time.Hour)
					continue
				}
				got, err := conn.Get(t.Context(), keyOf(key))
				if err != nil || got != nil && !bytes.Equal(got, of(key)) {
					t.Errorf("Get: got %d bytes, %v, want nothing or what was put", len(got), err)
				}
			}
		})
	}
	wg.Wait()
	for key := range keys {
		want(t, cache, keyOf(key), of(key))
	}
}
