package ocspclient

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// ErrRollback is wrapped by the error that comes when a responder's answer goes
// back behind one already seen: an older one, one that is not revoked after one
// that is, or one that is revoked from a later instant. The answer held, if there still
// is one, comes along with the error. It is worth an alarm, but for a good answer that
// came with a signature.
var ErrRollback = errors.New("answer goes back behind one already held")

// A held is an answer in memory.
type held struct {
	report    [1]verify.StatusReport // in place, which saves a look at memory that is not in the processor's cache
	refreshAt atomic.Int64           // not to be refreshed before, in Unix nanoseconds
}

func hold(answer *Answer) *held {
	h := &held{report: [1]verify.StatusReport{answer.StatusReport}}
	h.report[0].Rung = verify.RungHeld
	return h
}

// reports are what Status returns, shared by all callers.
func (h *held) reports() []verify.StatusReport { return h.report[:] }

// A memory holds authentic answers. Good ones leave at nextUpdate; revocations are
// final and stay, within a bound of their own, so that no number of good answers
// crowds them out. What guards against rollback is the newest thisUpdate of each
// certificate, which is kept longer than the answer.
type memory struct {
	now         func() time.Time
	keepExpired time.Duration
	maintenance *background

	mu       sync.Mutex // of put
	answers  *otter.Cache[cacheKey, *held]
	revoked  *otter.Cache[cacheKey, *held]
	newest   *otter.Cache[cacheKey, int64]   // thisUpdate in Unix seconds
	failures *otter.Cache[cacheKey, learned] // nil if they are not held
}

// marksPerAnswer is how many more certificates are guarded against rollback than
// have their answers held: a mark takes a tenth of the room.
const marksPerAnswer = 4

func newMemory(cfg *Config) *memory {
	m := &memory{now: cfg.Now, keepExpired: cfg.KeepExpired, maintenance: newBackground(maxMaintaining)}
	m.answers = otter.Must(&otter.Options[cacheKey, *held]{
		MaximumSize: cfg.MaxEntries,
		// By the last write: a refreshed answer has a deadline of its own.
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[cacheKey, *held]) time.Duration {
			return m.remaining(&e.Value.report[0])
		}),
		Executor: m.maintain,
		Logger:   &otter.NoopLogger{},
	})
	m.revoked = otter.Must(&otter.Options[cacheKey, *held]{
		MaximumSize: cfg.MaxEntries, Executor: m.maintain, Logger: &otter.NoopLogger{},
	})
	m.newest = otter.Must(&otter.Options[cacheKey, int64]{
		MaximumSize: marksPerAnswer * cfg.MaxEntries, Executor: m.maintain, Logger: &otter.NoopLogger{},
	})
	if cfg.HoldFailures > 0 {
		m.failures = otter.Must(&otter.Options[cacheKey, learned]{
			MaximumSize:      cfg.MaxEntries,
			ExpiryCalculator: otter.ExpiryWriting[cacheKey, learned](cfg.HoldFailures),
			Executor:         m.maintain,
			Logger:           &otter.NoopLogger{},
		})
	}
	return m
}

// maxMaintaining bounds the goroutines of maintain.
const maxMaintaining = 8

// maintain keeps the caches' books on goroutines that close waits for: on those of
// the callers a lookup would take ten times as long.
func (m *memory) maintain(task func()) {
	if !m.maintenance.try(func(context.Context) { task() }) {
		task()
	}
}

func (m *memory) close() {
	m.maintenance.close()
	m.answers.StopAllGoroutines()
	if m.failures != nil {
		m.failures.StopAllGoroutines()
	}
}

// remaining returns how long an answer is to be held.
func (m *memory) remaining(report *verify.StatusReport) time.Duration {
	return report.NextUpdate.Sub(m.now()) + m.keepExpired
}

// get returns the answer held about a certificate, or nil. None is in both: put
// takes a certificate out of answers when it has been revoked, and admits none there
// that has been.
func (m *memory) get(key cacheKey) *held {
	if h, ok := m.answers.GetIfPresent(key); ok {
		return h
	}
	h, _ := m.revoked.GetIfPresent(key)
	return h
}

// put remembers an answer and returns the one to believe, which is another, or
// nil, if the new one goes back behind what has been seen.
func (m *memory) put(key cacheKey, answer *Answer) (*held, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, ok := m.revoked.GetIfPresent(key); ok {
		if err := checkRevoked(&before.report[0], answer); err != nil {
			return before, err
		}
	}
	h := hold(answer)
	newest, seen := m.newestOf(key)
	if answer.Says == verify.Revoked {
		m.revoked.Set(key, h)
		m.answers.Invalidate(key)
		// For when it has had to make room for others.
		m.newest.Set(key, max(newest.Unix(), answer.ThisUpdate.Unix()))
		return h, nil
	}
	before, ok := m.answers.GetIfPresent(key)
	if seen && answer.ThisUpdate.Before(newest) || ok && takesBackHold(&before.report[0], answer) {
		return before, behind(answer, newest)
	}
	m.newest.Set(key, answer.ThisUpdate.Unix())
	// Without nextUpdate nobody has promised that the answer lasts, and an authority
	// that does not know a certificate may learn of it any moment.
	if answer.NextUpdate.IsZero() || answer.Says == verify.Unknown || m.remaining(&answer.StatusReport) <= 0 {
		m.answers.Invalidate(key)
		return h, nil
	}
	m.answers.Set(key, h)
	return h, nil
}

// newestOf returns the thisUpdate of the newest answer seen about a certificate.
func (m *memory) newestOf(key cacheKey) (newest time.Time, seen bool) {
	unix, seen := m.newest.GetIfPresent(key)
	return time.Unix(unix, 0), seen
}

// takesBackHold reports whether an answer ends a hold that was told of later, or at the
// same time, about the same instant: a responder may know of each change of a day as of
// its beginning.
func takesBackHold(held *verify.StatusReport, answer *Answer) bool {
	return held.Says == verify.Suspended && answer.Says == verify.Good &&
		answer.ThisUpdate.Equal(held.ThisUpdate) && !answer.ProducedAt.After(held.ProducedAt)
}

// behind refuses an answer that is older than another one.
func behind(answer *Answer, newest time.Time) error {
	return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: %v, thisUpdate %s after %s", ErrRollback,
		answer.Says, answer.ThisUpdate.Format(time.RFC3339), newest.UTC().Format(time.RFC3339))
}

// checkRevoked refuses an answer that takes back a revocation or puts it off. Only
// a hold may end.
func checkRevoked(held *verify.StatusReport, answer *Answer) error {
	if answer.Says != verify.Revoked {
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: %v after revoked", ErrRollback, answer.Says)
	}
	before, now := effective(held.RevokedAt, held.InvalidityDate), effective(answer.RevokedAt, answer.InvalidityDate)
	if now.After(before) {
		return revocation.Refuse(verify.ReasonStatusUnavailable, "%w: revoked from %s after %s", ErrRollback,
			now.Format(time.RFC3339), before.Format(time.RFC3339))
	}
	return nil
}

// failed remembers for seconds that a question was of no use, so that a sick
// responder is not asked at every sign-in.
func (m *memory) failed(key cacheKey, l learned) {
	if m.failures != nil {
		m.failures.Set(key, l)
	}
}

// failure returns what a question of seconds ago brought, if that was of no use.
func (m *memory) failure(key cacheKey) (learned, bool) {
	if m.failures == nil {
		return learned{}, false
	}
	return m.failures.GetIfPresent(key)
}

func (m *memory) forgetFailure(key cacheKey) {
	if m.failures != nil {
		m.failures.Invalidate(key)
	}
}
