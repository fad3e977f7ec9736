package nats

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/citizencert/citizencert/verify/batch"
)

// After how long the coordinator asks for the next result if no bell is rung, and looks
// whether shards are lost.
const (
	askPause  = 250 * time.Millisecond
	lookAfter = 5 * time.Second
)

// Run has workers judge the filings of a source, and records the results in a folder,
// as [batch.Runner.RunShards] says. It can be killed and resumed, by Run or by
// [batch.Runner.Run] without workers. Over a folder whose run has finished it changes
// nothing. It is refused with a *batch.ChangedError if a batch of that name with
// another source, policy or key is on the server.
//
// When the record is closed, Run removes the batch from the server. If it cannot, the
// Report comes with an error.
func Run(ctx context.Context, dir string, cfg Config, opts batch.RunOptions) (*batch.Report, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	q, err := newQueue(cfg)
	if err != nil {
		return nil, err
	}
	report, err := cfg.Runner.RunShards(ctx, dir, cfg.Source, q.judge, opts)
	if err != nil {
		return nil, err
	}
	return report, q.remove(ctx)
}

// judge is a batch.ShardJudge.
func (q *queue) judge(ctx context.Context, missing iter.Seq2[batch.ShardRef, error]) iter.Seq2[*batch.JudgedShard, error] {
	return func(yield func(*batch.JudgedShard, error) bool) {
		results, err := q.begin(ctx, missing)
		if err != nil {
			yield(nil, err)
			return
		}
		defer results.stop()
		for ref, err := range missing {
			var shard *batch.JudgedShard
			if err == nil {
				shard, err = q.await(ctx, &ref, missing, results)
			}
			if !yield(shard, err) || err != nil {
				return
			}
		}
	}
}

// begin has a batch in the queue, and returns the bell of its results.
func (q *queue) begin(ctx context.Context, missing iter.Seq2[batch.ShardRef, error]) (*bell, error) {
	if err := q.create(ctx); err != nil {
		return nil, err
	}
	q.ring(begunBell(q.cfg.Name))
	results, err := q.listen(resultBell(q.cfg.Name))
	if err != nil {
		return nil, err
	}
	if err := q.send(ctx, missing); err != nil {
		results.stop()
		return nil, err
	}
	return results, nil
}

// await returns what came of a shard, when it is there.
func (q *queue) await(ctx context.Context, ref *batch.ShardRef, missing iter.Seq2[batch.ShardRef, error], results *bell) (*batch.JudgedShard, error) {
	for looked := time.Now(); ; {
		shard, err := q.get(ctx, ref)
		if shard != nil || err != nil {
			return shard, err
		}
		if err := results.wait(ctx, askPause); err != nil {
			return nil, err
		}
		if time.Since(looked) < lookAfter {
			continue
		}
		looked = time.Now()
		if err := q.send(ctx, missing); err != nil {
			return nil, err
		}
	}
}

// RunEmbedded is Run with a server and a worker in the same process, and no port open.
// The server's files are in the folder of results until the record is closed.
// Config.Conn is not used.
func RunEmbedded(ctx context.Context, dir string, cfg Config, opts batch.RunOptions) (*batch.Report, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	files := filepath.Join(dir, "queue")
	judge := func(ctx context.Context, missing iter.Seq2[batch.ShardRef, error]) iter.Seq2[*batch.JudgedShard, error] {
		return func(yield func(*batch.JudgedShard, error) bool) {
			if err := judgeEmbedded(ctx, files, cfg, missing, yield); err != nil {
				yield(nil, err)
			}
		}
	}
	report, err := cfg.Runner.RunShards(ctx, dir, cfg.Source, judge, opts)
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(files); err != nil {
		return report, fmt.Errorf("nats: removing the files of the server: %w", err)
	}
	return report, nil
}

// judgeEmbedded runs the server and the worker for as long as there are shards. What
// ends the worker is returned, if shards are still missing.
func judgeEmbedded(ctx context.Context, files string, cfg Config, missing iter.Seq2[batch.ShardRef, error], yield func(*batch.JudgedShard, error) bool) error {
	server, err := StartServer(ServerConfig{Dir: files})
	if err != nil {
		return err
	}
	defer server.Close()
	if cfg.Conn, err = server.Connect(); err != nil {
		return err
	}
	defer cfg.Conn.Close()
	q, err := newQueue(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	worker := make(chan struct{})
	defer func() { cancel(nil); <-worker }()
	go func() {
		defer close(worker)
		if _, err := Work(ctx, cfg); err != nil {
			cancel(err)
		}
	}()
	for shard, err := range q.judge(ctx, missing) {
		if err != nil {
			return cmp.Or(context.Cause(ctx), err)
		}
		if !yield(shard, nil) {
			return nil
		}
	}
	return nil
}
