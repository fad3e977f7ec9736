package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"

	natsgo "github.com/nats-io/nats.go"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/verify/batch"
	"github.com/citizencert/citizencert/verify/evidence"
)

// A spread is how a batch is spread over processes.
type spread struct {
	url, credentials, name string
	embedded               bool
	evidence               string // of batch-worker
}

func (s *spread) register(fs *flag.FlagSet) {
	fs.StringVar(&s.url, "nats", "", "`URL` of the NATS server by which batch-worker processes are found")
	fs.StringVar(&s.credentials, "nats-credentials", "", "`FILE` with the credentials for that server")
	fs.StringVar(&s.name, "batch", "default", "`name` of the batch on that server")
}

// asked reports whether others judge than Runner.Run.
func (s *spread) asked() bool { return s.embedded || s.url != "" }

// keep opens the pack of the process: of evidence, only what it has judged itself is
// in there.
func (c *batchCall) keep(cfg *batch.Config, path string) (io.Closer, error) {
	if c.noEvidence || !c.spread.asked() {
		return io.NopCloser(nil), nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	pack, err := evidence.OpenPack(path)
	if err != nil {
		return nil, err
	}
	cfg.Keep = pack
	return pack, nil
}

func (s *spread) check() error {
	switch {
	case s.embedded && s.url != "":
		return errors.New("-embedded contradicts -nats")
	case s.credentials != "" && s.url == "":
		return errors.New("-nats-credentials goes with -nats")
	}
	return nil
}

// connect connects to the server.
func (s *spread) connect() (*natsgo.Conn, error) {
	var opts []natsgo.Option
	if s.credentials != "" {
		opts = append(opts, natsgo.UserCredentials(s.credentials))
	}
	return nats.Connect(s.url, opts...)
}

// run runs a batch here, or as the flags say.
func (s *spread) run(ctx context.Context, dir string, runner *batch.Runner, src *batch.FileSource, opts batch.RunOptions) (*batch.Report, error) {
	cfg := nats.Config{Name: s.name, Runner: runner, Source: src}
	switch {
	case s.embedded:
		return nats.RunEmbedded(ctx, dir, cfg, opts)
	case s.url == "":
		return runner.Run(ctx, dir, src, opts)
	}
	conn, err := s.connect()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	cfg.Conn = conn
	return nats.Run(ctx, dir, cfg, opts)
}

// setupBatchWorker is the command batch-worker: it judges for a batch that another
// process records.
func setupBatchWorker(fs *flag.FlagSet) action {
	c := &batchCall{trust: trust{anyProfile: signerProfile()}}
	c.register(fs)
	c.stamping.register(fs)
	c.registerPolicy(fs)
	c.spread.register(fs)
	fs.StringVar(&c.spread.evidence, "evidence", "", "`FILE` of the pack in which this worker keeps what its verdicts rest on; required without -no-evidence")
	return c.work
}

func (c *batchCall) work(ctx context.Context, in *files, source string) (report, error) {
	switch {
	case c.spread.url == "":
		return nil, errors.New("-nats is required: the server of the batch")
	case c.key == "":
		return nil, errors.New("-key is required: the key of the pseudonyms, which is that of the batch")
	case (c.spread.evidence == "") != c.noEvidence:
		return nil, errors.New("want -evidence or -no-evidence, as the batch has it")
	}
	b, err := c.prepare(in, source, c.spread.evidence)
	if err != nil {
		return nil, err
	}
	defer b.close()
	conn, err := c.spread.connect()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	worked, err := nats.Work(ctx, nats.Config{Conn: conn, Name: c.spread.name, Runner: b.runner, Source: b.source})
	if err != nil {
		return nil, err
	}
	return (*workReport)(&worked), nil
}

// A workReport is the report of batch-worker.
type workReport nats.Worked

func (*workReport) exitCode() int { return exitGood }

func (r *workReport) writeText(w *textWriter) {
	w.title("%d filings judged, in %d shards", r.Filings, r.Shards)
	w.line("failed", "%d shards", r.Failed)
}
