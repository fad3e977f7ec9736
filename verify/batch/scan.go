package batch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxResultLine bounds a line of a results file, in bytes.
const maxResultLine = 1 << 20

// A DamageError names what is not as it was written.
type DamageError struct {
	File string
	Line int64  // from 1; 0 if it is not about one
	Item string // of the line, as far as it can be read
	Err  error
}

func (e *DamageError) Error() string {
	where := e.File
	if e.Line > 0 {
		where += fmt.Sprintf(", line %d", e.Line)
	}
	if e.Item != "" {
		where += " (" + e.Item + ")"
	}
	return fmt.Sprintf("batch: %s is not as it was written: %v", where, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// A ShardHead is the last chain of a shard.
type ShardHead struct {
	Shard   int64  `json:"shard"`
	Filings int64  `json:"filings"`
	Head    string `json:"head"`
}

// A scan goes through the results of a generation and checks them.
type scan struct {
	batch      string
	generation int

	lines int64 // so far
	size  int64 // of them, in bytes
	chain chain
	heads []ShardHead // the last may not be complete

	// accept, if not nil, says whether a line counts. Where one does not, the scan ends
	// as if it were a piece.
	accept func(*Result) (bool, error)
}

// run gives every line to each. A piece of a line at the end, as a crash leaves it,
// is not looked at: size does not count it, and rest is how long it is.
func (s *scan) run(dir string, each func(*Result) error) (rest int64, err error) {
	name := fmt.Sprintf(resultsName, s.generation)
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return 0, fmt.Errorf("batch: %w", err)
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, maxResultLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF:
			return int64(len(line)), nil
		case errors.Is(err, bufio.ErrBufferFull):
			return 0, &DamageError{File: name, Line: s.lines + 1, Err: fmt.Errorf("longer than %d bytes", maxResultLine)}
		case err != nil:
			return 0, fmt.Errorf("batch: reading %s: %w", name, err)
		}
		res, err := s.next(line)
		if err == errNotAccepted {
			return int64(len(line)), nil
		}
		if err != nil {
			return 0, &DamageError{File: name, Line: s.lines + 1, Item: itemOf(line), Err: err}
		}
		if err := each(res); err != nil {
			return 0, err
		}
	}
}

// next takes one line.
func (s *scan) next(line []byte) (*Result, error) {
	s.turn()
	before := s.chain
	res, err := s.chain.open(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		return nil, err
	}
	if want := s.lines / ShardSize; res.Shard != want || res.Generation != s.generation {
		return nil, fmt.Errorf("it is of shard %d, generation %d, want %d and %d", res.Shard, res.Generation, want, s.generation)
	}
	if s.accept != nil {
		if ok, err := s.accept(res); err != nil {
			return nil, err
		} else if !ok {
			s.chain = before
			return nil, errNotAccepted
		}
	}
	s.count(int64(len(line)))
	return res, nil
}

var errNotAccepted = errors.New("the line is not accepted")

// turn begins a new shard when it is time.
func (s *scan) turn() {
	if s.lines%ShardSize == 0 {
		shard := s.lines / ShardSize
		s.chain = newChain(s.batch, s.generation, shard)
		s.heads = append(s.heads[:shard], ShardHead{Shard: shard})
	}
}

// count notes that a line has been added to the chain.
func (s *scan) count(size int64) {
	s.lines++
	s.size += size
	last := &s.heads[len(s.heads)-1]
	last.Filings++
	last.Head = s.chain.String()
}

// noEnd says that there is a piece of a line where the results have been closed.
func (s *scan) noEnd() error {
	return &DamageError{File: fmt.Sprintf(resultsName, s.generation), Line: s.lines + 1, Err: errors.New("it has no end")}
}

// itemOf reads the name of a filing out of a line that may be damaged.
func itemOf(line []byte) string {
	var res struct{ Item string }
	if json.Unmarshal(line, &res) == nil {
		return res.Item
	}
	_, rest, found := bytes.Cut(line, []byte(`"item":"`))
	name, _, closed := bytes.Cut(rest, []byte(`"`))
	if !found || !closed {
		return ""
	}
	return string(name)
}
