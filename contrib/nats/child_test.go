package nats_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/verify/batch"
)

// childJob has the test binary be a server or a worker in a process of its own, which
// can be killed. Its value is a job in JSON.
const childJob = "CITIZENCERT_TEST_NATS_JOB"

const token = "0123456789abcdef0123456789abcdef"

// A job is what a child is to be: a server if Dir is set, and otherwise a worker.
type job struct {
	Dir, Listen string

	URL, Name, Source, Policy string
	Workers                   int
	Processors                int // all, if zero
}

func TestMain(m *testing.M) {
	text := os.Getenv(childJob)
	if text == "" {
		os.Exit(m.Run())
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// run says when it has begun, and ends with standard input: no child outlives the test.
func (j *job) run() error {
	runtime.GOMAXPROCS(j.Processors)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if j.Dir != "" {
		server, err := nats.StartServer(nats.ServerConfig{Dir: j.Dir, Listen: j.Listen, Token: token})
		if err != nil {
			return err
		}
		defer server.Close()
		fmt.Println(server.URL())
		<-ctx.Done()
		return nil
	}
	return j.work(ctx)
}

func (j *job) work(ctx context.Context) error {
	cfg, err := loadPolicy(j.Policy)
	if err != nil {
		return err
	}
	cfg.Workers = j.Workers
	runner, err := batch.New(cfg)
	if err != nil {
		return err
	}
	src, err := batch.Open(j.Source)
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
	_, err = nats.Work(ctx, nats.Config{Conn: conn, Name: j.Name, Runner: runner, Source: src, Attempts: 1000})
	return err
}

// A child is a process of the test.
type child struct {
	*exec.Cmd
	said  string         // its first line
	stdin io.WriteCloser // its life
}

// start starts a child and waits until it says that it has begun.
func (j job) start(t testing.TB) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(self)}
	c.Env = append(os.Environ(), childJob+"="+string(text))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	if c.said, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the child has not begun: %v", err)
	}
	c.said = strings.TrimSpace(c.said)
	return c
}

// kill kills the child, if it is alive, and waits for its end.
func (c *child) kill() {
	c.Process.Kill()
	c.Wait()
}

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
