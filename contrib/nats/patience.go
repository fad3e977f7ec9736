package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/internal/fetch"
)

// How long one request may take, and the pause before it is made again.
const (
	requestTimeout = 5 * time.Second
	requestPause   = 100 * time.Millisecond
)

// patiently makes a request until the server answers, for a server may be restarted
// in the middle. The request must be one that can be made twice.
func (q *queue) patiently(ctx context.Context, what string, request func(ctx context.Context) error) error {
	began := time.Now()
	for {
		bounded, cancel := context.WithTimeout(ctx, requestTimeout)
		err := request(bounded)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case isAnswer(err) || time.Since(began) > q.cfg.Patience:
			return fmt.Errorf("nats: %s: %w", what, err)
		case q.bucket != nil && q.gone(ctx):
			return fmt.Errorf("nats: %s: %w", what, jetstream.ErrBucketNotFound)
		}
		if err := fetch.Sleep(ctx, requestPause); err != nil {
			return err
		}
	}
}

// gone reports whether the batch has been removed from the server. To a request about
// what is in it nobody answers then.
func (q *queue) gone(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := q.js.KeyValue(ctx, bucketName(q.cfg.Name))
	return errors.Is(err, jetstream.ErrBucketNotFound)
}

// isAnswer reports whether an error is what the server has said, and not that it was
// not reached or not ready.
func isAnswer(err error) bool {
	for _, final := range []error{
		jetstream.ErrKeyExists, jetstream.ErrKeyNotFound, jetstream.ErrBucketNotFound, jetstream.ErrStreamNotFound,
		jetstream.ErrConsumerNotFound, jetstream.ErrMsgNotFound, jetstream.ErrNoKeysFound,
		natsgo.ErrMaxPayload, natsgo.ErrConnectionClosed, natsgo.ErrAuthorization,
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	if _, ok := errors.AsType[*refusal](err); ok {
		return true
	}
	said, ok := errors.AsType[*jetstream.APIError](err)
	return ok && said.Code < 500
}
