package ocspclient

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/citizencert/citizencert/internal/fetch"
	"github.com/citizencert/citizencert/internal/revocation"
	"github.com/citizencert/citizencert/verify"
)

// ErrLeftAlone is wrapped by the error about a responder that has failed so often
// in a row that it is not asked for a while. Whoever gets it has not waited.
var ErrLeftAlone = errors.New("responder has failed repeatedly and is left alone for a while")

// breakers has a circuit breaker for each responder, that is for each host and path:
// one machine may serve several CAs, of which one is in trouble. While one is open
// nothing is asked there; after a pause a single request finds out whether the
// responder is back.
type breakers struct {
	failures uint32
	pause    time.Duration
	changed  func(host string, open bool)

	mu          sync.Mutex
	byResponder map[responderName]*gobreaker.TwoStepCircuitBreaker[struct{}]
}

// A responderName names a responder. The shared cache has the zero one.
type responderName struct{ host, path string }

// maxBreakers bounds breakers; when it is reached, all are forgotten. The hosts are
// those that the configuration allows, and CAs name few responders.
const maxBreakers = 256

func newBreakers(cfg *Config) *breakers {
	return &breakers{
		failures:    uint32(cfg.BreakerFailures),
		pause:       cfg.BreakerPause,
		changed:     cfg.Observer.Breaker,
		byResponder: map[responderName]*gobreaker.TwoStepCircuitBreaker[struct{}]{},
	}
}

// allow admits a request to a responder, whose outcome must be told to done.
func (b *breakers) allow(name responderName) (done func(error), err error) {
	done, err = b.of(name).Allow()
	if err != nil { // open, or half open with one request under way
		return nil, revocation.Refuse(verify.ReasonStatusUnavailable, "%w", ErrLeftAlone)
	}
	return done, nil
}

func (b *breakers) of(name responderName) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if breaker, ok := b.byResponder[name]; ok {
		return breaker
	}
	if len(b.byResponder) == maxBreakers {
		clear(b.byResponder)
	}
	breaker := gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         name.host,
		Timeout:      b.pause,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= b.failures },
		IsSuccessful: func(err error) bool { return !sick(err) },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(host string, _, to gobreaker.State) {
			if b.changed != nil && to != gobreaker.StateHalfOpen {
				b.changed(host, to == gobreaker.StateOpen)
			}
		},
	})
	b.byResponder[name] = breaker
	return breaker
}

// sick reports whether an error means that the responder is in trouble: it cannot
// be reached, takes too long, or says that it cannot answer now. One whose answers
// are of no use is not: it costs no time.
func sick(err error) bool {
	if e, ok := errors.AsType[*transportError](err); ok {
		return fetch.Transient(e.err) || errors.Is(e.err, context.DeadlineExceeded)
	}
	e, ok := errors.AsType[*ResponseError](err)
	return ok && (e.Status == TryLater || e.Status == InternalError)
}
