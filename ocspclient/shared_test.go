package ocspclient_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/ocspclient/cachetest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
)

// A mapCache is a Cache for a test.
type mapCache struct {
	now     func() time.Time
	mu      sync.Mutex
	answers map[string]cached
	puts    int
}

type cached struct {
	answer []byte
	until  time.Time
}

func newMapCache(now func() time.Time) *mapCache {
	return &mapCache{now: now, answers: map[string]cached{}}
}

func (m *mapCache) Get(ctx context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c, ok := m.answers[key]; ok && m.now().Before(c.until) && ctx.Err() == nil {
		return c.answer, nil
	}
	return nil, ctx.Err()
}

func (m *mapCache) Put(ctx context.Context, key string, answer []byte, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		m.answers[key] = cached{bytes.Clone(answer), m.now().Add(ttl)}
		m.puts++
	}
	return ctx.Err()
}

// replace has every key hold other bytes, and returns how many there are.
func (m *mapCache) replace(answer []byte) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.answers {
		m.answers[key] = cached{answer, m.now().AddDate(1, 0, 0)}
	}
	return len(m.answers)
}

func TestCache(t *testing.T) {
	clock := pkitest.NewClock(noon)
	cachetest.Run(t, cachetest.Config{
		Open:    func(*testing.T) ocspclient.Cache { return newMapCache(clock.Now) },
		Advance: clock.Advance,
	})
}

// sharing returns a client that shares a cache, and what it tells of that. When it
// is closed, what was on its way to the cache has arrived.
func (w *world) sharing(cache ocspclient.Cache, timeout time.Duration) (*ocspclient.Client, *atomic.Pointer[ocspclient.SharedUse]) {
	var last atomic.Pointer[ocspclient.SharedUse]
	return w.client(ocspclient.Config{
		Cache: cache, CacheTimeout: timeout, BreakerFailures: 2,
		Observer: ocspclient.Observer{Shared: func(u ocspclient.SharedUse) {
			if u.Op == "get" {
				last.Store(&u)
			}
		}},
	}), &last
}

// waitFor waits for what happens in the background.
func (w *world) waitFor(what string, done func() bool) {
	w.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("%s has not happened", what)
		}
	}
}

func (m *mapCache) holds(n int) func() bool {
	return func() bool { m.mu.Lock(); defer m.mu.Unlock(); return len(m.answers) == n }
}

// put reports whether answers have come n times: those on their way would come last.
func (m *mapCache) put(n int) func() bool {
	return func() bool { m.mu.Lock(); defer m.mu.Unlock(); return m.puts == n }
}

func (m *mapCache) holdsRevocation() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, held := range m.answers {
		if answer, err := ocsp.ParseResponse(held.answer, nil); err == nil && answer.Status == ocsp.Revoked {
			return true
		}
	}
	return false
}

// What one server has asked for, another needs not.
func TestShared(t *testing.T) {
	w := newWorld(t)
	cache := newMapCache(w.clock.Now)
	first, _ := w.sharing(cache, time.Minute)
	w.wantAsked("first server", first, verify.Good, "")
	w.waitFor("Put", cache.holds(1))
	second, told := w.sharing(cache, time.Minute)
	w.wantAsked("second server", second, verify.Good, "")
	if w.asked() != 1 || !told.Load().Hit {
		t.Errorf("asked %d times, want once", w.asked())
	}

	// It is no fresher than it is: who wants it newer asks.
	w.clock.Advance(11 * time.Minute)
	third, _ := w.sharing(cache, time.Minute)
	w.wantAsked("until nextUpdate", third, verify.Good, "")
	q := w.query()
	q.Fresh.OCSP = 10 * time.Minute
	if got, err := w.ask(third, q); got != verify.Good || w.asked() != 2 {
		t.Errorf("at most ten minutes old: got %v, %v after %d requests, want good after 2", got, err, w.asked())
	}
	w.waitFor("Put of the newer answer", cache.put(2))

	// A revocation is shared too, and outlives its nextUpdate.
	w.clock.Advance(12 * time.Hour)
	w.ca.Revoke(w.cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
	w.wantAsked("revoked", first, verify.Revoked, "")
	w.waitFor("Put of the revocation", cache.holdsRevocation)
	w.clock.Advance(24 * time.Hour)
	before := w.asked()
	last, _ := w.sharing(cache, time.Minute)
	w.wantAsked("revoked, the day after", last, verify.Revoked, "")
	if w.asked() != before {
		t.Error("asked about what is known to be revoked")
	}
}

// A cache that answers at once is not mistaken for one that took too long.
func TestQuickCache(t *testing.T) {
	w := newWorld(t)
	cache := newMapCache(w.clock.Now)
	var failed atomic.Int32
	client := w.client(ocspclient.Config{Cache: cache, CacheTimeout: time.Minute, Observer: ocspclient.Observer{
		Shared: func(u ocspclient.SharedUse) {
			if u.Err != nil {
				failed.Add(1)
			}
		},
	}})
	w.wantAsked("first", client, verify.Good, "")
	w.clock.Advance(time.Minute)
	w.Script(w.ca.URLs.OCSP, status(http.StatusNotFound))
	q := w.query()
	q.Fresh.OCSP = time.Second // makes the Client look into the cache, and ask in vain
	for range 500 {
		if _, err := client.Status(t.Context(), q); err == nil {
			t.Fatal("got no error, want what is held to be too old")
		}
	}
	if n := failed.Load(); n != 0 {
		t.Errorf("the cache has failed %d times", n)
	}
}

// Whatever a cache does, the verdict is the responder's.
func TestPoisonedCache(t *testing.T) {
	w := newWorld(t)
	other := *w
	other.cert = w.issue(pkitest.Template{}).Cert
	old := w.answer(singles(pkitest.SingleResponse{Status: pkitest.OCSPGood, ThisUpdate: noon.AddDate(0, 0, -7)}))
	for name, poison := range map[string][]byte{
		"forged":              w.answer(pkitest.OCSPOptions{BreakSignature: true}),
		"of another citizen":  other.answer(pkitest.OCSPOptions{}),
		"garbage":             []byte("garbage"),
		"empty":               {},
		"stale":               old,
		"unknown":             w.answer(singles(pkitest.SingleResponse{Status: pkitest.OCSPUnknown})),
		"other generation's":  w.answer(pkitest.OCSPOptions{Signer: w.responder(w.G2.MOICA, nil)}),
		"in the future":       w.answer(singles(pkitest.SingleResponse{ThisUpdate: noon.AddDate(0, 0, 1)})),
		"too large":           make([]byte, ocspclient.MaxResponseBytes+1),
		"a sibling's good":    w.answer(pkitest.OCSPOptions{Signer: siblingOf(w)}),
		"status of a problem": w.answer(pkitest.OCSPOptions{ResponseStatus: pkitest.OCSPInternalError}),
	} {
		for _, revoked := range []bool{false, true} {
			inner := *w
			inner.cert = w.cert
			want := verify.Good
			if revoked {
				w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked}))
				want = verify.Revoked
			} else {
				w.Script(w.ca.URLs.OCSP, nil)
			}
			cache := newMapCache(w.clock.Now)
			first, _ := w.sharing(cache, time.Minute)
			inner.wantAsked(name, first, want, "")
			w.waitFor("Put", cache.holds(1))
			first.Close()
			cache.replace(poison)
			second, told := w.sharing(cache, time.Minute)
			inner.wantAsked(name, second, want, "")
			if use := told.Load(); name != "stale" && (use.Hit || use.Err == nil && name != "empty") {
				t.Errorf("%s: got %+v, want to be told why it is of no use", name, use)
			}
		}
	}
}

func siblingOf(w *world) *pkitest.Signer {
	sibling := w.issue(pkitest.Template{})
	return &pkitest.Signer{Cert: sibling.Cert, Key: sibling.Key}
}

// An old good answer does not bring back who was seen to be revoked.
func TestSharedRollback(t *testing.T) {
	w := newWorld(t)
	cache := newMapCache(w.clock.Now)
	client, _ := w.sharing(cache, time.Minute)
	w.wantAsked("good", client, verify.Good, "")
	w.waitFor("Put", cache.holds(1))
	old := w.answer(pkitest.OCSPOptions{})
	w.clock.Advance(time.Hour)
	w.ca.Revoke(w.cert, noon.Add(time.Minute), pkitest.ReasonKeyCompromise)
	q := w.query()
	q.Fresh.OCSP = time.Minute
	if got, err := w.ask(client, q); got != verify.Revoked {
		t.Errorf("got %v, %v, want revoked", got, err)
	}
	cache.replace(old)
	w.wantAsked("after the cache went back", client, verify.Revoked, "")
}

// What a server has learned guards another one, or itself after a restart, against what
// was said before, for as long as the cache has it.
func TestRollbackAfterRestart(t *testing.T) {
	w := newWorld(t)
	cache := newMapCache(w.clock.Now)
	client, _ := w.sharing(cache, time.Minute)
	w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPRevoked, Reason: pkitest.ReasonCertificateHold, NextUpdate: noon.Add(2 * time.Hour)}))
	w.wantAsked("hold", client, verify.Suspended, "")
	w.waitFor("Put", cache.holds(1))
	client.Close()
	w.serve(singles(pkitest.SingleResponse{Status: pkitest.OCSPGood, ThisUpdate: noon.Add(-time.Minute), NextUpdate: noon.Add(9 * time.Hour)}))
	w.clock.Advance(time.Hour)
	q := w.query()
	q.Fresh.OCSP = time.Minute // makes the Client ask
	for _, c := range []struct {
		name   string
		client *ocspclient.Client
		behind bool
	}{
		{"with the cache", w.client(ocspclient.Config{Cache: cache}), true},
		{"without", w.client(ocspclient.Config{}), false},
	} {
		if _, err := c.client.Status(t.Context(), q); errors.Is(err, ocspclient.ErrRollback) != c.behind {
			t.Errorf("%s: got %v, want ErrRollback %v", c.name, err, c.behind)
		}
	}
}

// A brokenCache fails, or does not come back before its time.
type brokenCache struct {
	calls atomic.Int32
	hangs bool
}

func (b *brokenCache) call(ctx context.Context) error {
	b.calls.Add(1)
	if b.hangs {
		<-ctx.Done()
		time.Sleep(20 * time.Millisecond) // and then some
	}
	return errors.New("the cache is broken")
}

func (b *brokenCache) Get(ctx context.Context, _ string) ([]byte, error) { return nil, b.call(ctx) }

func (b *brokenCache) Put(ctx context.Context, _ string, _ []byte, _ time.Duration) error {
	return b.call(ctx)
}

// A cache that is broken or slow changes no verdict, and is left alone after a while.
func TestBrokenCache(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		w := newWorld(t)
		cache := &brokenCache{hangs: hangs}
		client, told := w.sharing(cache, 50*time.Millisecond)
		for range 6 {
			w.cert = w.issue(pkitest.Template{}).Cert
			w.wantAsked("broken cache", client, verify.Good, "")
		}
		if got := cache.calls.Load(); got > 4 || !errors.Is(told.Load().Err, ocspclient.ErrLeftAlone) {
			t.Errorf("hangs %v: used %d times, and at last %v, want it left alone after 2 failures", hangs, got, told.Load().Err)
		}
	}
}
