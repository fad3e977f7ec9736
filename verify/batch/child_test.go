package batch_test

import (
	"context"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/batchtest"
	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/verify/batch"
)

// A job is a batch that a process of its own runs.
type job struct {
	Source, Out, Policy string
	Resume              bool
	FileSize            uint64 // limit of the size of files, in bytes; 0: none
	Repeat              int    // judge the source's filings over and over until there have been so many
	Workers             int
}

func TestMain(m *testing.M) { childtest.Main(m, job.run) }

func (j job) run() error {
	if j.FileSize > 0 {
		signal.Ignore(syscall.SIGXFSZ) // then writing fails, as it does on a disk that is full
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: j.FileSize, Max: j.FileSize}); err != nil {
			return err
		}
	}
	runner, src, err := batchtest.Open(j.Policy, j.Source, func(c *batch.Config) { c.Workers, c.Checkpoint = j.Workers, 5*time.Millisecond })
	if err != nil {
		return err
	}
	defer src.Close()
	if j.Repeat > 0 {
		return j.runRepeated(runner, src)
	}
	_, err = runner.Run(context.Background(), j.Out, src, batch.RunOptions{Resume: j.Resume})
	return err
}
