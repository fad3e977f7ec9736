package batch_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
)

// largeBatches has TestMemory go up to a million filings, which takes minutes.
const largeBatches = "CITIZENCERT_BATCH_LARGE"

// What a batch takes of memory does not depend on how many filings it has.
func TestMemory(t *testing.T) {
	sizes := []int{2_000, 10_000}
	if os.Getenv(largeBatches) != "" {
		sizes = []int{10_000, 100_000, 1_000_000}
	}
	w := newWorld(t, pkitest.FilingsConfig{N: 200, Citizens: 50})
	dir := t.TempDir()
	j := job{Source: t.TempDir(), Policy: w.policy}
	w.write(t, j.Source)
	var first float64
	for i, n := range sizes {
		j.Repeat, j.Out = n, filepath.Join(dir, fmt.Sprint(n))
		var stdout, stderr bytes.Buffer
		cmd := childtest.Command(t, j)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, &stderr)
		}
		var peak float64
		if _, err := fmt.Sscan(stdout.String(), &peak); err != nil {
			t.Fatalf("%v in %q", err, stdout.String())
		}
		t.Logf("%d filings: at most %.1f MB resident", n, peak/(1<<20))
		if i == 0 {
			first = peak
		}
		if limit := min(max(1.1*first, first+8<<20), 256<<20); peak > limit {
			t.Errorf("%d filings take %.0f bytes, want at most %.0f", n, peak, limit)
		}
	}
}

// runRepeated judges the filings of a source over and over, into a record, and prints
// the most memory that the process has used, in bytes.
func (j job) runRepeated(runner *batch.Runner, src batch.Source) error {
	over := batch.Iterate(fmt.Sprintf("%s, %d times", src.ID(), j.Repeat), func(yield func(batch.Item, error) bool) {
		for n := 0; n < j.Repeat; {
			for item, err := range src.Items() {
				if n++; n > j.Repeat || !yield(item, err) {
					return
				}
			}
		}
	})
	if _, err := runner.Run(context.Background(), j.Out, over, batch.RunOptions{}); err != nil {
		return err
	}
	peak, err := childtest.PeakMemory()
	fmt.Println(peak)
	return err
}
