package batch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/citizencert/citizencert/verify/evidence"
)

// held are the objects of a pack, as far as results refer to them.
type held struct {
	has  func(evidence.Hash) (bool, error)
	seen map[evidence.Hash]struct{} // that are there: no more than maxPut, as in keeping
}

func newHeld(has func(evidence.Hash) (bool, error)) *held {
	return &held{has, make(map[evidence.Hash]struct{})}
}

// check checks that all is there that a result rests on. What the source has is not
// looked for. missing says what is not; err, that the pack could not be read.
func (h *held) check(res *Result) (missing, err error) {
	if len(res.Evidence) == 0 {
		return nil, nil
	}
	var rec struct {
		Objects []evidence.Object `json:"objects"`
	}
	if err := json.Unmarshal(res.Evidence, &rec); err != nil {
		return fmt.Errorf("its evidence: %w", err), nil
	}
	for _, o := range rec.Objects {
		switch o.Kind {
		case evidence.KindSignedData, evidence.KindSignature, evidence.KindSigned:
			continue
		}
		if _, ok := h.seen[o.SHA256]; ok {
			continue
		}
		if ok, err := h.has(o.SHA256); err != nil {
			return nil, fmt.Errorf("batch: %w", err)
		} else if !ok {
			return fmt.Errorf("it rests on the %s with SHA-256 %v, which %s lacks", o.Kind, o.SHA256, EvidenceName), nil
		}
		if len(h.seen) >= maxPut {
			clear(h.seen)
		}
		h.seen[o.SHA256] = struct{}{}
	}
	return nil, nil
}

// readHeld reads the evidence in the folder of a record, all of it. Where there is no
// pack, there is none.
func readHeld(dir string) (objects *held, close func() error, err error) {
	pack, err := evidence.ReadPack(filepath.Join(dir, EvidenceName))
	if errors.Is(err, fs.ErrNotExist) {
		none := func(evidence.Hash) (bool, error) { return false, nil }
		return newHeld(none), func() error { return nil }, nil
	}
	if damage, ok := errors.AsType[*evidence.DamageError](err); ok {
		return nil, nil, &DamageError{File: EvidenceName, Err: damage}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("batch: %w", err)
	}
	damage, err := pack.Check()
	if err == nil && len(damage) > 0 {
		err = &DamageError{File: EvidenceName, Err: damage[0]}
	}
	if err != nil {
		return nil, nil, errors.Join(err, pack.Close())
	}
	return newHeld(pack.Has), pack.Close, nil
}
