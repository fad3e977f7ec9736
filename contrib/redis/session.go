package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// The scripts write one key, so they run on a cluster, and at once or not at all.
// Numbers of a script are exact up to 2^53: microseconds until the year 2255.
var (
	denyScript = goredis.NewScript(`
local begun, left = ARGV[1], ARGV[2]
local old = redis.call('GET', KEYS[1])
if old then
	if tonumber(old) > tonumber(begun) then begun = old end
	local rest = redis.call('PTTL', KEYS[1])
	if rest > tonumber(left) then left = rest end
end
redis.call('SET', KEYS[1], begun, 'PX', left)
return 1`)

	keepScript = goredis.NewScript(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
	redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1`)
)

// Deny implements [signin.SessionStore].
func (s *Store) Deny(ctx context.Context, key string, begunUntil, until time.Time) error {
	return s.write(ctx, denyScript, "ending sessions", s.key("denied", key), begunUntil.UnixMicro(), until)
}

// Keep implements [signin.SessionStore].
func (s *Store) Keep(ctx context.Context, key string, certificate []byte, until time.Time) error {
	return s.write(ctx, keepScript, "keeping a certificate", s.key("certificate", key), certificate, until)
}

func (s *Store) write(ctx context.Context, script *goredis.Script, doing, key string, value any, until time.Time) error {
	left := s.left(until)
	if left <= 0 {
		return nil // has ended already
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if err := script.Run(ctx, s.client, []string{key}, value, left.Milliseconds()).Err(); err != nil {
		return failure(doing, err)
	}
	return nil
}

// Denied implements [signin.SessionStore]. It asks in one round trip, and only
// where writes are taken; see the package comment.
func (s *Store) Denied(ctx context.Context, begun time.Time, keys ...string) (bool, error) {
	if len(keys) == 0 {
		return false, nil
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	found := make([]*goredis.StringCmd, len(keys))
	_, err := s.client.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i, key := range keys {
			found[i] = getWhereWritten(ctx, p, s.key("denied", key))
		}
		return nil
	})
	if err != nil && !errors.Is(err, goredis.Nil) {
		return false, failure("looking for the end of a session", err)
	}
	denied := false
	for _, one := range found {
		text, err := one.Result()
		if errors.Is(err, goredis.Nil) {
			continue
		}
		if err != nil {
			return false, failure("looking for the end of a session", err)
		}
		begunUntil, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return false, fmt.Errorf("redis: the end of a session is %.20q, want Unix microseconds", text)
		}
		denied = denied || begun.UnixMicro() <= begunUntil
	}
	return denied, nil
}

// Kept implements [signin.SessionStore].
func (s *Store) Kept(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	certificate, err := getWhereWritten(ctx, s.client, s.key("certificate", key)).Bytes()
	if err != nil {
		return nil, failure("reading a certificate", err)
	}
	return certificate, nil
}

// getWhereWritten reads by GETEX without an option: a GET that counts as a write.
func getWhereWritten(ctx context.Context, c goredis.Cmdable, key string) *goredis.StringCmd {
	return c.GetEx(ctx, key, goredis.KeepTTL)
}
