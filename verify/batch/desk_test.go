package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/batch"
)

// waitingOnce is a source of status that gives its first answer when nobody wants it
// any more.
type waitingOnce struct {
	verify.StatusSource
	once sync.Once
}

func (w *waitingOnce) Status(ctx context.Context, q verify.StatusQuery) ([]verify.StatusReport, error) {
	w.once.Do(func() { <-ctx.Done() })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return w.StatusSource.Status(ctx, q)
}

// The time of one filing is over; the one after it, judged by the same worker, has its
// own.
func TestItemTimeoutCostsOneFiling(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 3, Citizens: 3, ContentSize: 300, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	runner := w.runner(t, func(c *batch.Config) {
		c.ItemTimeout, c.Workers = 2*time.Second, 1
		c.Verify.Status = []verify.StatusSource{&waitingOnce{StatusSource: c.Verify.Status[0]}}
	})
	var results []batch.Result
	for res, err := range runner.Results(t.Context(), each(items, len(items)), batch.InputOrder) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, *res)
	}
	wantResults(t, results, []string{"deadline", "", ""})
}

// A run that is cancelled does not wait for what hangs, however long that may take.
func TestCancelWhileAFilingHangs(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 2, Citizens: 1, ContentSize: 300, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	released := make(chan struct{})
	defer close(released)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	items[1].Content = func() (io.ReadCloser, error) { cancel(); return hanging{released}, nil }
	runner := w.runner(t, func(c *batch.Config) { c.ItemTimeout, c.Workers = 24*time.Hour, 1 })
	var last error
	for _, err := range runner.Results(ctx, each(items, len(items)), batch.InputOrder) {
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("got %v, want that the run was cancelled", last)
	}
}

// What hangs costs a goroutine for ever. So many, and no more, are accepted.
func TestHangingFilings(t *testing.T) {
	w := newWorld(t, pkitest.FilingsConfig{N: 1, Citizens: 1, ContentSize: 300, Attached: -1, Statements: -1, Defects: map[pkitest.Defect]float64{}})
	items, _ := w.made(t)
	released := make(chan struct{})
	defer close(released)
	items[0].Content = func() (io.ReadCloser, error) { return hanging{released}, nil }
	for n, want := range map[int]string{64: "", 65: "batch: 65 filings have not come to an end"} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			runner := w.runner(t, func(c *batch.Config) { c.ItemTimeout, c.Workers = time.Millisecond, n })
			many := func(yield func(batch.Item, error) bool) {
				for range n {
					if !yield(items[0], nil) {
						return
					}
				}
			}
			var results int
			var last error
			for res, err := range runner.Results(t.Context(), many, batch.AsTheyCome) {
				if last = err; err != nil {
					break
				}
				if results++; res.Reason != batch.ReasonDeadline {
					t.Errorf("got %q, want %q", res.Reason, batch.ReasonDeadline)
				}
			}
			if want == "" && (last != nil || results != n) {
				t.Errorf("got %d results and %v, want %d", results, last, n)
			}
			if want != "" && (last == nil || !strings.HasPrefix(last.Error(), want)) {
				t.Errorf("got %v, want %s", last, want)
			}
		})
	}
}
