package ocspclient

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// The defaults of Config. Five seconds are what a citizen waits for a sign-in
// before pressing the button again, and two leave time for the lists; a hundred
// thousand answers of two kilobytes are 200 MB. A shared cache on the same network
// answers in a millisecond or two.
const (
	DefaultTimeout         = 5 * time.Second
	DefaultAttemptTimeout  = 2 * time.Second
	DefaultMaxEntries      = 100_000
	DefaultHoldFailures    = 2 * time.Second
	DefaultBreakerFailures = 3
	DefaultBreakerPause    = 15 * time.Second
	DefaultCacheTimeout    = 100 * time.Millisecond
)

// Bounds on what a certificate, a signer or a configuration can make a Client do.
const (
	maxResponders = 3
	maxFallbacks  = 2
	maxSupplied   = 16
)

// Config says whom a Client may ask, and how. It must not be modified after
// [New].
type Config struct {
	// AllowedHosts are the hosts at which responders may live: domain names,
	// which stand for all hosts below them too, as long as their addresses are
	// public; IP addresses or CIDR prefixes, public or not; or "localhost". No
	// certificate leads anywhere else. If empty, the network is not used.
	AllowedHosts []string

	// HTTPClient is used in place of a client whose connections are checked
	// against AllowedHosts after names have been resolved: with a client of the
	// caller's only the names in URLs are. It is copied; the copy follows no
	// redirects.
	HTTPClient *http.Client

	// Offline keeps the Client from using the network. It then knows only the
	// answers that come with a query.
	Offline bool

	// Nonce says how answers are bound to questions. The zero value demands the
	// nonce back. MOICA may answer without one: NonceIfEchoed.
	Nonce NoncePolicy

	// CertIDHash is crypto.SHA1 or crypto.SHA256. If zero, SHA-1, which every
	// responder understands; it identifies the certificate and signs nothing.
	CertIDHash crypto.Hash

	// Fallbacks are the URLs of up to two responders that are asked after those of
	// the certificate have failed, on hosts of AllowedHosts. Their answers must be
	// signed by whom the issuer has certified, like any other.
	Fallbacks []string

	// AttemptTimeout bounds one request, and Timeout a question with its retries and
	// all responders. A request is repeated once, after a random pause, if the
	// connection fails or the responder has a problem that may pass (HTTP 5xx,
	// tryLater); not if it took too long. If zero, DefaultAttemptTimeout and
	// DefaultTimeout.
	AttemptTimeout, Timeout time.Duration

	// BreakerFailures is after how many failures in a row a responder is left alone, and
	// BreakerPause for how long; then one request finds out whether it is back.
	// Meanwhile errors wrap ErrLeftAlone and come at once. If zero,
	// DefaultBreakerFailures and DefaultBreakerPause.
	BreakerFailures int
	BreakerPause    time.Duration

	// HoldFailures is for how long a question that was of no use, and an answer by
	// which the responder does not know the certificate, is not repeated. If zero,
	// DefaultHoldFailures; if negative, every query asks.
	HoldFailures time.Duration

	// MaxEntries bounds the answers held in memory; revocations are counted
	// apart. If zero, DefaultMaxEntries.
	MaxEntries int

	// KeepExpired is for how long answers are held after their nextUpdate. They are
	// then of use only to a verifier with Rungs.InsecureLastKnownGood.
	KeepExpired time.Duration

	// Cache, if not nil, is shared with other servers, and with this one after a
	// restart: what it still has is not gone back behind. CacheTimeout bounds each use
	// of it. If zero, DefaultCacheTimeout.
	Cache        Cache
	CacheTimeout time.Duration

	// Algorithms says which algorithms and key sizes are accepted until when, as in
	// verify.Config. The zero value is verify.StrictPolicy.
	Algorithms verify.AlgorithmPolicy

	// Observer is told what happens.
	Observer Observer

	// Now is the clock for queries that do not bring their own. If nil, time.Now.
	Now func() time.Time

	// InsecureAllowSHA1 admits answers signed with SHA-1, and RSA keys from 1024 bits,
	// at any instant. Algorithms must be left zero.
	InsecureAllowSHA1 bool
}

// complete fills in the defaults, and refuses what makes no sense.
func (cfg *Config) complete() error {
	for _, field := range []struct {
		name    string
		value   *time.Duration
		without time.Duration // in place of zero
	}{
		{"Timeout", &cfg.Timeout, DefaultTimeout},
		{"AttemptTimeout", &cfg.AttemptTimeout, DefaultAttemptTimeout},
		{"BreakerPause", &cfg.BreakerPause, DefaultBreakerPause},
		{"CacheTimeout", &cfg.CacheTimeout, DefaultCacheTimeout},
		{"KeepExpired", &cfg.KeepExpired, 0},
	} {
		if *field.value < 0 {
			return fmt.Errorf("ocspclient: %s %v is negative", field.name, *field.value)
		}
		*field.value = cmp.Or(*field.value, field.without)
	}
	cfg.CertIDHash = cmp.Or(cfg.CertIDHash, crypto.SHA1)
	cfg.HoldFailures = cmp.Or(cfg.HoldFailures, DefaultHoldFailures)
	cfg.MaxEntries = cmp.Or(cfg.MaxEntries, DefaultMaxEntries)
	cfg.BreakerFailures = cmp.Or(cfg.BreakerFailures, DefaultBreakerFailures)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.CertIDHash != crypto.SHA1 && cfg.CertIDHash != crypto.SHA256:
		return fmt.Errorf("ocspclient: CertIDHash %v is neither SHA-1 nor SHA-256", cfg.CertIDHash)
	case cfg.Nonce > NonceNever:
		return fmt.Errorf("ocspclient: Nonce %d is not a NoncePolicy", cfg.Nonce)
	case cfg.MaxEntries < 0 || cfg.BreakerFailures < 0:
		return errors.New("ocspclient: MaxEntries or BreakerFailures is negative")
	case len(cfg.Fallbacks) > maxFallbacks:
		return fmt.Errorf("ocspclient: %d Fallbacks, want at most %d", len(cfg.Fallbacks), maxFallbacks)
	}
	return nil
}
