package evidence

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/ocspclient"
	"github.com/citizencert/citizencert/verify"
)

// sourceAdded is the source that package crl gives the lists that the operator has
// brought, who says what they cover. Of one that came with the signature
// ([verify.SourceSupplied]) nobody does.
const sourceAdded = "added"

// answers is a [verify.StatusSource] that knows what a record has, and nothing else.
type answers struct {
	ocsp      []sourced
	lists     *crl.Store
	supplied  []verify.Evidence // lists
	allowSHA1 bool
}

type sourced struct {
	der    []byte
	source string
}

// Status implements [verify.StatusSource].
func (a *answers) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	var reports []verify.StatusReport
	var errs []error
	if !q.ListsOnly {
		for _, held := range a.ocsp {
			answer, err := ocspclient.Judge(held.der, q.Cert, q.Issuer, ocspclient.JudgeOptions{At: q.At, Now: q.Now, InsecureAllowSHA1: a.allowSHA1})
			if err != nil {
				errs = append(errs, fmt.Errorf("recorded answer: %w", err))
				continue
			}
			answer.Rung, answer.Source = verify.RungHeld, held.source
			reports = append(reports, answer.StatusReport)
		}
	}
	// What came with the message is in the record if it counted.
	q.Supplied = a.supplied
	listed, err := a.lists.Status(ctx, q)
	return append(reports, listed...), errors.Join(append(errs, err)...)
}

// maxShelved bounds the revocation lists that are kept ready, in bytes of DER.
const maxShelved = 128 << 20

// shelves keep sets of revocation lists ready: many records rest on the same ones,
// and reading a large one takes longer than all else.
type shelves struct {
	allowSHA1 bool

	mu    sync.Mutex
	sets  []*shelf // the one used last comes last
	bytes int64
}

type shelf struct {
	key   string
	lists *crl.Store
	bytes int64
}

// A listed is a revocation list with where it came from.
type listed struct {
	hash    Hash
	der     []byte
	sources []string
}

// shelfKey names a set of lists and sources.
func shelfKey(lists []listed) string {
	var key strings.Builder
	for _, l := range lists {
		key.Write(l.hash[:])
		fmt.Fprintf(&key, "%q", l.sources)
	}
	return key.String()
}

// open returns a store with the lists that were not supplied.
func (s *shelves) open(lists []listed) (*crl.Store, error) {
	key := shelfKey(lists)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.sets, func(set *shelf) bool { return set.key == key }); i >= 0 {
		set := s.sets[i]
		s.sets = append(slices.Delete(s.sets, i, i+1), set)
		return set.lists, nil
	}
	store, err := crl.New(crl.Config{Offline: true, MaxHeldBytes: math.MaxInt, InsecureAllowSHA1: s.allowSHA1})
	if err != nil {
		return nil, err
	}
	set := &shelf{key: key, lists: store}
	for _, l := range lists {
		set.bytes += int64(len(l.der))
		for _, source := range l.sources {
			from := source
			switch source {
			case verify.SourceSupplied:
				continue
			case sourceAdded:
				from = ""
			}
			if err := store.Add(l.der, from); err != nil {
				return nil, err
			}
		}
	}
	s.sets = append(s.sets, set)
	for s.bytes += set.bytes; s.bytes > maxShelved && len(s.sets) > 1; {
		s.bytes -= s.sets[0].bytes
		s.sets = slices.Delete(s.sets, 0, 1)
	}
	return store, nil
}
