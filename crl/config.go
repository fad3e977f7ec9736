package crl

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/verify"
)

// The defaults of Config. A minute is what 20 MB take at 3 Mbit/s, and a server that
// has not begun within five seconds is down; 512 MiB hold the complete lists of all
// generations with many partitions. MOICA issues two lists a day; asking every hour
// whether there is a new one costs a few hundred bytes. Four superseded lists are two
// days.
const (
	DefaultTimeout         = time.Minute
	DefaultAttemptTimeout  = 5 * time.Second
	DefaultHoldFailures    = 2 * time.Second
	DefaultMaxHeldBytes    = 512 << 20
	DefaultRefreshInterval = time.Hour
	DefaultKeepSuperseded  = 4
)

// MinIndexKey is the size of an HMAC-SHA-256 key at full strength, in bytes.
const MinIndexKey = 32

// Config says where a Store may fetch lists, and what it holds. It must not be
// modified after [New].
type Config struct {
	// AllowedHosts are the hosts at which lists may be: domain names, which stand
	// for all hosts below them too, as long as their addresses are public; IP
	// addresses or CIDR prefixes, public or not; or "localhost". No certificate
	// leads anywhere else. If empty, the network is not used.
	AllowedHosts []string

	// HTTPClient is used in place of a client whose connections are checked
	// against AllowedHosts after names have been resolved: with a client of the
	// caller's only the names in URLs are. It is copied; the copy follows no
	// redirects.
	HTTPClient *http.Client

	// Offline keeps the Store from using the network. It then knows the lists
	// that were added, those in Dir, and those that come with a query.
	Offline bool

	// AttemptTimeout bounds the wait for a list to begin to come, and Timeout the
	// whole fetch. If zero, DefaultAttemptTimeout and DefaultTimeout.
	AttemptTimeout, Timeout time.Duration

	// HoldFailures is for how long a list that was not to be had is not asked for
	// again, nor any other from a server that did not begin to answer in
	// AttemptTimeout. If zero, DefaultHoldFailures; if negative, every query asks.
	HoldFailures time.Duration

	// MaxBytes bounds one list. If zero, DefaultMaxBytes.
	MaxBytes int

	// MaxHeldBytes bounds the sum of the lists held, in bytes of DER; the indexes
	// take about half as much again. The one unused for longest goes first. If
	// zero, DefaultMaxHeldBytes. With Dir, the DER is read when first it becomes
	// evidence.
	MaxHeldBytes int

	// Dir is a directory for lists and their indexes, or empty: then they are held
	// in memory alone. It is made if it does not exist. Lists are verified again when
	// they are loaded, and no older list takes their place. A directory that cannot
	// be used costs a fetch, and is logged.
	//
	// It has to be this user's own. Who can write to it can bring in nothing that was
	// not signed, but can bring back an old list, or the list of another partition in
	// place of one that has no scope, as who controls the network can. What is restored
	// from a backup has to replace files, and not be written over them.
	Dir string

	// IndexKey authenticates indexes saved in Dir, of at least MinIndexKey random
	// bytes; processes that share Dir share it. It belongs where secrets are kept, not
	// into Dir: an index says what a signed list says, and whoever can write one with
	// this key can make a revoked certificate good. If nil, no index is saved, and a
	// start reads the lists instead: 0.1 s for a million entries.
	IndexKey []byte

	// KeepSuperseded is how many lists Dir keeps for each place besides the newest
	// one, for [Store.Original]. If zero, DefaultKeepSuperseded; if negative, none.
	KeepSuperseded int

	// Folder, if not nil, has the lists in place of the network, where [FolderName]
	// says: for a service without a network whose operator brings the lists, for
	// example with wget -x. It is looked at when a list is needed and at every
	// refresh. [os.DirFS] makes one of a directory. AllowedHosts and Offline then
	// mean nothing.
	Folder fs.FS

	// RefreshInterval is how often newer lists are asked for in the background, once
	// a list has been used; in the last quarter of its time a list is asked for in
	// any case. Every wait is shortened by a random part. If zero,
	// DefaultRefreshInterval; if negative, lists are fetched only when they are
	// needed.
	RefreshInterval time.Duration

	// Now is the clock for queries that do not bring their own. If nil, time.Now.
	Now func() time.Time

	// Algorithms says which signatures are accepted, as they are at the instant of
	// judgement. It is that of verify.Config.
	Algorithms verify.AlgorithmPolicy

	// InsecureAllowSHA1 admits lists signed with SHA-1, and RSA keys from 1024 bits,
	// at any instant. Algorithms must be left zero.
	InsecureAllowSHA1 bool

	// Log is told what goes wrong without changing an answer. If nil, nobody is.
	Log *slog.Logger
}

// complete fills in the defaults, refuses what makes no sense, and returns the policy.
func (cfg *Config) complete() (algorithm.Policy, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.AttemptTimeout = cmp.Or(cfg.AttemptTimeout, DefaultAttemptTimeout)
	cfg.HoldFailures = cmp.Or(cfg.HoldFailures, DefaultHoldFailures)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, DefaultMaxBytes)
	cfg.MaxHeldBytes = cmp.Or(cfg.MaxHeldBytes, DefaultMaxHeldBytes)
	cfg.RefreshInterval = cmp.Or(cfg.RefreshInterval, DefaultRefreshInterval)
	cfg.KeepSuperseded = cmp.Or(cfg.KeepSuperseded, DefaultKeepSuperseded)
	cfg.Log = cmp.Or(cfg.Log, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.Timeout < 0 || cfg.AttemptTimeout < 0 || cfg.MaxBytes < 0 || cfg.MaxHeldBytes < 0:
		return algorithm.Policy{}, errors.New("crl: Timeout, AttemptTimeout, MaxBytes or MaxHeldBytes is negative")
	case cfg.IndexKey != nil && len(cfg.IndexKey) < MinIndexKey:
		return algorithm.Policy{}, fmt.Errorf("crl: IndexKey has %d bytes, want at least %d", len(cfg.IndexKey), MinIndexKey)
	case cfg.IndexKey != nil && cfg.Dir == "":
		return algorithm.Policy{}, errors.New("crl: IndexKey without Dir")
	}
	policy, err := cfg.Algorithms.Resolve(cfg.InsecureAllowSHA1, cfg.Now())
	if err != nil {
		return policy, fmt.Errorf("crl: Config: %w", err)
	}
	return policy, nil
}
