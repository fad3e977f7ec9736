package revocation

import (
	"slices"
	"time"

	"github.com/citizencert/citizencert/verify"
)

// WithClock returns the query with the instants filled in that it leaves open.
func WithClock(q verify.StatusQuery, now func() time.Time) verify.StatusQuery {
	if q.Now.IsZero() {
		q.Now = now()
	}
	if q.At.IsZero() {
		q.At = q.Now
	}
	return q
}

// Sort puts the best evidence first: a revocation at q.At, then what was current
// at that instant, and the newer before the older; of two from one moment, the worse.
func Sort(q verify.StatusQuery, reports []verify.StatusReport) {
	rank := func(r *verify.StatusReport) int {
		switch {
		case revoked(q, r):
			return 0
		case q.Current(r):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(reports, func(a, b verify.StatusReport) int {
		if c := rank(&a) - rank(&b); c != 0 {
			return c
		}
		if c := b.ThisUpdate.Compare(a.ThisUpdate); c != 0 {
			return c
		}
		return int(b.Says) - int(a.Says)
	})
}

// Settled reports whether the network can add nothing to what is known: the
// certificate has been revoked, or there is evidence that is current even now.
// An authority that does not know a certificate may learn of it any moment.
func Settled(q verify.StatusQuery, reports []verify.StatusReport) bool {
	for i := range reports { // which are large
		if r := &reports[i]; r.Says != verify.Unknown && CurrentNow(q, r) || revoked(q, r) {
			return true
		}
	}
	return false
}

// CurrentNow reports whether the evidence is current by the clock, whatever the
// instant of judgement: if it is, a newer one is not to be had.
func CurrentNow(q verify.StatusQuery, r *verify.StatusReport) bool {
	q.At = q.Now
	return q.Current(r)
}

func revoked(q verify.StatusQuery, r *verify.StatusReport) bool {
	status, err := q.Judge(r)
	return err == nil && status == verify.Revoked
}
