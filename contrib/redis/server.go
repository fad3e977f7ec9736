package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// Check asks the server, or each primary of a cluster, whether it is one that may
// be used: a primary, of Redis 6.2 or later, that evicts nothing. [New] has called
// it. A service calls it again from its readiness probe, since a server that has
// taken over may be set up otherwise.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *goredis.Client) error { return s.checkServer(ctx, c) })
	}
	return s.checkServer(ctx, s.client)
}

// checkServer reads INFO, which hosted servers answer that refuse CONFIG.
func (s *Store) checkServer(ctx context.Context, c goredis.Cmdable) error {
	text, err := c.Info(ctx).Result()
	if err != nil {
		return failure("asking the server about itself", err)
	}
	info := parseInfo(text)
	if err := checkVersion(info["redis_version"]); err != nil {
		return err
	}
	if role := info["role"]; role != "master" {
		return fmt.Errorf("redis: the server's role is %.20q, want master: a replica takes no writes", role)
	}
	if policy := info["maxmemory_policy"]; policy != "noeviction" && !s.insecureAllowEviction {
		return fmt.Errorf("redis: maxmemory-policy is %.30q, want noeviction: "+
			"the server would remove live challenges and the ends of sessions", policy)
	}
	if info["maxmemory"] == "0" {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "redis: the server has no maxmemory, so challenges can use all memory there is")
	}
	return nil
}

// checkVersion refuses servers without GETDEL and GETEX.
func checkVersion(version string) error {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	first, err1 := strconv.Atoi(major)
	second, err2 := strconv.Atoi(minor)
	if err := errors.Join(err1, err2); err != nil || first < 6 || first == 6 && second < 2 {
		return fmt.Errorf("redis: the server's version is %.20q, want 6.2 or later", version)
	}
	return nil
}

// parseInfo reads lines of the form name:value.
func parseInfo(text string) map[string]string {
	info := make(map[string]string)
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok {
			info[name] = value
		}
	}
	return info
}
