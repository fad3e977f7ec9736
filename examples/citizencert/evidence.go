package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// keep asks a question and writes the verdict to a file, refusals too. content is
// nil if it is inside the signature.
func (j *judge) keep(ctx context.Context, name string, q evidence.Question, content *contentReader) (*verify.Result, error) {
	// Evidence is not written over, and a file that cannot be written is told before
	// there is a verdict.
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	res, err := j.record(ctx, f, q, content)
	if closed := f.Close(); closed != nil {
		err = closed
	}
	if _, verdict := errors.AsType[*verify.Error](err); err != nil && !verdict {
		os.Remove(name)
		return nil, err
	}
	return res, err
}

func (j *judge) record(ctx context.Context, f *os.File, q evidence.Question, content *contentReader) (*verify.Result, error) {
	recorder := &evidence.Recorder{Verifier: j.Verifier, Software: software()}
	var reader io.Reader
	if content != nil {
		reader = content
	}
	rec, res, verdict := recorder.Ask(ctx, q, reader)
	if content != nil && content.err != nil {
		return nil, content.err
	}
	if rec == nil {
		return nil, verdict
	}
	kept, err := evidence.NewFile(rec)
	if err != nil {
		return nil, err
	}
	line, err := kept.Encode()
	if err == nil {
		_, err = f.Write(line)
	}
	if err = errors.Join(err, f.Sync()); err != nil {
		return nil, err
	}
	return res, verdict
}

// software names this program with its version.
func software() string {
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = cmp.Or(info.Main.Version, version)
	}
	return "citizencert " + version
}

// A recordLine is one record in a file of evidence: a file may have several.
type recordLine struct {
	name   string // of the file, and which line if there are several
	file   *evidence.File
	damage *evidence.DamageError // in place of file
}

// evidence returns the records in a file, whole or damaged.
func (f *files) evidence(name string) ([]recordLine, error) {
	data, err := f.read(name)
	if err != nil {
		return nil, err
	}
	var all []recordLine
	several := bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n")) > 0
	for raw := range bytes.Lines(data) {
		l := recordLine{name: name}
		if several {
			l.name = fmt.Sprintf("%s:%d", name, len(all)+1)
		}
		if l.file, err = evidence.Parse(raw); err != nil {
			damage, ok := errors.AsType[*evidence.DamageError](err)
			if !ok {
				return nil, fmt.Errorf("%s: %w", l.name, err)
			}
			l.damage = damage
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return all, nil
}

// openStore opens a store of evidence to read: a folder, or a pack.
func openStore(name string) (store evidence.Store, damage []*evidence.DamageError, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return evidence.Dir(name), nil, nil
	}
	pack, err := evidence.ReadPack(name)
	if broken, ok := errors.AsType[*evidence.DamageError](err); ok {
		return nil, []*evidence.DamageError{broken}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	damage, err = pack.Check()
	return pack, damage, err
}

// stores are several, to read from: what the processes of a batch have each kept.
type stores []evidence.Store

// Put returns an error: what is judged again is not written.
func (stores) Put(context.Context, evidence.Hash, []byte) error { return errors.ErrUnsupported }

// Get returns the object from the first store that has it whole. That one has it
// damaged says more than that others do not have it.
func (s stores) Get(ctx context.Context, hash evidence.Hash) ([]byte, error) {
	var worst error
	for _, store := range s {
		data, err := store.Get(ctx, hash)
		if err == nil {
			return data, nil
		}
		if worst == nil || errors.Is(worst, evidence.ErrNotFound) {
			worst = err
		}
	}
	return nil, worst
}
