package batch

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

// Verify reads the record of a batch again and checks that it is as Run has written
// it: every line, the chains of the shards, the counts, the manifests and the links
// between them, every object of the evidence beside the results, and that none is
// missing. It returns the last Report, whose Manifest is what to compare with
// the digest that was signed, time-stamped or written down: without that, Verify
// finds accidents, and changes by those who do not know the format. What is not as
// it was written is a *DamageError, which names file, line and filing, or the object.
// Of a run that has not finished, Verify checks what is there and returns
// ErrUnfinished with the Report so far.
//
// Further stores are the paths of packs ([evidence.Pack]), or folders of objects
// ([evidence.Dir]), to which Config.Keep has had evidence go: those of all workers,
// where a run was spread. Packs are read as a whole, and of a batch that has evidence
// elsewhere, every object that a line rests on must then be in one of the stores.
// Where none is named, Report.Elsewhere says how many lines rest on what Verify has
// not seen.
//
// It does not judge anything again: see [Rejudge].
func Verify(dir string, further ...string) (*Report, error) {
	head, err := os.ReadFile(filepath.Join(dir, headName))
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	all, err := openStores(dir, further)
	if err != nil {
		return nil, err
	}
	defer all.Close()
	a := &audit{dir: dir, batch: nameOf(head), summary: newSummary(), held: newHeld(all.String(), all.has)}
	a.complete = where(head) != evidenceElsewhere || len(further) > 0
	err = eachGeneration(dir, a.generation)
	if a.last != nil {
		a.last.Elsewhere = a.elsewhere
	}
	return a.last, err
}

// eachGeneration calls visit for each generation of a record that has results, and for
// the first.
func eachGeneration(dir string, visit func(n int) error) error {
	for n := 0; ; n++ {
		begun, err := exists(filepath.Join(dir, fmt.Sprintf(resultsName, n)))
		if err != nil {
			return err
		}
		if !begun && n > 0 {
			return noManifest(dir, n)
		}
		if err := visit(n); err != nil {
			return err
		}
	}
}

// noManifest finds the manifest of a generation whose results have gone.
func noManifest(dir string, generation int) error {
	name := fmt.Sprintf(manifestName, generation)
	closed, err := exists(filepath.Join(dir, name))
	if closed {
		err = &DamageError{File: name, Err: fmt.Errorf("its results, "+resultsName+", are missing", generation)}
	}
	return err
}

// An audit goes through the generations of a record.
type audit struct {
	dir, batch string
	held       *held
	complete   bool  // held must have all that lines rest on
	elsewhere  int64 // lines that rest on something else
	summary    *Summary
	last       *Report // of the generation before
}

// where returns where the evidence of a batch is, by its head.
func where(text []byte) string {
	var h head
	if json.Unmarshal(text, &h) != nil {
		return "" // its digest will not be what the results say
	}
	return h.Evidence
}

func (a *audit) generation(n int) error {
	report, err := readReport(a.dir, n)
	if err != nil {
		return err
	}
	s := scan{batch: a.batch, generation: n}
	if a.last != nil {
		if err := a.withdraw(); err != nil {
			return err
		}
	}
	rest, err := s.run(a.dir, func(res *Result) error {
		a.summary.add(res)
		return a.check(&s, res)
	})
	if err != nil {
		return err
	}
	if report == nil {
		a.last = &Report{Batch: a.batch, Generation: n, Lines: s.lines, Summary: *a.summary, Shards: s.heads, Chain: chainOf(s.heads)}
		return fmt.Errorf("batch: %s: %w", a.dir, ErrUnfinished)
	}
	if rest > 0 {
		return s.noEnd()
	}
	return a.compare(report, &s)
}

// check checks that the evidence of a line is there.
func (a *audit) check(s *scan, res *Result) error {
	missing, err := a.held.check(res)
	if missing != nil && !a.complete {
		a.elsewhere++
		return nil
	}
	if missing != nil {
		return &DamageError{File: fmt.Sprintf(resultsName, s.generation), Line: s.lines, Item: res.Item, Err: missing}
	}
	return err
}

// withdraw takes out of the summary what the generation replaces.
func (a *audit) withdraw() error {
	g := stage{dir: a.dir, batch: a.batch, last: a.last}
	return g.withdraw(a.summary)
}

// compare holds the manifest of a generation against its results.
func (a *audit) compare(report *Report, s *scan) error {
	if err := report.closes(s, a.last); err != nil {
		return err
	}
	if !reflect.DeepEqual(report.Summary, *a.summary) {
		return s.badManifest("its summary is not that of the results")
	}
	a.last = report
	return nil
}
