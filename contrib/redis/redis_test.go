package redis_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/citizencert/citizencert/contrib/redis"
	"github.com/citizencert/citizencert/signin/storetest"
	"github.com/citizencert/citizencert/verify"
)

// A prefixed is a store that a further connection can be made to.
type prefixed struct {
	*redis.Store
	prefix string
}

// testStore tests what the interfaces promise, against the clock of the wall.
func testStore(t *testing.T, connect func(testing.TB) goredis.UniversalClient) {
	storetest.Run(t, storetest.Config{
		Open: func(t *testing.T) storetest.Store {
			client := connect(t)
			prefix := newPrefix(t, client)
			return prefixed{newStore(t, client, prefix), prefix}
		},
		Again: func(t *testing.T, first storetest.Store) storetest.Store {
			prefix := first.(prefixed).prefix
			return prefixed{newStore(t, connect(t), prefix), prefix}
		},
	})
}

func TestStore(t *testing.T) {
	o := options(t)
	testStore(t, func(t testing.TB) goredis.UniversalClient { return newClient(t, o) })
}

// A cluster refuses what touches keys of several slots, also if one server has
// them all.
func TestStoreOnCluster(t *testing.T) {
	s := startServer(t, "--cluster-enabled", "yes")
	s.command(t, "cluster", "addslotsrange", 0, 16383)
	connect := func(t testing.TB) goredis.UniversalClient {
		client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{s.address}, ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		return client
	}
	client := connect(t)
	for deadline := time.Now().Add(10 * time.Second); ; {
		if info := client.ClusterInfo(t.Context()).Val(); strings.Contains(info, "cluster_state:ok") {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("the cluster does not come up: ", info)
		}
	}
	testStore(t, connect)
}

// Entries have the names of the package comment, and the server ends them.
func TestKeys(t *testing.T) {
	ctx := t.Context()
	client := newClient(t, options(t))
	prefix := newPrefix(t, client)
	store := newStore(t, client, prefix)
	cache, err := redis.NewCache(redis.Config{Client: client, Environment: verify.Test, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	until := time.Now().Add(time.Hour)
	for _, err := range []error{
		store.Put(ctx, "key", []byte("value"), until),
		store.Deny(ctx, "key", time.UnixMicro(1_700_000_000_000_001), until),
		store.Keep(ctx, "key", []byte("certificate"), until),
		cache.Put(ctx, "key", []byte("answer"), time.Hour),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"challenge": "value", "denied": "1700000000000001", "certificate": "certificate", "ocsp": "answer"} {
		key := prefix + ":test:" + name + ":key"
		if got, err := client.Get(ctx, key).Result(); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", key, got, err, want)
		}
		if got := client.PTTL(ctx, key).Val(); got <= 59*time.Minute || got > time.Hour {
			t.Errorf("%s ends in %v, want an hour", key, got)
		}
	}
}

// What another environment or another service has stored is not there.
func TestKeyspacesApart(t *testing.T) {
	ctx := t.Context()
	client := newClient(t, options(t))
	prefix := newPrefix(t, client)
	until := time.Now().Add(time.Hour)
	if err := newStore(t, client, prefix).Put(ctx, "key", []byte("value"), until); err != nil {
		t.Fatal(err)
	}
	if err := newStore(t, client, prefix).Deny(ctx, "key", time.Now(), until); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		env    verify.Environment
		prefix string
		want   bool
	}{{verify.Production, prefix, false}, {verify.Test, prefix + "x", false}, {verify.Test, prefix, true}} {
		store, err := redis.New(ctx, redis.Config{Client: client, Environment: tt.env, Prefix: tt.prefix})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Take(ctx, "key"); (err == nil) != tt.want {
			t.Errorf("%v %s: got %v, want found %v", tt.env, tt.prefix, err, tt.want)
		}
		if got, err := store.Denied(ctx, time.Now().Add(-time.Hour), "key"); err != nil || got != tt.want {
			t.Errorf("%v %s: got denied %v, %v, want %v", tt.env, tt.prefix, got, err, tt.want)
		}
	}
}

// What has ended before it is stored is not stored, and what ends in less than the
// server counts in is.
func TestShortLives(t *testing.T) {
	ctx := t.Context()
	client := newClient(t, options(t))
	prefix := newPrefix(t, client)
	now := time.Now()
	store, err := redis.New(ctx, redis.Config{Client: client, Environment: verify.Test, Prefix: prefix, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, life := range []time.Duration{-time.Hour, -1, 0} {
		if err := store.Put(ctx, "ended", nil, now.Add(life)); err != nil {
			t.Errorf("%v: %v", life, err)
		}
		if err := store.Deny(ctx, "ended", now, now.Add(life)); err != nil {
			t.Errorf("%v: %v", life, err)
		}
	}
	if n := client.Exists(ctx, prefix+":test:challenge:ended", prefix+":test:denied:ended").Val(); n != 0 {
		t.Errorf("%d entries that have ended are there", n)
	}
	for _, life := range []time.Duration{1, time.Microsecond, time.Millisecond + 1} {
		if err := store.Put(ctx, "short", []byte("value"), now.Add(life)); err != nil {
			t.Errorf("%v: %v", life, err)
		}
	}
}

func TestConfig(t *testing.T) {
	o := options(t)
	good := redis.Config{Client: newClient(t, o), Environment: verify.Test}
	slow := *o
	slow.ContextTimeoutEnabled = false
	for _, tt := range []struct {
		name   string
		change func(*redis.Config)
		want   string // in the error
	}{
		{"as it should be", func(*redis.Config) {}, ""},
		{"no client", func(cfg *redis.Config) { cfg.Client = nil }, "Config.Client is required"},
		{"client without time-outs", func(cfg *redis.Config) { cfg.Client = newClient(t, &slow) }, "ContextTimeoutEnabled"},
		{"ring", func(cfg *redis.Config) {
			cfg.Client = goredis.NewRing(&goredis.RingOptions{Addrs: map[string]string{"a": o.Addr}, ContextTimeoutEnabled: true})
		}, "*redis.Ring"},
		{"no environment", func(cfg *redis.Config) { cfg.Environment = 0 }, "Config.Environment"},
		{"prefix", func(cfg *redis.Config) { cfg.Prefix = "tax:2026" }, ""},
		{"pattern for a prefix", func(cfg *redis.Config) { cfg.Prefix = "tax*" }, "Config.Prefix"},
		{"hash tag for a prefix", func(cfg *redis.Config) { cfg.Prefix = "{tax}" }, "Config.Prefix"},
		{"long prefix", func(cfg *redis.Config) { cfg.Prefix = strings.Repeat("x", 65) }, "Config.Prefix"},
		{"time-out below zero", func(cfg *redis.Config) { cfg.Timeout = -1 }, "Config.Timeout"},
	} {
		cfg := good
		tt.change(&cfg)
		_, err := redis.New(t.Context(), cfg)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New: got %v, want %q", tt.name, err, tt.want)
		}
		_, err = redis.NewCache(cfg)
		if (err == nil) != (tt.want == "") {
			t.Errorf("%s: NewCache: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A server that drops what is live is refused, and one without a limit is warned of.
func TestCheck(t *testing.T) {
	var log bytes.Buffer
	for _, tt := range []struct {
		name     string
		args     []string
		insecure bool
		want     string // in the error
		warns    bool
	}{
		{"limit", []string{"--maxmemory", "64mb"}, false, "", false},
		{"no limit", nil, false, "", true},
		{"allkeys", []string{"--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"}, false, "maxmemory-policy is \"allkeys-lru\"", false},
		{"volatile", []string{"--maxmemory-policy", "volatile-ttl"}, false, "maxmemory-policy", false},
		{"allowed", []string{"--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"}, true, "", false},
		{"replica", []string{"--replicaof", "127.0.0.1", "1"}, false, "role is \"slave\"", false},
	} {
		log.Reset()
		_, err := redis.New(t.Context(), redis.Config{
			Client:                newClient(t, startServer(t, tt.args...).options()),
			Environment:           verify.Test,
			InsecureAllowEviction: tt.insecure,
			Logger:                slog.New(slog.NewTextHandler(&log, nil)),
		})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if got := strings.Contains(log.String(), "maxmemory"); got != tt.warns {
			t.Errorf("%s: warns %v, want %v: %s", tt.name, got, tt.warns, &log)
		}
	}
}
