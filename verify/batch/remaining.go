package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
)

// remaining yields the filings of a generation that have no result yet. Of those of
// the last shard that have one, it makes sure that they are the same.
func (rec *record) remaining(g *stage) iter.Seq2[Item, error] {
	done := rec.lines
	checked := done - int64(len(rec.signatures)) // up to here they are not looked at
	return func(yield func(Item, error) bool) {
		n := int64(0)
		for item, err := range g.items() {
			if err == nil && checked <= n && n < done {
				err = rec.signatures[n-checked].same(&item)
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			if n++; n > done && !yield(item, nil) {
				return
			}
		}
		if n < done {
			yield(Item{}, &ChangedError{fmt.Sprintf("the source, which has %d filings where %d have results,", n, done)})
		}
	}
}

// same checks that an item is the one that has a result.
func (known indexed) same(item *Item) error {
	if known.index != item.index {
		return &ChangedError{fmt.Sprintf("the source at %s", item.Name)}
	}
	if known.signature == "" || item.Signature == nil {
		return nil
	}
	r, err := item.Signature()
	if err != nil {
		return &ChangedError{fmt.Sprintf("the signature of %s, which cannot be opened any more (%v),", item.Name, err)}
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return fmt.Errorf("batch: reading the signature of %s again: %w", item.Name, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != known.signature {
		return &ChangedError{"the signature of " + item.Name}
	}
	return nil
}

// items yields the filings of the generation with their places in the source.
func (g *stage) items() iter.Seq2[Item, error] {
	if g.last == nil {
		return placed(g.src.Items())
	}
	return func(yield func(Item, error) bool) {
		next, stop := iter.Pull2(g.retried())
		defer stop()
		want, err, more := next()
		for item, sourceErr := range placed(g.src.Items()) {
			if err := errors.Join(err, sourceErr); err != nil {
				yield(Item{}, err)
				return
			}
			if !more {
				return
			}
			if item.index != want {
				continue
			}
			if !yield(item, nil) {
				return
			}
			want, err, more = next()
		}
		if err == nil && more {
			err = &ChangedError{fmt.Sprintf("the source, which has no filing %d any more,", want)}
		}
		if err != nil {
			yield(Item{}, err)
		}
	}
}

// placed tells each filing its place.
func placed(items iter.Seq2[Item, error]) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		index := int64(0)
		for item, err := range items {
			item.index, item.known = index, true
			if !yield(item, err) || err != nil {
				return
			}
			index++
		}
	}
}

// retried yields the places of those filings that the generation before has left
// open.
func (g *stage) retried() iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		before := scan{batch: g.batch, generation: g.last.Generation}
		_, err := before.run(g.dir, func(res *Result) error {
			if res.Retryable && !yield(res.Index, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && err != errEnough {
			yield(0, err)
		}
	}
}
