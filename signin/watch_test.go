package signin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// A watchedWorld verifies by a responder and by lists, which it follows.
type watchedWorld struct {
	*world
	lists *crl.Store
	stop  func()
}

func newWatchedWorld(t *testing.T, changes ...func(*signin.Config)) *watchedWorld {
	t.Helper()
	w := &watchedWorld{world: newWorld(t, changes...)}
	hosts := []string{"127.0.0.1"}
	responders, err := ocspclient.New(ocspclient.Config{AllowedHosts: hosts, Now: w.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { responders.Close() })
	// The interval is one of the world's clock; how often it is looked at, of ours.
	w.lists, err = crl.New(crl.Config{AllowedHosts: hosts, Now: w.clock.Now, RefreshInterval: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.lists.Close() })
	var policy verify.Config
	w.verifier(t, verify.Custom, func(s *verify.Scheme) { policy.Scheme = *s })
	policy.Scheme.Environment, policy.Clock = verify.Custom, w.clock.Now
	policy.Status = []verify.StatusSource{responders, w.lists}
	if w.cfg.Verifier, err = verify.New(policy); err != nil {
		t.Fatal(err)
	}
	w.auth, w.site = w.newSite(t, w.cfg)
	w.stop = w.auth.Watch(w.lists)
	t.Cleanup(w.stop)
	return w
}

// listed waits until the list of a card's certificate is held: what is on the first
// one is no change.
func (w *watchedWorld) listed(t *testing.T, card *pkitest.Card) {
	t.Helper()
	eventually(t, "a list is held", func() bool {
		now := w.clock.Now()
		reports, _ := w.lists.Status(t.Context(), verify.StatusQuery{
			Cert: card.Cert, Issuer: w.G3.MOICA.Cert, At: now, Now: now, HeldOnly: true,
		})
		return len(reports) > 0
	})
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// A new list ends the sessions of what it says is revoked or suspended, long before
// their renewal, though the responder's answers at hand still say good; and no others.
func TestWatch(t *testing.T) {
	w := newWatchedWorld(t)
	neighbour := w.issue(t, w.G3.IssueCard)
	revoked, elsewhere, other := w.browser(t), w.browser(t), w.browser(t)
	revoked.signIn(w.card)
	elsewhere.signIn(w.card)
	other.signIn(neighbour)
	w.listed(t, w.card)

	ended := func(b *browser) bool { return b.account() == "" }
	w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
	w.clock.Advance(time.Minute) // a new list may be asked for, and no renewal is due
	eventually(t, "the sessions of a revoked certificate end", func() bool { return ended(revoked) && ended(elsewhere) })
	w.refused(t, revoked.do("GET", "/account", nil), signin.CodeSession, signin.ReasonSessionEnded)
	if ended(other) {
		t.Error("the session of another certificate has ended too")
	}

	w.G3.MOICA.Suspend(neighbour.Cert, w.clock.Now())
	w.clock.Advance(time.Minute)
	eventually(t, "the session of a suspended certificate ends", func() bool { return ended(other) })
	w.G3.MOICA.Resume(neighbour.Cert)
	w.clock.Advance(verify.SignInOCSPAge + time.Minute)
	c := other.begin()
	eventually(t, "a certificate signs in whose suspension has ended", func() bool {
		if rec := other.finish(c, sign(t, neighbour, c)); rec.Code == 200 {
			return true
		}
		c = other.begin()
		return false
	})
	if ended(other) {
		t.Error("the new session has ended with the one before")
	}
}

// A session store that fails is asked again until it works, and what it was not
// asked about is not forgotten.
func TestWatchStoreFails(t *testing.T) {
	store := &unreachable{}
	w := newWatchedWorld(t, func(cfg *signin.Config) { cfg.Sessions = store })
	store.Now = w.clock.Now
	b := w.browser(t)
	b.signIn(w.card)
	w.listed(t, w.card)
	store.left.Store(3)
	w.G3.MOICA.Revoke(w.card.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
	w.clock.Advance(time.Minute)
	eventually(t, "the session ends", func() bool { return b.account() == "" })
	if store.left.Load() != 0 || !strings.Contains(w.log.String(), "trying again") {
		t.Errorf("the store was not asked again, or the operator not told: %s", w.log)
	}
	if strings.Contains(w.log.String(), fmt.Sprintf("%x", w.card.Cert.SerialNumber)) {
		t.Error("the log names the certificate")
	}

	// While the store is down, what holds up Close is stopped.
	store.left.Store(1 << 30)
	other := w.issue(t, w.G3.IssueCard)
	w.G3.MOICA.Revoke(other.Cert, w.clock.Now(), pkitest.ReasonKeyCompromise)
	w.clock.Advance(time.Minute)
	eventually(t, "the store is asked", func() bool { return store.left.Load() < 1<<30 })
	w.stop()
	w.lists.Close()
	if !strings.Contains(w.log.String(), "their renewal will") {
		t.Error("the operator is not told of what was left undone")
	}
}

// unreachable is a store whose next calls of Kept fail.
type unreachable struct {
	signin.MemoryStore
	left atomic.Int64
}

func (f *unreachable) Kept(ctx context.Context, key string) ([]byte, error) {
	if f.left.Load() > 0 {
		f.left.Add(-1)
		return nil, errors.New("store: connection refused")
	}
	return f.MemoryStore.Kept(ctx, key)
}

// What a watcher cannot do it gives up, and says so, when renewals have done it.
func TestWatchGivesUp(t *testing.T) {
	store := &unreachable{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Sessions = store })
	store.Now = w.clock.Now
	w.browser(t).signIn(w.card)
	issuer := w.G3.MOICA.Cert.RawSubjectPublicKeyInfo
	changes := []crl.Change{{IssuerKey: issuer, Serial: []byte{1}, Status: verify.Suspended, URL: "http://ca.example/1.crl"}}
	synctest.Test(t, func(t *testing.T) {
		store.left.Store(1 << 30)
		start := time.Now()
		signin.Follow(w.auth, t.Context(), changes)
		if took := time.Since(start); took != signin.MaxTokenLife {
			t.Errorf("gave up after %v, want %v", took, signin.MaxTokenLife)
		}
		if asked := 1<<30 - store.left.Load(); asked < 50 || asked > 100 {
			t.Errorf("asked the store %d times, want 50 to 100", asked)
		}
	})
	for _, want := range []string{"trying again", "their renewal will", "connection refused"} {
		if n := strings.Count(w.log.String(), want); n == 0 || n > 2 {
			t.Errorf("%q is %d times in the log, want once for each message", want, n)
		}
	}
}

// What is not worse is no change, and a number below zero names no certificate: least
// of all the one whose number has the same bytes.
func TestWatchIgnores(t *testing.T) {
	store := &denials{}
	w := newWorld(t, func(cfg *signin.Config) { cfg.Sessions = store })
	store.Now = w.clock.Now
	b := w.browser(t)
	b.signIn(w.card)
	issuer, serial := w.G3.MOICA.Cert.RawSubjectPublicKeyInfo, w.card.Cert.SerialNumber.Bytes()
	if serial[0] >= 0x80 {
		serial = append([]byte{0}, serial...)
	}
	other := w.G2.MOICA.Cert.RawSubjectPublicKeyInfo
	signin.Follow(w.auth, t.Context(), []crl.Change{
		{IssuerKey: issuer, Serial: serial, Status: verify.Good},
		{IssuerKey: issuer, Serial: serial, Status: verify.Unknown},
		{IssuerKey: other, Serial: serial, Status: verify.Revoked},
		{IssuerKey: issuer, Serial: append([]byte{0xff}, serial...), Status: verify.Revoked},
		{IssuerKey: issuer, Status: verify.Revoked},
	})
	if b.account() == "" || store.count != 0 {
		t.Errorf("the session has ended, or something was denied: %d", store.count)
	}
	signin.Follow(w.auth, t.Context(), []crl.Change{{IssuerKey: issuer, Serial: serial, Status: verify.Suspended}})
	if b.account() != "" || store.count != 1 {
		t.Errorf("the session goes on, or more than it was ended: %d", store.count)
	}
}
