package nats_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/verify/batch"
)

const token = "0123456789abcdef0123456789abcdef"

// A job is what a child is to be: a server if Dir is set, and otherwise a worker.
type job struct {
	Dir, Listen string

	URL, Name, Source, Policy string
	Workers                   int
	Processors                int // all, if zero
}

func TestMain(m *testing.M) { childtest.Main(m, job.run) }

// run says when it has begun, and goes on until it is killed or, as a server,
// interrupted.
func (j job) run() error {
	runtime.GOMAXPROCS(j.Processors)
	if j.Dir != "" {
		server, err := nats.StartServer(nats.ServerConfig{Dir: j.Dir, Listen: j.Listen, Token: token})
		if err != nil {
			return err
		}
		defer server.Close()
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		fmt.Println(server.URL())
		<-ctx.Done()
		return nil
	}
	return j.work()
}

func (j job) work() error {
	runner, src, err := batchtest.Open(j.Policy, j.Source, func(c *batch.Config) { c.Workers, c.OmitEvidence = j.Workers, true })
	if err != nil {
		return err
	}
	defer src.Close()
	conn, err := nats.Connect(j.URL, natsgo.Token(token))
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Println("begun")
	_, err = nats.Work(context.Background(), nats.Config{Conn: conn, Name: j.Name, Runner: runner, Source: src, Attempts: 1000})
	return err
}

// A child is a process of the test.
type child struct {
	*exec.Cmd
	said string // its first line
}

// start starts a child and waits until it says that it has begun.
func (j job) start(t testing.TB) *child {
	t.Helper()
	process, said := childtest.Start(t, j)
	return &child{process, said}
}

// kill kills the child, if it is alive, and waits for its end.
func (c *child) kill() { childtest.Kill(c.Cmd) }

// used waits for the end of the child and returns the processor time that it has used.
func (c *child) used(t testing.TB) time.Duration {
	t.Helper()
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}

// startServer starts a server in a process of its own.
func startServer(t testing.TB, dir, listen string) *child {
	t.Helper()
	return job{Dir: dir, Listen: listen}.start(t)
}

// freePort is an address that a server can be restarted at.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func connect(t testing.TB, url string) *natsgo.Conn {
	t.Helper()
	conn, err := nats.Connect(url, natsgo.Token(token))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// within bounds a test that waits for other processes.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
