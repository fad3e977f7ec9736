// Package nats spreads a batch of package verify/batch over processes and machines,
// by a queue on NATS JetStream, server 2.10 or later.
//
// One process, the coordinator, writes the record, and any number of workers judge
// for it:
//
//	conn, err := nats.Connect("nats://nats.internal:4222", natsgo.UserCredentials("batch.creds"))
//	cfg := nats.Config{Conn: conn, Name: "tax-2026", Runner: runner, Source: source}
//	report, err := nats.Run(ctx, "results", cfg, batch.RunOptions{Resume: true}) // the coordinator
//	worked, err := nats.Work(ctx, cfg)                                           // each worker
//
// [RunEmbedded] is both in one process, with a server inside that has no port. The
// record is the one that [batch.Runner.Run] writes, octet for octet the lines that the
// workers have made, and is audited and retried as such.
//
// # How it goes
//
// A message of the queue is a shard of 1,000 filings: the name of the batch and a
// number, never a filing. A worker looks whether the shard has a result, judges it if
// not, stores the result, and then acknowledges. The first result of a shard is the
// one that counts, so that a shard which is delivered twice changes nothing, and
// messages need no identifiers. The coordinator takes results in order. A shard that
// is neither in the queue nor among the results is sent again. Whoever waits is woken by
// plain messages, which may be lost: then it looks by itself, a little later.
//
// Processes may be killed at any instant, the server too. What a worker was at goes
// to another after Config.AckWait; workers that take longer say that they are alive.
// A shard that was delivered Config.Attempts times and never came to an end, on which
// the source panics, or whose result is too large, is stored as failed: its filings
// are undecided with [batch.ReasonShard], and a retry judges them again. A message
// that is no shard of the batch is stored, and acknowledged. When the record is closed the coordinator removes everything from the
// server, and workers end.
//
// # What must be shared
//
//   - the source: every worker opens the same one, such as a folder on a file server.
//     A tar archive must be read from its beginning to reach a shard: take a folder or
//     a zip archive
//   - policy, environment and pseudonym key: their digest names the batch, and [Work]
//     refuses to join one of another policy with a *batch.ChangedError that says what
//     differs
//   - the answers of responders, if workers are to ask once together: an
//     ocspclient.Cache that they share (contrib/redis has one)
//   - not the evidence: each process keeps what its verdicts rest on by its own
//     batch.Config.Keep, durable before the result is stored, or all of them have
//     batch.Config.OmitEvidence. Objects have their
//     SHA-256 for names, so the stores of all workers put together are that of the
//     batch. Who removes a worker's machine saves its store first
//
// # Whom to trust
//
// Results are sealed under the pseudonym key and checked before they are recorded.
// Whoever can write to the server cannot make a verdict or change one, but can hold
// the batch up, or declare shards failed. A result that is refused ends the run, which
// is resumed under another Config.Name. Results on the server have pseudonyms of
// signers, and names with batch.Config.IncludeIdentity: its connections need TLS, its
// disks are to be treated as what they hold.
//
// # What the server must be
//
// JetStream with file storage, and sync_interval: always in its configuration: by
// default a server acknowledges what a power cut can still take. (The server of
// [StartServer] syncs always.) A result that was lost in that way is made again; one
// that is in the record is not asked for any more. Values are at most 512 KB, below
// the default limit of a message.
//
// # What more machines cost
//
// For each shard the server makes four writes durable, and one more for each half
// megabyte of a large result: the message, the lines, packed, the index, and the
// acknowledgement. One that shares its disk with others carries several hundred shards
// a second. Of each filing a quarter of a kilobyte goes to the server and from there to
// the coordinator, half as much again with evidence, besides what the worker reads of
// the source. The README says how that was measured, and where the limit is.
package nats

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/citizencert/citizencert/verify/batch"
)

// The defaults of Config.
const (
	// DefaultAckWait is several times what a shard takes whose statuses are known.
	DefaultAckWait = 30 * time.Second
	// DefaultAttempts is more often than machines are restarted during one shard.
	DefaultAttempts = 10
	// DefaultPatience outlasts the restart of a server.
	DefaultPatience = 5 * time.Minute
	// DefaultShards has one shard judged while another is on its way.
	DefaultShards = 2
	// DefaultMaxResult is dozens of times what the results of a shard take, in bytes.
	DefaultMaxResult = 64 << 20
)

// Config says which batch, and on what server.
type Config struct {
	// Conn is the connection to the server. Required, but for RunEmbedded. It is not
	// closed.
	Conn *natsgo.Conn

	// Name tells batches on one server apart: at most 64 letters, digits, "-" and "_".
	// Required.
	Name string

	// Runner judges, and Source has the filings. Required. The coordinator judges what
	// it finds half recorded.
	Runner *batch.Runner
	Source batch.Divided

	// Replicas is how many servers of a cluster hold the queue and the results. If
	// zero, one. For the coordinator.
	Replicas int

	// AckWait is how long nothing may be heard of a worker before its shard goes to
	// another. If zero, DefaultAckWait. For the coordinator.
	AckWait time.Duration

	// Attempts is how often a shard is delivered before it counts as failed. If zero,
	// DefaultAttempts. For workers.
	Attempts int

	// Patience is how long the server may be out of reach. If zero, DefaultPatience.
	Patience time.Duration

	// Shards is how many shards a worker is at, each with the Runner's workers. If zero,
	// DefaultShards.
	Shards int

	// MaxResult bounds the results of a shard, which are in memory, in bytes. If zero,
	// DefaultMaxResult.
	MaxResult int64
}

var nameFormat = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c Config) checked() (Config, error) {
	c.Replicas = cmp.Or(c.Replicas, 1)
	c.AckWait = cmp.Or(c.AckWait, DefaultAckWait)
	c.Attempts = cmp.Or(c.Attempts, DefaultAttempts)
	c.Patience = cmp.Or(c.Patience, DefaultPatience)
	c.Shards = cmp.Or(c.Shards, DefaultShards)
	c.MaxResult = cmp.Or(c.MaxResult, DefaultMaxResult)
	switch {
	case !nameFormat.MatchString(c.Name):
		return c, fmt.Errorf("nats: Config.Name is %q, want 1 to 64 letters, digits, - and _", c.Name)
	case c.Runner == nil || c.Source == nil:
		return c, errors.New("nats: Config.Runner and Source are required")
	case c.Replicas < 0 || c.AckWait < 0 || c.Attempts < 0 || c.Patience < 0 || c.Shards < 0 || c.MaxResult < 0:
		return c, errors.New("nats: Config.Replicas, AckWait, Attempts, Patience, Shards or MaxResult is negative")
	}
	return c, nil
}

// Connect connects to a server and stays connected through its restarts, for as long
// as Config.Patience says.
func Connect(url string, opts ...natsgo.Option) (*natsgo.Conn, error) {
	lasting := []natsgo.Option{
		natsgo.Name("citizencert batch"),
		natsgo.MaxReconnects(-1),
		natsgo.ReconnectWait(250 * time.Millisecond),
		natsgo.ReconnectBufSize(-1), // what cannot be sent is an error, and is tried again
	}
	conn, err := natsgo.Connect(url, append(lasting, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("nats: connecting: %w", err)
	}
	return conn, nil
}
