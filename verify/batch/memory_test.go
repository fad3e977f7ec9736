package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	j := job{Source: filepath.Join(dir, "filings"), Policy: filepath.Join(dir, "policy")}
	if err := os.Mkdir(j.Source, 0o700); err != nil {
		t.Fatal(err)
	}
	w.write(t, j.Source)
	w.savePolicy(t, j.Policy)
	var first float64
	for i, n := range sizes {
		j.Repeat, j.Out = n, filepath.Join(dir, fmt.Sprint(n))
		var stdout, stderr bytes.Buffer
		cmd := j.start(t)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, &stderr)
		}
		var kilobytes float64
		if _, err := fmt.Sscanf(stdout.String(), "VmHWM: %f kB", &kilobytes); err != nil {
			t.Fatalf("%v in %q", err, stdout.String())
		}
		t.Logf("%d filings: at most %.1f MB resident", n, kilobytes/1024)
		if i == 0 {
			first = kilobytes
		}
		if limit := max(1.1*first, first+8<<10); kilobytes > limit || kilobytes > 256<<10 {
			t.Errorf("%d filings take %.0f kB, want at most %.0f", n, kilobytes, min(limit, 256<<10))
		}
	}
}

// runRepeated judges the filings of a source over and over, into a record, and prints
// the most memory that the process has used (VmHWM).
func (j *job) runRepeated(ctx context.Context, runner *batch.Runner, src batch.Source) error {
	over := batch.Iterate(fmt.Sprintf("%s, %d times", src.ID(), j.Repeat), func(yield func(batch.Item, error) bool) {
		for n := 0; n < j.Repeat; {
			for item, err := range src.Items() {
				if n++; n > j.Repeat || !yield(item, err) {
					return
				}
			}
		}
	})
	if _, err := runner.Run(ctx, j.Out, over, batch.RunOptions{}); err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Print(line)
			return nil
		}
	}
	return errors.New("no VmHWM")
}
