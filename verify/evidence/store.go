package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// A Store keeps what many verdicts rest on, once: certificates, OCSP answers,
// revocation lists. Records then refer to it by hash. Methods may be called
// concurrently.
type Store interface {
	// Put keeps an object under its hash. It does nothing if the object is there
	// already. The caller has computed the hash, and Put does not keep data.
	Put(ctx context.Context, hash Hash, data []byte) error

	// Get returns the object with a hash. The error wraps [ErrNotFound] if there is
	// none. An object that no longer has its hash is a [*DamageError].
	Get(ctx context.Context, hash Hash) ([]byte, error)
}

// ErrNotFound is wrapped by the error about an object that a Store does not have.
var ErrNotFound = errors.New("evidence: object not found")

func notFound(hash Hash) error { return fmt.Errorf("%w: SHA-256 %v", ErrNotFound, hash) }

// A Memory is a [Store] in memory, for tests and for one verdict. It grows with
// what is put in. The zero value is empty.
type Memory struct {
	mu      sync.RWMutex
	objects map[Hash][]byte
}

var _ Store = (*Memory)(nil)

// Put implements [Store].
func (m *Memory) Put(_ context.Context, hash Hash, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[hash]; ok {
		return nil
	}
	if m.objects == nil {
		m.objects = make(map[Hash][]byte)
	}
	m.objects[hash] = append([]byte(nil), data...)
	return nil
}

// Get implements [Store]. What it returns must not be modified.
func (m *Memory) Get(_ context.Context, hash Hash) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	data, ok := m.objects[hash]
	if !ok {
		return nil, notFound(hash)
	}
	return data, nil
}

// A Dir is a [Store] in a folder: one file for each object, which is named by the
// hash below a folder named by its first two digits. Several processes may use it
// at once. An object is there as a whole or not at all, even after a power failure:
// each costs two flushes to the disk, which is what a [Pack] saves.
type Dir string

var _ Store = Dir("")

func (d Dir) path(hash Hash) string {
	name := hash.String()
	return filepath.Join(string(d), name[:2], name)
}

// Put implements [Store].
func (d Dir) Put(_ context.Context, hash Hash, data []byte) error {
	path := d.path(hash)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := d.write(path, data); err != nil {
		return fmt.Errorf("evidence: keeping an object: %w", err)
	}
	return nil
}

func (d Dir) write(path string, data []byte) (err error) {
	folder := filepath.Dir(path)
	if err := d.makeFolder(folder); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// makeFolder makes a folder for objects, and has its name last.
func (d Dir) makeFolder(folder string) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return syncFolder(string(d))
}

// syncFolder makes new names in a folder last. Some systems cannot, and do it
// themselves.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// Get implements [Store].
func (d Dir) Get(_ context.Context, hash Hash) ([]byte, error) {
	data, err := os.ReadFile(d.path(hash))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, notFound(hash)
	case err != nil:
		return nil, fmt.Errorf("evidence: reading an object: %w", err)
	case HashOf(data) != hash:
		return nil, &DamageError{Part: "object", Object: hash, Err: fmt.Errorf("the file has SHA-256 %v", HashOf(data))}
	}
	return data, nil
}
