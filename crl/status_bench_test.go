package crl_test

import (
	"testing"

	"github.com/citizencert/citizencert/crl"
	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/pkitest"
)

// BenchmarkStatus asks Stores about a citizen: one that has the citizen's list from
// an operator, alone and among those of other CAs, and one that has fetched it.
func BenchmarkStatus(b *testing.B) {
	w := newWorld(b)
	own := w.list(pkitest.CRLOptions{})
	alone, among := w.store(crl.Config{Offline: true}), w.store(crl.Config{Offline: true})
	lists := [][]byte{own}
	for _, ca := range []*pkitest.CA{w.G2.MOICA, w.G2.Root, w.G3.Root} {
		der, err := ca.CRL(pkitest.CRLOptions{})
		if err != nil {
			b.Fatal(err)
		}
		lists = append(lists, der)
	}
	if err := alone.Add(own, ""); err != nil {
		b.Fatal(err)
	}
	for _, der := range lists {
		if err := among.Add(der, ""); err != nil {
			b.Fatal(err)
		}
	}
	fetched := w.store(crl.Config{})
	q := w.query()
	ask := func(store *crl.Store) func() {
		return func() {
			if reports, err := store.Status(b.Context(), q); len(reports) != 1 || err != nil {
				b.Fatal(len(reports), err)
			}
		}
	}
	c := benchkit.Compare(b,
		benchkit.Case{Name: "added", Op: ask(alone)},
		benchkit.Case{Name: "added-of-4", Op: ask(among)},
		benchkit.Case{Name: "fetched", Op: ask(fetched)},
	)
	c.Ratio("added-of-4", "added")
}
