package batch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/citizencert/citizencert/verify/batch"
)

func ctxBackground() context.Context { return context.Background() }

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
