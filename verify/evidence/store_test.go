package evidence_test

import (
	"context"

	"github.com/citizencert/citizencert/verify/evidence"
)

// failing is a store that keeps nothing.
type failing struct{ err error }

func (f failing) Put(context.Context, evidence.Hash, []byte) error { return f.err }

func (f failing) Get(context.Context, evidence.Hash) ([]byte, error) { return nil, f.err }
