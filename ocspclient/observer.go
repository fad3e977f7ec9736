package ocspclient

import (
	"time"

	"github.com/citizencert/citizencert/verify"
)

// An Observer is told what a [Client] does, for metrics and alarms. Each func may
// be nil. They are called on the goroutine that does the work, from several at
// once, and should return quickly. Nothing they get tells of whom was asked.
type Observer struct {
	// Lookup is told whether an answer at hand settled a query. A query with HeldOnly
	// that it did not settle may come again without, and is not told of.
	Lookup func(hit bool)

	// Asked is told of each request to a responder.
	Asked func(Attempt)

	// Breaker is told when a responder is left alone because it has failed so often
	// in a row (open), and when it has answered again. For the shared cache host is
	// empty.
	Breaker func(host string, open bool)

	// Shared is told of each use of Config.Cache.
	Shared func(SharedUse)

	// Rollback is told that a responder's answer went back behind one already seen.
	// It is worth an alarm: a replica that lags behind, or somebody who replays.
	Rollback func(host string)
}

// An Attempt is one request to a responder.
type Attempt struct {
	Host  string // of the responder, with the port if the URL has one
	Retry bool
	Took  time.Duration

	// Says is what an authentic answer says. Otherwise Reason is why there is none.
	Says   verify.Status
	Reason verify.Reason
}

// A SharedUse is one use of the shared cache.
type SharedUse struct {
	Op   string // "get" or "put"
	Took time.Duration

	// Hit is set if the cache had an answer that was authentic and newer than what
	// was at hand.
	Hit bool

	// Err says why the cache was of no use, if it was not for having nothing: it
	// failed or took too long, or what it had is not an answer about the certificate.
	Err error
}

func (o *Observer) lookup(hit bool) {
	if o.Lookup != nil {
		o.Lookup(hit)
	}
}

func (o *Observer) asked(a Attempt) {
	if o.Asked != nil {
		o.Asked(a)
	}
}

func (o *Observer) shared(u SharedUse) {
	if o.Shared != nil {
		o.Shared(u)
	}
}

func (o *Observer) rollback(host string) {
	if o.Rollback != nil {
		o.Rollback(host)
	}
}
