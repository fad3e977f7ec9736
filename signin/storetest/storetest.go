// Package storetest tests implementations of the stores of package signin. Who
// writes one calls it from a test of its own:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, storetest.Config{
//			Open: func(t *testing.T) storetest.Store { return open(t) },
//		})
//	}
//
// It tests what the interfaces promise: that of any number of redeemers one gets
// the challenge, over two connections; that nothing live is lost and nothing
// ended comes back; what a full store does; and that all of it may happen at
// once, which is worth running with -race. It does not test that a store survives
// a restart or a fail-over: what it may forget then is for its documentation.
package storetest

import (
	"testing"
	"time"

	"github.com/citizencert/citizencert/signin"
)

// A Store is both stores. Most implementations are; for one that is not, embed
// the two in a struct.
type Store interface {
	signin.ChallengeStore
	signin.SessionStore
}

// A Config says what is tested.
type Config struct {
	// Open returns a connection to an empty store of its own for t, and sees to it
	// that it is removed when t ends. Required.
	Open func(t *testing.T) Store

	// Again returns a further connection to the store of one that Open returned,
	// as another server has it. If nil, the connection is shared.
	Again func(t *testing.T, first Store) Store

	// Now and Advance are the clock of the store, if it has one that tests can
	// set. If nil, time.Now, and tests run side by side and wait a few seconds for
	// what must end.
	Now     func() time.Time
	Advance func(time.Duration)

	// MaxChallenges, MaxDenials and MaxCertificates are how many the store holds.
	// What is zero is not filled up.
	MaxChallenges   int
	MaxDenials      int
	MaxCertificates int
}

// life is that of what is to end during a test. Stores that count in seconds
// need a few of them.
const life = 3 * time.Second

// Run runs all tests as subtests of t.
func Run(t *testing.T, cfg Config) {
	if cfg.Open == nil {
		t.Fatal("storetest: Config.Open is required")
	}
	if (cfg.Now == nil) != (cfg.Advance == nil) {
		t.Fatal("storetest: Config.Now and Config.Advance go together")
	}
	waits := cfg.Now == nil
	if waits {
		cfg.Now, cfg.Advance = time.Now, time.Sleep
	}
	if cfg.Again == nil {
		cfg.Again = func(_ *testing.T, first Store) Store { return first }
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T, Config)
	}{
		{"challenge/values", challengeValues},
		{"challenge/race", challengeRace},
		{"challenge/expiry", challengeExpiry},
		{"challenge/full", challengeFull},
		{"challenge/canceled", challengeCanceled},
		{"session/denials", sessionDenials},
		{"session/later instants hold", sessionLaterHolds},
		{"session/denial expiry", sessionDenialExpiry},
		{"session/denials full", sessionDenialsFull},
		{"session/denials at once", sessionDenialsAtOnce},
		{"session/certificates", sessionCertificates},
		{"session/certificate expiry", sessionCertificateExpiry},
		{"session/certificates full", sessionCertificatesFull},
	} {
		t.Run(test.name, func(t *testing.T) {
			if waits {
				t.Parallel()
			}
			test.run(t, cfg)
		})
	}
}
