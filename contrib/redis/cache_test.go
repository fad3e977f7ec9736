package redis_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/citizencert/citizencert/contrib/redis"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/ocspclient/cachetest"
	"github.com/citizencert/citizencert/verify"
)

func newCache(t *testing.T, cfg redis.Config) *redis.Cache {
	t.Helper()
	cache, err := redis.NewCache(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cache
}

// wantAnswer checks what is held; nil is nothing.
func wantAnswer(t *testing.T, cache *redis.Cache, key string, want []byte) {
	t.Helper()
	got, err := cache.Get(t.Context(), key)
	if err != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
		t.Errorf("Get %s: got %d bytes, %v, want %d", key, len(got), err, len(want))
	}
}

// A prefixedCache is a cache that a further connection can be made to.
type prefixedCache struct {
	*redis.Cache
	prefix string
}

// What package ocspclient asks of a cache, against the clock of the wall.
func TestCacheConformance(t *testing.T) {
	o := options(t)
	open := func(t *testing.T, prefix string) ocspclient.Cache {
		client := newClient(t, o)
		if prefix == "" {
			prefix = newPrefix(t, client)
		}
		return prefixedCache{newCache(t, redis.Config{Client: client, Environment: verify.Test, Prefix: prefix}), prefix}
	}
	cachetest.Run(t, cachetest.Config{
		Open: func(t *testing.T) ocspclient.Cache { return open(t, "") },
		Again: func(t *testing.T, first ocspclient.Cache) ocspclient.Cache {
			return open(t, first.(prefixedCache).prefix)
		},
	})
}

func TestCache(t *testing.T) {
	ctx := t.Context()
	o := options(t)
	client := newClient(t, o)
	cfg := redis.Config{Client: client, Environment: verify.Test, Prefix: newPrefix(t, client)}
	cache := newCache(t, cfg)
	cfg.Client = newClient(t, o)
	again := newCache(t, cfg)
	cfg.Environment = verify.Production
	production := newCache(t, cfg)

	wantAnswer(t, cache, "a", nil)
	put := func(key string, answer []byte, ttl time.Duration) {
		t.Helper()
		if err := cache.Put(ctx, key, answer, ttl); err != nil {
			t.Error(err)
		}
	}
	put("a", []byte("first"), time.Hour)
	put("a", []byte{0x30, 0, '\r', '\n', 0xff}, time.Minute)
	wantAnswer(t, again, "a", []byte{0x30, 0, '\r', '\n', 0xff})
	wantAnswer(t, production, "a", nil)
	wantAnswer(t, cache, "A", nil)
	if got := client.PTTL(ctx, cfg.Prefix+":test:ocsp:a").Val(); got <= 0 || got > time.Minute {
		t.Errorf("ends in %v, want a minute, as the last answer says", got)
	}
	put("ended", []byte("answer"), 0)
	put("ended", []byte("answer"), -time.Hour)
	wantAnswer(t, cache, "ended", nil)
	put("short", []byte("answer"), time.Millisecond)
	for deadline := time.Now().Add(10 * time.Second); client.Exists(ctx, cfg.Prefix+":test:ocsp:short").Val() != 0; {
		if time.Now().After(deadline) {
			t.Fatal("an answer outlives its time")
		}
	}
	wantAnswer(t, cache, "short", nil)

	// Sizes, of what is put and of what somebody else has put.
	largest := make([]byte, redis.MaxAnswer)
	put("large", largest, time.Minute)
	wantAnswer(t, cache, "large", largest)
	for _, answer := range [][]byte{nil, make([]byte, redis.MaxAnswer+1)} {
		if err := cache.Put(ctx, "large", answer, time.Minute); err == nil {
			t.Errorf("%d bytes were held", len(answer))
		}
	}
	client.Append(ctx, cfg.Prefix+":test:ocsp:large", "x")
	if got, err := cache.Get(ctx, "large"); err == nil || got != nil {
		t.Errorf("got %d bytes, want an error", len(got))
	}
}

// An answer may be evicted, and a server that is down says so.
func TestCacheServer(t *testing.T) {
	s := startServer(t, "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
	cache := newCache(t, redis.Config{Client: newClient(t, s.options()), Environment: verify.Test})
	if err := cache.Put(t.Context(), "a", []byte("answer"), time.Minute); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, cache, "a", []byte("answer"))
	s.process.Kill()
	if _, err := cache.Get(t.Context(), "a"); err == nil {
		t.Error("Get: got no error of a server that is down")
	}
	if err := cache.Put(t.Context(), "a", []byte("answer"), time.Minute); err == nil {
		t.Error("Put: got no error of a server that is down")
	}
}
