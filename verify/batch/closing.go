package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/citizencert/citizencert/verify/evidence"
)

// A Report closes a generation of results, and is the content of its manifest
// file. Whoever signs or time-stamps the last manifest vouches for every line of every
// generation: see AddSeal.
type Report struct {
	Batch      string  `json:"batch"` // SHA-256 of batch.json
	Generation int     `json:"generation"`
	Previous   string  `json:"previous,omitempty"` // SHA-256 of the manifest of the generation before
	Lines      int64   `json:"lines"`              // of this generation
	Summary    Summary `json:"summary"`            // of all

	Shards []ShardHead `json:"shards"`
	// Chain is the SHA-256 of the heads of the shards in order: 64 hexadecimal digits
	// and an end of line each.
	Chain string `json:"chain"`

	Seconds    float64  `json:"seconds"`    // how long the last run took
	Throughput []Sample `json:"throughput"` // of the last run

	// Manifest is the SHA-256 of the file itself, in hexadecimal.
	Manifest string `json:"-"`

	// Elsewhere, of Verify, is how many results rest on objects that Config.Keep has had
	// go elsewhere and that Verify was not shown.
	Elsewhere int64 `json:"-"`

	// Seals are those over Bytes that are beside the manifest, whatever they are worth:
	// see AddSeal.
	Seals []evidence.Seal `json:"-"`

	text []byte // of the file
}

// A Sample is how many filings had been judged after some time.
type Sample struct {
	Seconds float64 `json:"seconds"`
	Filings int64   `json:"filings"`
}

// maxSamples bounds the samples of a run: when there are as many, every second one
// is dropped.
const maxSamples = 240

// A meter takes samples of the progress of a run.
type meter struct {
	began, last time.Time
	every       time.Duration
	samples     []Sample
}

func newMeter() *meter {
	now := time.Now()
	return &meter{began: now, last: now, every: 250 * time.Millisecond, samples: []Sample{{}}}
}

func (m *meter) at(filings int64) {
	now := time.Now()
	if now.Sub(m.last) < m.every {
		return
	}
	m.take(now, filings)
	if len(m.samples) < maxSamples {
		return
	}
	for i := range maxSamples / 2 {
		m.samples[i] = m.samples[2*i]
	}
	m.samples, m.every = m.samples[:maxSamples/2], 2*m.every
}

func (m *meter) take(now time.Time, filings int64) {
	m.last = now
	m.samples = append(m.samples, Sample{now.Sub(m.began).Seconds(), filings})
}

// report writes the manifest of a generation whose results are all durable.
func (rec *record) report(previous string, m *meter, judged int64) (*Report, error) {
	m.take(time.Now(), judged)
	report := &Report{
		Batch: rec.batch, Generation: rec.generation, Previous: previous, Lines: rec.lines, Summary: *rec.summary,
		Shards: rec.heads, Chain: chainOf(rec.heads), Seconds: time.Since(m.began).Seconds(), Throughput: m.samples,
	}
	if report.Shards == nil {
		report.Shards = []ShardHead{}
	}
	text, err := json.MarshalIndent(report, "", " ")
	if err != nil {
		return nil, fmt.Errorf("batch: encoding the manifest: %w", err)
	}
	text = append(text, '\n')
	report.Manifest, report.text = nameOf(text), text
	return report, writeFile(filepath.Join(rec.dir, fmt.Sprintf(manifestName, rec.generation)), text)
}

func chainOf(heads []ShardHead) string {
	h := sha256.New()
	for _, head := range heads {
		fmt.Fprintln(h, head.Head)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// readReport returns the manifest of a generation, or nil if it is not closed.
func readReport(dir string, generation int) (*Report, error) {
	seals, err := readSeals(dir, generation)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf(manifestName, generation)
	text, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) && seals == nil {
		return nil, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &DamageError{File: name, Err: errors.New("it is missing, and seals over it are there")}
	}
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	report := &Report{Summary: *newSummary(), Manifest: nameOf(text), Seals: seals, text: text}
	if err := json.Unmarshal(text, report); err != nil {
		return nil, &DamageError{File: name, Err: err}
	}
	return report, nil
}

// lastReport returns the manifest of the last generation that is closed, or nil.
func lastReport(dir string) (last *Report, err error) {
	for generation := 0; ; generation++ {
		report, err := readReport(dir, generation)
		if report == nil || err != nil {
			return last, err
		}
		last = report
	}
}

// closes checks that a manifest is that of the results that a scan has gone through,
// and follows the one before, which may be nil.
func (report *Report) closes(s *scan, before *Report) error {
	previous := ""
	if before != nil {
		previous = before.Manifest
	}
	switch {
	case report.Batch != s.batch:
		return s.badManifest("it is of batch %s, and %s is that of %s", report.Batch, headName, s.batch)
	case report.Generation != s.generation || report.Previous != previous:
		return s.badManifest("it is of generation %d after %q, want %d after %q", report.Generation, report.Previous, s.generation, previous)
	case report.Lines != s.lines:
		return s.badManifest("it counts %d results, and there are %d", report.Lines, s.lines)
	case len(report.Shards) != len(s.heads):
		return s.badManifest("it has %d shards, and the results have %d", len(report.Shards), len(s.heads))
	}
	for i, want := range s.heads {
		if report.Shards[i] != want {
			return s.badManifest("shard %d has head %s, want %s", i, report.Shards[i].Head, want.Head)
		}
	}
	if want := chainOf(s.heads); report.Chain != want {
		return s.badManifest("its chain is %s, want %s", report.Chain, want)
	}
	return nil
}

func (s *scan) badManifest(format string, args ...any) error {
	return &DamageError{File: fmt.Sprintf(manifestName, s.generation), Err: fmt.Errorf(format, args...)}
}
