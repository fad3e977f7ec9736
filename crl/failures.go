package crl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"sync"
	"time"
)

// failures remember for a moment that lists were not to be had, so that not every
// caller waits for a server that is down. Nothing here changes what is known about a
// certificate: a list that could not be fetched proves nothing, now or in a moment.
type failures struct {
	hold time.Duration // not positive if nothing is to be remembered

	mu   sync.Mutex
	held map[shelfKey]failure
}

type failure struct {
	err   error
	until time.Time
}

// maxFailures bounds what is remembered.
const maxFailures = 1024

// A silentError is about a server that did not begin to answer in time. It is the
// one failure that is held against all that the server has: others cost no time.
type silentError struct{ after time.Duration }

func (e *silentError) Error() string { return fmt.Sprintf("no answer within %v", e.after) }
func (e *silentError) Unwrap() error { return context.DeadlineExceeded }

// byHost stands for all lists on the host of a list.
func (k shelfKey) byHost() shelfKey {
	u, err := url.Parse(k.url)
	if err != nil {
		return k
	}
	return shelfKey{url: "//" + u.Host}
}

// get returns why a list is not worth asking for now, or nil.
func (f *failures) get(key shelfKey) error {
	if f.hold <= 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	for _, k := range []shelfKey{key, key.byHost()} {
		if held, ok := f.held[k]; ok && now.Before(held.until) {
			return held.err
		}
	}
	return nil
}

// note remembers how asking for a list has ended.
func (f *failures) note(key shelfKey, err error) {
	if f.hold <= 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		delete(f.held, key)
		delete(f.held, key.byHost())
		return
	}
	if _, silent := errors.AsType[*silentError](err); silent {
		key = key.byHost()
	}
	now := time.Now()
	if len(f.held) >= maxFailures {
		maps.DeleteFunc(f.held, func(_ shelfKey, held failure) bool { return !now.Before(held.until) })
	}
	if len(f.held) < maxFailures {
		f.held[key] = failure{err, now.Add(f.hold)}
	}
}
