package nats_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/verify/batch"
)

// run starts a coordinator in this process.
func (w *world) run(ctx context.Context, t testing.TB, dir string, cfg nats.Config, opts batch.RunOptions) (*batch.Report, error) {
	t.Helper()
	cfg.Runner, cfg.Source = w.runner(t, nil), w.open(t)
	return nats.Run(ctx, dir, cfg, opts)
}

// Workers are killed at random instants, twenty times, while others work. Whatever
// they were at, each filing has the verdict that it must have, once.
func TestWorkersKilled(t *testing.T) {
	w := newWorld(t, 9_300)
	server := startServer(t, t.TempDir(), "127.0.0.1:0")
	ctx := within(t, 2*time.Minute)
	kills := 0
	for round := 0; kills < 20; round++ {
		name := fmt.Sprintf("killed-%d", round)
		worker := job{URL: server.said, Name: name, Source: w.source, Policy: w.policy, Workers: 1}
		ended := make(chan struct{})
		var killing sync.WaitGroup
		killing.Go(func() {
			for kills < 20 {
				child := worker.start(t)
				select {
				case <-time.After(time.Duration(rand.Int64N(int64(300 * time.Millisecond)))):
					child.kill()
					kills++
				case <-ended:
					child.kill()
					return
				}
			}
		})
		worker.start(t) // lives
		dir := t.TempDir()
		report, err := w.run(ctx, t, dir, nats.Config{Conn: connect(t, server.said), Name: name, AckWait: time.Second}, batch.RunOptions{})
		close(ended)
		killing.Wait()
		if err != nil {
			t.Fatal(err)
		}
		w.check(t, dir, report)
	}
	t.Logf("%d workers were killed", kills)
}

// The server is killed in the middle and restarted, twice, and the coordinator goes
// away and comes back.
func TestServerKilled(t *testing.T) {
	w := newWorld(t, 12_000)
	files, listen := t.TempDir(), freePort(t)
	server := startServer(t, files, listen)
	url := server.said
	worker := job{URL: url, Name: "restarted", Source: w.source, Policy: w.policy, Workers: 1}
	worker.start(t)
	worker.start(t)
	dir, cfg := t.TempDir(), nats.Config{Conn: connect(t, url), Name: "restarted", AckWait: time.Second}
	ctx := within(t, 2*time.Minute)
	left, leave := context.WithCancel(ctx)
	shards := 0
	opts := batch.RunOptions{Resume: true, OnShard: func(*batch.JudgedShard) {
		switch shards++; shards {
		case 2, 7:
			server.kill()
			server = startServer(t, files, listen)
		case 4:
			leave()
		}
	}}
	if _, err := w.run(left, t, dir, cfg, opts); err == nil {
		t.Fatal("the coordinator has not gone away")
	}
	report, err := w.run(ctx, t, dir, cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	w.check(t, dir, report)
	if shards < 8 {
		t.Errorf("OnShard was told of %d shards: the server was not killed twice", shards)
	}
}
