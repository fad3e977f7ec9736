package nats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/verify/batch"
)

// inProcess is a server in this process, without a port.
func inProcess(t testing.TB) *natsgo.Conn {
	t.Helper()
	server, err := nats.StartServer(nats.ServerConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	if server.URL() != "" {
		t.Errorf("a port is open: %s", server.URL())
	}
	conn, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// A scene is a batch on a server in this process.
type scene struct {
	*world
	conn *natsgo.Conn
	js   jetstream.JetStream
	cfg  nats.Config
	dir  string
	ctx  context.Context
}

func newScene(t *testing.T, w *world) *scene {
	t.Helper()
	return newSceneOn(t, w, inProcess(t))
}

func newSceneOn(t *testing.T, w *world, conn *natsgo.Conn) *scene {
	t.Helper()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return &scene{w, conn, js, nats.Config{Conn: conn, Name: "test", AckWait: time.Second}, t.TempDir(), within(t, 2*time.Minute)}
}

// coordinate runs a coordinator.
func (s *scene) coordinate(t *testing.T, opts batch.RunOptions) (*batch.Report, error) {
	t.Helper()
	return s.run(s.ctx, t, s.dir, s.cfg, opts)
}

// sent has the shards sent to the queue, without anybody who works.
func (s *scene) sent(t *testing.T, shards uint64) {
	t.Helper()
	ctx, leave := context.WithCancel(s.ctx)
	ended := make(chan error, 1)
	cfg := s.cfg
	cfg.Runner, cfg.Source = s.runner(t, nil), s.open(t)
	go func() {
		_, err := nats.Run(ctx, s.dir, cfg, batch.RunOptions{Resume: true})
		ended <- err
	}()
	for s.stream(t).State.Msgs < shards {
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// stream is what the queue has; nothing, if there is none.
func (s *scene) stream(t *testing.T) *jetstream.StreamInfo {
	t.Helper()
	stream, err := s.js.Stream(s.ctx, "citizencert_test_shards")
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return &jetstream.StreamInfo{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo()
}

func (s *scene) bucket(t *testing.T) jetstream.KeyValue {
	t.Helper()
	bucket, err := s.js.KeyValue(s.ctx, "citizencert_test")
	if err != nil {
		t.Fatal(err)
	}
	return bucket
}

// work starts a worker, and returns what tells of its end.
func (s *scene) work(t *testing.T, change func(*nats.Config)) func() nats.Worked {
	t.Helper()
	cfg := s.cfg
	cfg.Runner, cfg.Source = s.runner(t, nil), s.open(t)
	if change != nil {
		change(&cfg)
	}
	ended := make(chan nats.Worked, 1)
	go func() {
		worked, err := nats.Work(s.ctx, cfg)
		if err != nil {
			t.Errorf("Work: %v", err)
		}
		ended <- worked
	}()
	return func() nats.Worked { return <-ended }
}

// gone checks that nothing is left on the server.
func (s *scene) gone(t *testing.T) {
	t.Helper()
	names := s.js.StreamNames(s.ctx)
	for name := range names.Name() {
		t.Errorf("stream %s is left", name)
	}
	if err := names.Err(); err != nil {
		t.Error(err)
	}
}

// A batch on several workers, and what each of the parts does after its end.
func TestRun(t *testing.T) {
	s := newScene(t, newWorld(t, 3_200))
	first, second := s.work(t, nil), s.work(t, nil) // they wait for it to begin
	report, err := s.coordinate(t, batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.check(t, s.dir, report)
	a, b := first(), second()
	if a.Shards+b.Shards != 4 || a.Filings+b.Filings != 3200 || a.Failed+b.Failed != 0 {
		t.Errorf("the workers have judged %+v and %+v, want 4 shards of 3200 filings", a, b)
	}
	s.gone(t)
	again, err := s.coordinate(t, batch.RunOptions{Resume: true})
	if err != nil || again.Manifest != report.Manifest {
		t.Errorf("running again: got %v, %v", again, err)
	}
	local := t.TempDir()
	want, err := s.runner(t, nil).Run(t.Context(), local, s.open(t), batch.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := reasons(t, report), reasons(t, want); got != want {
		t.Errorf("got %s, want %s as without a queue", got, want)
	}
}

func reasons(t *testing.T, r *batch.Report) string {
	t.Helper()
	text, err := json.Marshal(r.Summary)
	if err != nil {
		t.Fatal(err)
	}
	return r.Batch + string(text)
}

// Server, worker and coordinator in one process.
func TestRunEmbedded(t *testing.T) {
	w := newWorld(t, 2_100)
	cfg := nats.Config{Name: "test", Runner: w.runner(t, nil), Source: w.open(t), AckWait: time.Second}
	dir := t.TempDir()
	ctx, leave := context.WithCancel(within(t, time.Minute))
	opts := batch.RunOptions{Resume: true, OnShard: func(*batch.JudgedShard) { leave() }}
	if _, err := nats.RunEmbedded(ctx, dir, cfg, opts); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	report, err := nats.RunEmbedded(within(t, time.Minute), dir, cfg, batch.RunOptions{Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	w.check(t, dir, report)
	if left, err := filepath.Glob(filepath.Join(dir, "queue*")); err != nil || len(left) > 0 {
		t.Errorf("%v are left, %v", left, err)
	}

	broken := cfg
	broken.Source = &panicking{w.open(t), errors.New("no such disk")}
	if _, err := nats.RunEmbedded(within(t, time.Minute), t.TempDir(), broken, batch.RunOptions{}); err == nil || !strings.Contains(err.Error(), "no such disk") {
		t.Errorf("got %v, want what has ended the worker", err)
	}
}

// Shards that are delivered again and messages that are no shards change nothing.
func TestRedelivered(t *testing.T) {
	s := newScene(t, newWorld(t, 2_100))
	s.sent(t, 3)
	var batchName string
	{
		head, err := s.bucket(t).Get(s.ctx, "head")
		if err != nil {
			t.Fatal(err)
		}
		batchName = batch.BatchOf(head.Value())
	}
	bad := []string{
		"", "not JSON", `{"batch":"` + strings.Repeat("0", 64) + `","generation":0,"shard":0}`,
		shardText(batchName, 0, 3, ""), shardText(batchName, 0, -1, ""), shardText(batchName, -1, 0, ""),
		shardText(batchName, 1, 0, ""), shardText(batchName, 0, 0, "1"), shardText(batchName, 1, 0, "2,1"),
		shardText(batchName, 1, 0, "1,1"), shardText(batchName, 1, 0, "-1,1"), shardText(batchName, 1, 0, "2100"),
	}
	if err := s.js.DeleteStream(s.ctx, "citizencert_test_shards"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.js.CreateStream(s.ctx, jetstream.StreamConfig{
		Name: "citizencert_test_shards", Description: "shards of a batch of citizencert",
		Subjects: []string{"citizencert.test.shard.>"}, Retention: jetstream.WorkQueuePolicy,
	}); err != nil {
		t.Fatal(err)
	}
	publish := func(text string) {
		if _, err := s.js.Publish(s.ctx, "citizencert.test.shard.0.0", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range bad {
		publish(text)
	}
	for range 3 {
		publish(shardText(batchName, 0, 1, ""))
	}
	ended := s.work(t, nil)
	var recorded []string
	report, err := s.coordinate(t, batch.RunOptions{Resume: true, OnShard: func(shard *batch.JudgedShard) {
		if shard.Shard == 2 {
			keys, err := s.bucket(t).ListKeysFiltered(s.ctx, "bad.>")
			if err != nil {
				t.Error(err)
				return
			}
			for key := range keys.Keys() {
				recorded = append(recorded, key)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.check(t, s.dir, report)
	if worked := ended(); worked.Shards > 4 || worked.Failed > 0 { // two may be at one shard at a time
		t.Errorf("the worker has judged %d shards of 3, %d failed", worked.Shards, worked.Failed)
	}
	if len(recorded) != len(bad) {
		t.Errorf("recorded are %v, want %d", recorded, len(bad))
	}
}

func shardText(batchName string, generation, shard int, places string) string {
	return fmt.Sprintf(`{"batch":%q,"generation":%d,"shard":%d,"places":[%s]}`, batchName, generation, shard, places)
}

// A panicking is a source that does not yield its second shard.
type panicking struct {
	*batch.FileSource
	fault error
}

func (s *panicking) From(place int64) iter.Seq2[batch.Item, error] {
	if place/batch.ShardSize != 1 {
		return s.FileSource.From(place)
	}
	return func(yield func(batch.Item, error) bool) {
		if s.fault == nil {
			panic("content of a filing")
		}
		yield(batch.Item{}, s.fault)
	}
}

// A shard that nobody can judge is recorded as undecided, the others as ever, and a
// retry judges it.
func TestPoison(t *testing.T) {
	w := newWorld(t, 2_100)
	for name, change := range map[string]func(*testing.T, *scene, *nats.Config){
		"panic": func(t *testing.T, s *scene, c *nats.Config) { c.Source = &panicking{FileSource: s.open(t)} },
		"attempts": func(t *testing.T, s *scene, c *nats.Config) {
			s.sent(t, 3)
			c.Attempts = 2
			consumer, err := s.js.Consumer(s.ctx, "citizencert_test_shards", "workers")
			if err != nil {
				t.Fatal(err)
			}
			for range 3 * 3 { // all three shards, thrice; but then the others twice less
				msg, err := consumer.Next()
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(msg.Subject(), ".1") {
					msg.Nak()
				} else {
					defer msg.Nak()
				}
				if meta, err := msg.Metadata(); err == nil && meta.NumDelivered == 3 {
					break
				}
			}
		},
		"too large": func(_ *testing.T, s *scene, c *nats.Config) { c.MaxResult = 100 << 10 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, w)
			s.cfg.AckWait = time.Second
			ended := s.work(t, func(c *nats.Config) { change(t, s, c) })
			report, err := s.coordinate(t, batch.RunOptions{Resume: true})
			if err != nil {
				t.Fatal(err)
			}
			worked := ended()
			undecided := report.Summary.Reasons[batch.ReasonShard]
			if want := 1000 * worked.Failed; undecided != want && undecided != want-900 || worked.Failed == 0 || report.Lines != 2100 {
				t.Errorf("got %d undecided of %d, of %d shards", undecided, report.Lines, worked.Failed)
			}
			ended = s.work(t, nil)
			report, err = s.coordinate(t, batch.RunOptions{Retry: true})
			if err != nil || report.Summary.Verdicts[batch.Undecided] != 0 || report.Summary.Filings != 2100 {
				t.Errorf("retry: got %+v, %v", report, err)
			}
			ended()
		})
	}
}

// Nobody joins a batch of another policy, key or source, whether to judge or to record.
func TestOtherPolicy(t *testing.T) {
	s := newScene(t, newWorld(t, 1_100))
	s.sent(t, 2)
	for what, change := range map[string]func(*batch.Config){
		"the policy":        func(c *batch.Config) { c.Verify.InsecureAllowSHA1 = true },
		"the pseudonym key": func(c *batch.Config) { c.PseudonymKey = make([]byte, 32) },
	} {
		cfg := s.cfg
		cfg.Runner, cfg.Source = s.runner(t, change), s.open(t)
		worked, err := nats.Work(s.ctx, cfg)
		if changed, ok := errors.AsType[*batch.ChangedError](err); !ok || changed.What != what || worked.Shards != 0 {
			t.Errorf("worker with another %s: got %+v, %v", what, worked, err)
		}
		_, err = nats.Run(s.ctx, t.TempDir(), cfg, batch.RunOptions{})
		if changed, ok := errors.AsType[*batch.ChangedError](err); !ok || changed.What != what {
			t.Errorf("coordinator with another %s: got %v", what, err)
		}
	}
	cfg := s.cfg
	cfg.Runner, cfg.Source = s.runner(t, nil), newWorld(t, 1_200).open(t)
	if _, err := nats.Work(s.ctx, cfg); err == nil || !strings.Contains(err.Error(), "the source") {
		t.Errorf("worker with another source: got %v", err)
	}
	ended := s.work(t, nil) // and the neighbour that is of the batch
	report, err := s.coordinate(t, batch.RunOptions{Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	s.check(t, s.dir, report)
	ended()
}

// A result that no worker has made ends the run; under another name it is resumed.
func TestForged(t *testing.T) {
	s := newScene(t, newWorld(t, 1_100))
	s.sent(t, 2)
	if _, err := s.bucket(t).PutString(s.ctx, "result.0.0", `{"batch":"x","head":{"filings":0},"size":0,"parts":[]}`); err != nil {
		t.Fatal(err)
	}
	_, err := s.coordinate(t, batch.RunOptions{Resume: true})
	if _, ok := errors.AsType[*batch.ShardError](err); !ok {
		t.Fatalf("got %v, want a ShardError", err)
	}
	s.cfg.Name = "again"
	ended := s.work(t, nil)
	report, err := s.coordinate(t, batch.RunOptions{Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	s.check(t, s.dir, report)
	ended()
}

// Shards that the server has lost are sent again.
func TestLost(t *testing.T) {
	s := newScene(t, newWorld(t, 2_100))
	report, err := s.coordinateLosing(t)
	if err != nil {
		t.Fatal(err)
	}
	s.check(t, s.dir, report)
}

// coordinateLosing empties the queue behind the coordinator's back, before there is a
// worker.
func (s *scene) coordinateLosing(t *testing.T) (*batch.Report, error) {
	t.Helper()
	cfg := s.cfg
	cfg.Runner, cfg.Source = s.runner(t, nil), s.open(t)
	go func() {
		for s.ctx.Err() == nil {
			stream, err := s.js.Stream(s.ctx, "citizencert_test_shards")
			if err == nil && stream.CachedInfo().State.Msgs == 3 {
				stream.Purge(s.ctx)
				nats.Work(s.ctx, cfg)
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return s.coordinate(t, batch.RunOptions{})
}

func TestConfig(t *testing.T) {
	w := newWorld(t, 1)
	good := nats.Config{Conn: inProcess(t), Name: "test", Runner: w.runner(t, nil), Source: w.open(t)}
	for want, change := range map[string]func(*nats.Config){
		"Name":                func(c *nats.Config) { c.Name = "a.b" },
		"Runner and Source":   func(c *nats.Config) { c.Runner = nil },
		"Source are required": func(c *nats.Config) { c.Source = nil },
		"Conn":                func(c *nats.Config) { c.Conn = nil },
		"negative":            func(c *nats.Config) { c.Shards = -1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := nats.Run(t.Context(), t.TempDir(), cfg, batch.RunOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run: got %v, want %s", err, want)
		}
		if _, err := nats.Work(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Work: got %v, want %s", err, want)
		}
	}
	for want, cfg := range map[string]nats.ServerConfig{
		"Dir":      {},
		"loopback": {Dir: t.TempDir(), Listen: "0.0.0.0:0", Token: token},
		"Listen":   {Dir: t.TempDir(), Listen: "127.0.0.1", Token: token},
		"Token":    {Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "short"},
	} {
		if _, err := nats.StartServer(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("StartServer: got %v, want %s", err, want)
		}
	}
	// With a port, the token is asked for.
	server, err := nats.StartServer(nats.ServerConfig{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if _, err := nats.Connect(server.URL()); !errors.Is(err, natsgo.ErrAuthorization) {
		t.Errorf("without the token: got %v", err)
	}
	connect(t, server.URL())
}
