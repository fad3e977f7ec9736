package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/citizencert/citizencert/verify/evidence"
)

// A store is where an audit looks for evidence.
type store struct {
	name string
	has  func(evidence.Hash) (bool, error)
	io.Closer
}

// openStore opens a pack or a folder of objects. All of a pack is read, and must be
// whole, whether results rest on it or not; of a folder, what is asked for.
func openStore(path, name string) (*store, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	s := &store{name: name, Closer: io.NopCloser(nil)}
	if info.IsDir() {
		s.has = evidenceDir(path).has
		return s, nil
	}
	pack, err := evidence.ReadPack(path)
	if err != nil {
		return nil, s.failed(err)
	}
	damage, err := pack.Check()
	if err == nil && len(damage) > 0 {
		err = damage[0]
	}
	if err != nil {
		return nil, errors.Join(s.failed(err), pack.Close())
	}
	s.has, s.Closer = pack.Has, pack
	return s, nil
}

// An evidenceDir is a folder of objects.
type evidenceDir string

// has reads an object, which must be whole.
func (d evidenceDir) has(hash evidence.Hash) (bool, error) {
	_, err := evidence.Dir(d).Get(context.Background(), hash) // a file: it asks for nothing
	if errors.Is(err, evidence.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// failed tells damage from a store that cannot be read.
func (s *store) failed(err error) error {
	if damage, ok := errors.AsType[*evidence.DamageError](err); ok {
		return &DamageError{File: s.name, Err: damage}
	}
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	return nil
}

// stores are several, each of which has some of the objects.
type stores []*store

// openStores opens the pack beside the results, if it is there, and further ones.
func openStores(dir string, further []string) (stores, error) {
	beside, err := openStore(filepath.Join(dir, EvidenceName), EvidenceName)
	if errors.Is(err, fs.ErrNotExist) {
		none := func(evidence.Hash) (bool, error) { return false, nil }
		beside, err = &store{EvidenceName, none, io.NopCloser(nil)}, nil
	}
	if err != nil {
		return nil, err
	}
	all := stores{beside}
	for _, path := range further {
		s, err := openStore(path, path)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all = append(all, s)
	}
	return all, nil
}

func (all stores) has(hash evidence.Hash) (bool, error) {
	for _, s := range all {
		if ok, err := s.has(hash); ok || err != nil {
			return ok, s.failed(err)
		}
	}
	return false, nil
}

// String names the stores.
func (all stores) String() string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.name
	}
	return strings.Join(names, ", ")
}

// Close closes all.
func (all stores) Close() error {
	var errs []error
	for _, s := range all {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
