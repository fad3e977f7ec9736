package redis

import (
	"context"
	"time"
)

// Put implements [signin.ChallengeStore].
func (s *Store) Put(ctx context.Context, key string, value []byte, expiry time.Time) error {
	left := s.left(expiry)
	if left <= 0 {
		return nil // has ended already
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := s.client.Set(ctx, s.key("challenge", key), value, left).Err(); err != nil {
		return failure("storing a challenge", err)
	}
	return nil
}

// Take implements [signin.ChallengeStore]. If the server's answer is lost on its
// way, so is the challenge: a second try of the client finds none.
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	value, err := s.client.GetDel(ctx, s.key("challenge", key)).Bytes()
	if err != nil {
		return nil, failure("taking a challenge", err)
	}
	return value, nil
}
