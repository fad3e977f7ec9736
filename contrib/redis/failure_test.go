package redis_test

import (
	"net/http"
	"os"
	"syscall"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/citizencert/citizencert/signin"
)

// Whatever is wrong with the server, nobody is let in; when it is well again the
// citizens who were signed in still are.
func TestServerFailures(t *testing.T) {
	for _, tt := range []struct {
		name         string
		fail, mend   func(t *testing.T, s *server)
		code         signin.Code
		reason       signin.Reason
		answersReads bool // sessions can still be checked
	}{
		{
			name:   "slow",
			fail:   func(t *testing.T, s *server) { s.signal(t, syscall.SIGSTOP) },
			mend:   func(t *testing.T, s *server) { s.signal(t, syscall.SIGCONT) },
			code:   signin.CodeUnavailable,
			reason: signin.ReasonStore,
		},
		{
			name:   "read-only replica",
			fail:   func(t *testing.T, s *server) { s.command(t, "replicaof", "127.0.0.1", "1") },
			mend:   func(t *testing.T, s *server) { s.command(t, "replicaof", "no", "one") },
			code:   signin.CodeUnavailable,
			reason: signin.ReasonStore,
		},
		{
			name:   "primary without replicas",
			fail:   func(t *testing.T, s *server) { s.command(t, "config", "set", "min-replicas-to-write", "1") },
			mend:   func(t *testing.T, s *server) { s.command(t, "config", "set", "min-replicas-to-write", "0") },
			code:   signin.CodeUnavailable,
			reason: signin.ReasonStore,
		},
		{
			name:         "out of memory",
			fail:         func(t *testing.T, s *server) { s.command(t, "config", "set", "maxmemory", "1") },
			mend:         func(t *testing.T, s *server) { s.command(t, "config", "set", "maxmemory", "0") },
			code:         signin.CodeBusy,
			reason:       signin.ReasonStoreFull,
			answersReads: true,
		},
		{
			name:   "down",
			fail:   func(t *testing.T, s *server) { s.signal(t, syscall.SIGKILL) },
			code:   signin.CodeUnavailable,
			reason: signin.ReasonStore,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startServer(t)
			w := newWorld(t, s.address, "test")
			b, other := &browser{t, map[string]string{}}, &browser{t, map[string]string{}}
			b.signIn(w, w.card)
			begun := other.answer(w, w.issue(t))

			tt.fail(t, s)
			refused := func(b *browser, method, path string, body any) {
				t.Helper()
				w.refused(t, b.do(w, method, path, body), http.StatusServiceUnavailable, tt.code, tt.reason)
			}
			refused(other, "POST", "/signin/challenge", nil)
			refused(other, "POST", "/signin/finish", begun)
			refused(b, "POST", "/signin/logout", nil)
			if tt.answersReads {
				accepted(t, b.do(w, "GET", "/account", nil))
			} else {
				refused(b, "GET", "/account", nil)
			}
			if b.cookies[sessionCookie] == "" || other.cookies[sessionCookie] != "" {
				t.Error("a cookie was set or removed, though nothing has happened")
			}

			if tt.mend == nil {
				return
			}
			tt.mend(t, s)
			other.signIn(w, w.issue(t))
			if tt.name == "slow" {
				return // the end of the session arrived late, and is in force
			}
			accepted(t, b.do(w, "GET", "/account", nil))
			accepted(t, b.do(w, "POST", "/signin/logout", nil))
		})
	}
}

func (s *server) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := s.process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// What was written last is missing on the server that takes over; see the package
// comment.
func TestFailOver(t *testing.T) {
	s := startServer(t)
	w := newWorld(t, s.address, "test")
	client := newClient(t, s.options())
	b, thief := &browser{t, map[string]string{}}, &browser{t, map[string]string{}}
	answer := b.answer(w, w.card)
	thief.answer(w, w.card)
	before := dump(t, client)
	finish := func(b *browser) int { return b.do(w, "POST", "/signin/finish", answer).Code }
	if got := []int{finish(b), finish(b)}; got[0] != http.StatusOK || got[1] != http.StatusForbidden {
		t.Fatalf("got %v, want success and then refusal", got)
	}
	token := b.cookies[sessionCookie]

	// A redeemed challenge is back, for the browser that had it and no other.
	restore(t, client, before)
	w.refused(t, thief.do(w, "POST", "/signin/finish", answer), http.StatusForbidden, signin.CodeChallenge, signin.ReasonChallengeUnknown)
	if got := finish(b); got != http.StatusOK {
		t.Errorf("got %d, want a second session for the same browser", got)
	}
	stolen := &browser{t, map[string]string{sessionCookie: token}}
	w.refused(t, stolen.do(w, "GET", "/account", nil), http.StatusUnauthorized, signin.CodeSession, signin.ReasonSessionEnded)

	// The end of a session is lost, and so is the certificate to renew it with.
	restore(t, client, before)
	accepted(t, stolen.do(w, "GET", "/account", nil))

	// A challenge is lost: the citizen begins again.
	answer = b.answer(w, w.card)
	restore(t, client, before)
	w.refused(t, b.do(w, "POST", "/signin/finish", answer), http.StatusForbidden, signin.CodeChallenge, signin.ReasonChallengeUnknown)
	b.signIn(w, w.card)
}

// dump returns all that a server holds, and restore makes it hold that.
func dump(t *testing.T, client *goredis.Client) map[string]string {
	t.Helper()
	held := make(map[string]string)
	for _, key := range client.Keys(t.Context(), "*").Val() {
		value, err := client.Dump(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		held[key] = value
	}
	return held
}

func restore(t *testing.T, client *goredis.Client, held map[string]string) {
	t.Helper()
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	for key, value := range held {
		if err := client.Restore(t.Context(), key, 0, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
}
