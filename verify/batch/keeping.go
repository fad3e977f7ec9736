package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/evidence"
)

// maxPut bounds the objects that are known to be kept. When there are more, all are
// forgotten, and the Keeper is given them once more.
const maxPut = 4096

// A keeping writes down verdicts and has a Keeper keep what they rest on. What stands
// behind many verdicts is not given to it each time.
type keeping struct {
	keeper   Keeper
	recorder *evidence.Recorder

	mu    sync.RWMutex
	put   map[evidence.Hash]struct{}
	dirty bool // something was put since the last sync
}

var _ evidence.Store = (*keeping)(nil)

func newKeeping(keeper Keeper, v *verify.Verifier) *keeping {
	k := &keeping{keeper: keeper, put: make(map[evidence.Hash]struct{})}
	k.recorder = &evidence.Recorder{Verifier: v, Store: k, SignaturesApart: true}
	return k
}

// Put implements [evidence.Store].
func (k *keeping) Put(ctx context.Context, hash evidence.Hash, data []byte) error {
	k.mu.RLock()
	_, ok := k.put[hash]
	k.mu.RUnlock()
	if ok {
		return nil
	}
	if err := k.keeper.Put(ctx, hash, data); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.put) >= maxPut {
		clear(k.put)
	}
	k.put[hash], k.dirty = struct{}{}, true
	return nil
}

// Get implements [evidence.Store].
func (k *keeping) Get(ctx context.Context, hash evidence.Hash) ([]byte, error) {
	return k.keeper.Get(ctx, hash)
}

// sync makes durable what was put.
func (k *keeping) sync() error {
	k.mu.Lock()
	dirty := k.dirty
	k.dirty = false
	k.mu.Unlock()
	if !dirty {
		return nil
	}
	if err := k.keeper.Sync(); err != nil {
		k.mu.Lock()
		k.dirty = true
		k.mu.Unlock()
		return keepError(err)
	}
	return nil
}

func keepError(err error) error {
	return fmt.Errorf("batch: keeping evidence: %w; what has been written is good, and the run can be resumed", err)
}

// account writes down a verdict in its result. An answer that is no verdict, such as
// one about a part that could not be read, is not.
func (r *Runner) account(ctx context.Context, res *Result, q *evidence.Question, clock time.Time, verdict *verify.Result, refusal error) error {
	refused, ok := errors.AsType[*verify.Error](refusal)
	if r.kept == nil || refusal != nil && (!ok || refused.Reason == verify.ReasonCanceled) {
		return nil
	}
	rec, err := r.kept.recorder.Record(context.WithoutCancel(ctx), *q, clock, verdict, refusal)
	if err != nil {
		return keepError(err)
	}
	file, err := evidence.NewFile(rec)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	res.Evidence = file.Bytes()
	return nil
}

// Record returns the record of the verdict, or nil if the result has none.
func (res *Result) Record() (*evidence.Record, error) {
	if len(res.Evidence) == 0 {
		return nil, nil
	}
	rec := new(evidence.Record)
	if err := json.Unmarshal(res.Evidence, rec); err != nil {
		return nil, fmt.Errorf("batch: evidence of %s: %w", res.Item, err)
	}
	return rec, nil
}
