package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/citizencert/citizencert/ocspclient"
)

// MaxAnswer is the largest OCSP answer that is held, in bytes. Real ones have 2 to
// 4 KB.
const MaxAnswer = ocspclient.MaxResponseBytes

// A Cache is an [ocspclient.Cache]: it holds OCSP answers for the servers of a service,
// so that one asks the responder and all know. Answers are held as they were signed,
// and who reads one verifies it again: a server that is not to be trusted can withhold
// them, or repeat one that is still fresh enough to count, and nothing more. It may
// evict them, and be another than the one of the Store. A Cache is safe for concurrent
// use.
type Cache struct{ keyspace }

var _ ocspclient.Cache = (*Cache)(nil)

// NewCache returns a Cache, or says what is wrong with cfg. The server is not
// asked yet: without it answers are fetched as if there were no cache.
func NewCache(cfg Config) (*Cache, error) {
	keys, err := newKeyspace(cfg)
	if err != nil {
		return nil, err
	}
	return &Cache{keys}, nil
}

// Get returns the answer under key, or nil without an error if none is held.
func (c *Cache) Get(ctx context.Context, key string) (answer []byte, err error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	answer, err = c.client.GetRange(ctx, c.key("ocsp", key), 0, MaxAnswer).Bytes() // one byte too many
	switch {
	case err != nil:
		return nil, failure("reading an OCSP answer", err)
	case len(answer) == 0:
		return nil, nil
	case len(answer) > MaxAnswer:
		return nil, fmt.Errorf("redis: the OCSP answer is larger than %d bytes", MaxAnswer)
	}
	return answer, nil
}

// Put holds an answer under key for as long as ttl says, in place of what was
// there.
func (c *Cache) Put(ctx context.Context, key string, answer []byte, ttl time.Duration) error {
	if len(answer) == 0 || len(answer) > MaxAnswer {
		return fmt.Errorf("redis: the OCSP answer has %d bytes, want 1 to %d", len(answer), MaxAnswer)
	}
	if ttl < time.Millisecond {
		return nil // has ended already
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if err := c.client.Set(ctx, c.key("ocsp", key), answer, ttl.Truncate(time.Millisecond)).Err(); err != nil {
		return failure("holding an OCSP answer", err)
	}
	return nil
}
