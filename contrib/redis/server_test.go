package redis_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/citizencert/citizencert/contrib/redis"
	"github.com/citizencert/citizencert/internal/outside"
	"github.com/citizencert/citizencert/verify"
)

// A server is a redis-server of a test's own, without files.
type server struct {
	process *os.Process
	address string
}

// startServer starts a server on a free port, with further arguments, and stops
// it when t ends.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	path := outside.Program(t, "redis-server")
	for range 5 { // somebody else may take the port in between
		port := freePort(t)
		cmd := exec.Command(path, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
			"--dir", t.TempDir()}, args...)...)
		output, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ready := awaitLine(output, "Ready to accept connections")
		t.Cleanup(func() {
			cmd.Process.Signal(os.Kill) // also one that a test has stopped
			cmd.Wait()
		})
		if ready {
			go io.Copy(io.Discard, output)
			return &server{cmd.Process, "127.0.0.1:" + port}
		}
	}
	t.Fatal("redis-server does not start")
	return nil
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// awaitLine reads until a line has the text in it, and reports whether one had.
func awaitLine(r io.Reader, text string) bool {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return true
		}
	}
	return false
}

// options are those of a client of the server that TEST_REDIS_URL names, or of
// one that is started for t.
func options(t testing.TB) *goredis.Options {
	t.Helper()
	if url := os.Getenv("TEST_REDIS_URL"); url != "" {
		o, err := goredis.ParseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		o.ContextTimeoutEnabled = true
		return o
	}
	return startServer(t).options()
}

func (s *server) options() *goredis.Options {
	return &goredis.Options{Addr: s.address, ContextTimeoutEnabled: true}
}

func newClient(t testing.TB, o *goredis.Options) *goredis.Client {
	t.Helper()
	own := *o
	client := goredis.NewClient(&own)
	t.Cleanup(func() { client.Close() })
	return client
}

// newPrefix returns one that nobody else uses, and has what was stored under it
// removed when t ends.
func newPrefix(t testing.TB, client goredis.UniversalClient) string {
	prefix := "test-" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
		for keys.Next(ctx) {
			client.Del(ctx, keys.Val())
		}
	})
	return prefix
}

func newStore(t testing.TB, client goredis.UniversalClient, prefix string) *redis.Store {
	t.Helper()
	store, err := redis.New(t.Context(), redis.Config{Client: client, Environment: verify.Test, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// command runs one on the server, as its operator does.
func (s *server) command(t testing.TB, args ...any) {
	t.Helper()
	client := newClient(t, s.options())
	defer client.Close()
	if err := client.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(fmt.Sprint(args...), ": ", err)
	}
}
