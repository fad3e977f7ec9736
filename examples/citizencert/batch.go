package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

// A batchCall is what the command batch is told.
type batchCall struct {
	trust
	out, key              string
	workers               int
	resume, retry         bool
	lineHost, lineService string
	identity, noEvidence  bool
	spread                spread
}

// setupBatch is the command batch: the filings of a source, into a folder of results.
func setupBatch(fs *flag.FlagSet) action {
	c := &batchCall{trust: trust{anyProfile: signerProfile()}}
	c.register(fs)
	c.stamping.register(fs)
	fs.StringVar(&c.out, "out", "", "`folder` of the results (required)")
	fs.BoolVar(&c.resume, "resume", false, "go on where a run has ended before its end")
	fs.BoolVar(&c.retry, "retry", false, "judge those again whose status could not be learned")
	c.registerPolicy(fs)
	c.spread.register(fs)
	fs.BoolVar(&c.spread.embedded, "embedded", false, "with a queue in this process, and no port open")
	return c.run
}

// registerPolicy registers what batch and batch-worker must be told alike.
func (c *batchCall) registerPolicy(fs *flag.FlagSet) {
	fs.StringVar(&c.key, "key", "", "`FILE` with the key of the pseudonyms, 32 random bytes (default pseudonym.key in the folder, made on the first run)")
	fs.IntVar(&c.workers, "workers", 0, "how many filings are judged at a time (default one per core)")
	fs.StringVar(&c.lineHost, "line-host", "", "`host[:port]` that signed lines must name")
	fs.StringVar(&c.lineService, "line-service", "", "`service` that signed lines must name")
	fs.BoolVar(&c.identity, "include-identity", false, "write names and numbers of holders into the results")
	fs.BoolVar(&c.noEvidence, "no-evidence", false, "do not keep what verdicts rest on: nobody can judge the filings again by what was known now")
}

// check refuses flags of verify that have no meaning for many filings.
func (c *batchCall) check() error {
	switch {
	case !c.at.IsZero():
		return errors.New("-at is for one filing: of each of many, the source says when it was received")
	case len(c.ocsps) > 0 || len(c.stamping.tokens) > 0:
		return errors.New("-ocsp and -timestamp are for one filing")
	case c.explain:
		return errors.New("-explain is for one filing")
	case c.workers < 0:
		return errors.New("-workers is negative")
	}
	return c.spread.check()
}

func (c *batchCall) run(ctx context.Context, in *files, source string) (report, error) {
	if c.out == "" {
		return nil, errors.New("-out is required: the folder of the results")
	}
	b, err := c.prepare(in, source, filepath.Join(c.out, batch.EvidenceName))
	if err != nil {
		return nil, err
	}
	defer b.close()
	shown := newProgress(in.stderr, b.source.Len())
	done, err := c.spread.run(ctx, c.out, b.runner, b.source, batch.RunOptions{
		Resume: c.resume, Retry: c.retry, OnResult: shown.add, OnShard: shown.addShard,
	})
	shown.end()
	if err != nil {
		return nil, err
	}
	page := filepath.Join(c.out, "report.html")
	if err := writePage(page, source, done); err != nil {
		return nil, err
	}
	return newBatchReport(done, page), nil
}

// A preparedBatch is what batch and batch-worker judge with.
type preparedBatch struct {
	runner *batch.Runner
	source *batch.FileSource
	opened []io.Closer
}

// close closes what was opened, the last first.
func (b *preparedBatch) close() {
	for _, c := range slices.Backward(b.opened) {
		c.Close()
	}
}

// prepare opens all that the flags name. pack is where this process keeps evidence, if
// the batch is spread.
func (c *batchCall) prepare(in *files, source, pack string) (_ *preparedBatch, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	b := &preparedBatch{}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	cfg, sources, err := c.config(in)
	if err != nil {
		return nil, err
	}
	b.opened = append(b.opened, sources)
	if b.source, err = batch.Open(source); err != nil {
		return nil, err
	}
	b.opened = append(b.opened, b.source)
	if cfg.PseudonymKey, err = c.pseudonymKey(); err != nil {
		return nil, err
	}
	kept, err := c.keep(cfg, pack)
	if err != nil {
		return nil, err
	}
	b.opened = append(b.opened, kept)
	b.runner, err = batch.New(*cfg)
	return b, err
}

// config is the policy that the flags of verify describe.
func (c *batchCall) config(in *files) (*batch.Config, *sources, error) {
	scheme, err := c.knownScheme(in)
	if err != nil {
		return nil, nil, err
	}
	cfg := &batch.Config{
		Verify:  verify.Config{Scheme: scheme, PathInputs: c.inputs, InsecureSkipRevocation: c.skipRevocation},
		Workers: c.workers, Host: c.lineHost, Service: c.lineService, IncludeIdentity: c.identity, OmitEvidence: c.noEvidence,
	}
	c.policy.apply(&cfg.Verify)
	if err := c.stamping.apply(in, &cfg.Verify, new(verify.Options)); err != nil {
		return nil, nil, err
	}
	var known [][]byte
	for _, cert := range scheme.Intermediates {
		known = append(known, cert.Raw)
	}
	sources, err := c.newSources(in, scheme, known)
	if err != nil {
		return nil, nil, err
	}
	cfg.Verify.Status = sources.status
	return cfg, sources, nil
}

// knownScheme is the scheme with the CA certificates of -intermediates in it: what is
// known of all filings, whatever is in them.
func (t *trust) knownScheme(in *files) (verify.Scheme, error) {
	scheme, err := t.scheme(in)
	if err != nil {
		return scheme, err
	}
	intermediates, err := in.anchors(t.intermediates)
	if err != nil {
		return scheme, err
	}
	scheme.Intermediates = slices.Concat(scheme.Intermediates, intermediates)
	if t.custom() && shareName(slices.Concat(scheme.Anchors, scheme.Intermediates)) {
		scheme.SeparateCRLKeys = false
	}
	return scheme, nil
}

// pseudonymKey reads the key, or makes one where none was named and none is there.
func (c *batchCall) pseudonymKey() ([]byte, error) {
	path := cmp.Or(c.key, filepath.Join(c.out, "pseudonym.key"))
	key, err := os.ReadFile(path)
	if c.key != "" || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, batch.MinPseudonymKey)
	rand.Read(key) // never returns an error
	if err := os.MkdirAll(c.out, 0o700); err != nil {
		return nil, err
	}
	return key, os.WriteFile(path, key, 0o600)
}

// A batchReport is the report of batch and audit.
type batchReport struct {
	*batch.Report
	Page       string `json:"page,omitempty"`
	ManifestID string `json:"manifest"`
}

func newBatchReport(r *batch.Report, page string) *batchReport {
	short := *r
	short.Shards, short.Throughput = nil, nil // they are in the manifest
	return &batchReport{&short, page, r.Manifest}
}

func (b *batchReport) exitCode() int {
	if b.Summary.Valid() {
		return exitGood
	}
	return exitRefused
}

func (b *batchReport) writeText(w *textWriter) {
	s := &b.Summary
	w.title("%d filings, %d valid", s.Filings, s.Verdicts[batch.Valid])
	for _, reason := range sortedByCount(s.Reasons) {
		w.line(string(reason), "%d", s.Reasons[reason])
	}
	for _, issuer := range slices.Sorted(maps.Keys(s.Issuers)) {
		w.line("issuer", "%s: %d", issuer, s.Issuers[issuer])
	}
	for _, algorithm := range slices.Sorted(maps.Keys(s.Algorithms)) {
		w.line("algorithm", "%s: %d", algorithm, s.Algorithms[algorithm])
	}
	w.line("oldest status", "%s", timeText(s.OldestRevocation))
	w.line("batch", "%s", b.Batch)
	w.line("manifest", "%s", b.ManifestID)
	w.line("page", "%s", b.Page)
}

// sortedByCount returns the keys of a map of counts, the most frequent first.
func sortedByCount[K cmp.Ordered](counts map[K]int64) []K {
	return slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}
