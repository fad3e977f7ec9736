package batch

import (
	"encoding/json"
	"fmt"

	"github.com/citizencert/citizencert/verify/evidence"
)

// held are the objects that are kept somewhere, as far as results refer to them.
type held struct {
	where string
	has   func(evidence.Hash) (bool, error)
	seen  map[evidence.Hash]struct{} // that are there: no more than maxPut, as in keeping
}

func newHeld(where string, has func(evidence.Hash) (bool, error)) *held {
	return &held{where, has, make(map[evidence.Hash]struct{})}
}

// check checks that all is there that a result rests on. What the source has is not
// looked for. missing says what is not; err is that of has.
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
			return nil, err
		} else if !ok {
			return fmt.Errorf("it rests on the %s with SHA-256 %v, which is not in %s", o.Kind, o.SHA256, h.where), nil
		}
		if len(h.seen) >= maxPut {
			clear(h.seen)
		}
		h.seen[o.SHA256] = struct{}{}
	}
	return nil, nil
}
