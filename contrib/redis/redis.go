// Package redis keeps challenges and the ends of sessions of package signin in a
// Redis or Valkey server, for services that run on more than one machine, and
// OCSP answers that all of them may use.
//
//	client := goredis.NewClient(&goredis.Options{
//		Addr:                  "redis.internal:6379",
//		TLSConfig:             &tls.Config{},
//		ContextTimeoutEnabled: true,
//	})
//	store, err := redis.New(ctx, redis.Config{Client: client, Environment: verifier.Environment()})
//	auth, err := signin.New(signin.Config{Challenges: store, Sessions: store, ...})
//
// # Keys
//
// Every key begins with Config.Prefix and the environment, so that a test system
// that is pointed at the server of production by mistake finds nothing there:
//
//	<prefix>:<environment>:challenge:<key>    what signin has put, until its expiry
//	<prefix>:<environment>:denied:<key>       Unix microseconds: sessions begun until then have ended
//	<prefix>:<environment>:certificate:<key>  DER, while sessions of it can be renewed
//	<prefix>:<environment>:ocsp:<key>         DER of an OCSP answer
//
// The keys of signin are random or made with its PairwiseKey, and name nobody.
// Certificates have names inside: the server needs TLS, a password, and disks that
// are treated as what they hold. Whoever can write there can bring ended sessions
// back, but cannot sign in as anybody: challenges are bound to a cookie, and
// certificates and OCSP answers are verified again.
//
// # What the server must be
//
// Redis 6.2 or later, for GETDEL, and with maxmemory-policy noeviction. Any other
// policy, the volatile ones too, removes what is live when memory runs out, and
// with a denial the end of a session. [New] refuses such a server. With noeviction
// a full server says so, and citizens are asked to try again later. A limit on its
// memory (maxmemory) should be set; New warns if there is none.
//
// The server counts down lifetimes, from the moment at which it stores something.
// Its clock may be wrong.
//
// # When the server fails
//
// Whatever goes wrong, nobody is let in: an error here is signin's ReasonStore, or
// ReasonStoreFull if there is no memory, and the browser gets 503. That holds for
// checking sessions too. They are looked up with GETEX, which counts as a write:
// a replica refuses it, and so does a primary that has lost its replicas, where
// min-replicas-to-write is set. A read could find an ended session alive there.
//
// go-redis besides writes lost connections to standard error, with addresses and no
// keys or values, by one logger for the whole process and not by anything that a
// client could be given. That one is the program's: where its lines are not wanted,
// main calls goredis.SetLogger before it makes a client.
//
// # When another server takes over
//
// Redis replicates after it has answered, so what was written last may be missing
// on the server that takes over. Then
//
//   - a challenge is gone: the citizen begins again
//   - a challenge that was redeemed is back: for the rest of its five minutes the
//     same answer is good for a second session. It is one of the same citizen, for
//     whoever holds the attempt cookie of the same browser and the answer, both of
//     which only that browser had and TLS protects
//   - a certificate is gone: its sessions end with their tokens
//   - a denial is gone: somebody who has kept a copy of the token from before
//     logging out can use it, until the session's own end. A certificate that is
//     revoked is still refused when the token is renewed, so after 15 minutes at
//     most
//
// min-replicas-to-write 1 with min-replicas-max-lag 1 bounds what can be lost to a
// second, and WAIT or appendfsync always do not make it zero. A service that cannot
// accept that keeps its SessionStore in a database that commits before it answers.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/citizencert/citizencert/signin"
	"github.com/citizencert/citizencert/verify"
)

// Defaults of a Config. Two seconds are what a citizen waits for one step of
// signing in without wondering, and a thousand times what a server nearby takes.
const (
	DefaultPrefix  = "citizencert"
	DefaultTimeout = 2 * time.Second
)

// A Config says which server is used, and for what.
type Config struct {
	// Client is a *redis.Client, also one for Sentinel, or a *redis.ClusterClient
	// of go-redis. Required, with ContextTimeoutEnabled. A Ring is refused: it
	// looks elsewhere when a server is down, where no denial is. The caller closes
	// it after use.
	Client goredis.UniversalClient

	// Environment is that of the service's verifier. Required.
	Environment verify.Environment

	// Prefix begins every key: letters, digits, '.', '_', '-' and ':', at most 64.
	// If empty, DefaultPrefix. All servers of a service use the same.
	Prefix string

	// Timeout bounds each call, retries included. If zero, DefaultTimeout.
	Timeout time.Duration

	// InsecureAllowEviction accepts a server that may remove what is live when it
	// runs out of memory. It is meant for development.
	InsecureAllowEviction bool

	// Logger gets what is doubtful about the server. If nil, slog.Default.
	Logger *slog.Logger

	// Now is the clock by which callers say when something ends: that of
	// signin.Config. If nil, time.Now.
	Now func() time.Time
}

// A Store is a [signin.ChallengeStore] and a [signin.SessionStore]. It is safe for
// concurrent use.
type Store struct {
	keyspace
	insecureAllowEviction bool
	logger                *slog.Logger
	now                   func() time.Time
}

var (
	_ signin.ChallengeStore = (*Store)(nil)
	_ signin.SessionStore   = (*Store)(nil)
)

// New returns a Store, or says what is wrong with cfg or with the server; see
// [Store.Check].
func New(ctx context.Context, cfg Config) (*Store, error) {
	keys, err := newKeyspace(cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{keyspace: keys, insecureAllowEviction: cfg.InsecureAllowEviction, logger: cfg.Logger, now: cfg.Now}
	if s.logger == nil {
		s.logger = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.Check(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// A keyspace is a part of a server that belongs to one environment of a service.
type keyspace struct {
	client  goredis.UniversalClient
	prefix  string // with the environment, and a colon at its end
	timeout time.Duration
}

var prefixForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)

func newKeyspace(cfg Config) (keyspace, error) {
	if err := checkClient(cfg.Client); err != nil {
		return keyspace{}, err
	}
	switch cfg.Environment {
	case verify.Production, verify.Test, verify.Custom:
	default:
		return keyspace{}, fmt.Errorf("redis: Config.Environment is %v, want that of the verifier", cfg.Environment)
	}
	if cfg.Prefix == "" {
		cfg.Prefix = DefaultPrefix
	}
	if !prefixForm.MatchString(cfg.Prefix) {
		return keyspace{}, fmt.Errorf("redis: Config.Prefix is %.100q, want up to 64 letters, digits, '.', '_', '-' and ':'", cfg.Prefix)
	}
	if cfg.Timeout < 0 {
		return keyspace{}, fmt.Errorf("redis: Config.Timeout is %v", cfg.Timeout)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	return keyspace{
		client:  cfg.Client,
		prefix:  cfg.Prefix + ":" + cfg.Environment.String() + ":",
		timeout: cfg.Timeout,
	}, nil
}

func checkClient(client goredis.UniversalClient) error {
	var obeysContext bool
	switch c := client.(type) {
	case nil:
		return errors.New("redis: Config.Client is required")
	case *goredis.Client:
		obeysContext = c.Options().ContextTimeoutEnabled
	case *goredis.ClusterClient:
		obeysContext = c.Options().ContextTimeoutEnabled
	default:
		return fmt.Errorf("redis: Config.Client is a %T, want *redis.Client or *redis.ClusterClient", client)
	}
	if !obeysContext {
		return errors.New("redis: Config.Client needs ContextTimeoutEnabled, or a slow server holds up every request")
	}
	return nil
}

// key returns the name of an entry. Kinds are the four of the package comment.
func (k *keyspace) key(kind, key string) string { return k.prefix + kind + ":" + key }

func (k *keyspace) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, k.timeout)
}

// left returns how long something lasts that ends at an instant, in the whole
// milliseconds that a server counts in, rounded up: nothing ends early.
func (s *Store) left(until time.Time) time.Duration {
	left := until.Sub(s.now())
	if rest := left % time.Millisecond; rest > 0 {
		left += time.Millisecond - rest
	}
	return left
}

// failure is the error of a call that did not succeed.
func failure(doing string, err error) error {
	switch {
	case errors.Is(err, goredis.Nil):
		return signin.ErrNotFound
	case goredis.IsOOMError(err):
		return fmt.Errorf("redis: %s: %w: %w", doing, signin.ErrStoreFull, err)
	}
	return fmt.Errorf("redis: %s: %w", doing, err)
}
