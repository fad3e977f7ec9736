package evidence

import (
	"context"
	"errors"
	"fmt"
)

// A MissingError says that a record cannot be judged again without something that
// is not at hand.
type MissingError struct {
	Kind Kind
	Hash Hash
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("evidence: %s with SHA-256 %v is neither in the record nor at hand", e.Kind, e.Hash)
}

// material has the objects of a record, from wherever they are.
type material struct {
	ctx     context.Context
	store   Store
	objects map[Hash]*Object
	given   [][]byte
}

func (m *material) give(given *Given) {
	for _, data := range [][]byte{given.Signature, given.Signed} {
		if data != nil {
			m.given = append(m.given, data)
		}
	}
}

// get returns the bytes of an object.
func (m *material) get(hash Hash) ([]byte, error) {
	o := m.objects[hash]
	if o == nil {
		return nil, &DamageError{Part: "record", Object: hash, Err: errors.New("it refers to an object that it does not list")}
	}
	if o.Data != nil || o.Size == 0 {
		if HashOf(o.Data) != hash {
			return nil, &DamageError{Part: string(o.Kind), Object: hash, Err: errChanged}
		}
		return o.Data[:len(o.Data):len(o.Data)], nil
	}
	for _, data := range m.given {
		if int64(len(data)) == o.Size && HashOf(data) == hash {
			return data, nil
		}
	}
	if m.store != nil {
		data, err := m.store.Get(m.ctx, hash)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return data, err
		}
	}
	return nil, &MissingError{o.Kind, hash}
}

// all returns the bytes of several objects.
func (m *material) all(hashes []Hash) ([][]byte, error) {
	var all [][]byte
	for _, hash := range hashes {
		data, err := m.get(hash)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// optional returns the bytes of an object, or nil if the hash is none.
func (m *material) optional(hash Hash) ([]byte, error) {
	if hash.IsZero() {
		return nil, nil
	}
	return m.get(hash)
}
