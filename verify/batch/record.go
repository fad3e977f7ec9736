package batch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/citizencert/citizencert/verify/evidence"
)

// maxUnwritten is how much of the results waits in memory to be written, in bytes.
const maxUnwritten = 256 << 10

// maxUncertain is how much of the results waits for a checkpoint to end, in bytes: so
// much can be on the disk after a power cut while the evidence for it is not.
const maxUncertain = 64 << 20

// A record writes the results of one generation. Lines are added to a file that
// only grows; a crash leaves at most a piece of a line at its end, which is cut off
// when the run is resumed.
type record struct {
	*Runner
	scan       // of what has been added
	dir        string
	file       *os.File
	written    int64      // bytes in the file, all of them whole lines
	durable    int64      // of them, those that a checkpoint covers
	covering   int64      // those that the checkpoint will cover that has begun
	unwritten  []byte     // lines
	begun      time.Time  // of the last checkpoint
	syncing    chan error // of its outcome, if it has not been asked for
	signatures []indexed  // of the last shard as it was found
	summary    *Summary
}

// An indexed is the digest of a signature with its place in the source.
type indexed struct {
	index     int64
	signature string
}

// openRecord opens the results of a generation to go on where they end. has, if not nil,
// knows the evidence that is there.
func (r *Runner) openRecord(dir, batch string, generation int, summary *Summary, has func(evidence.Hash) (bool, error)) (*record, error) {
	rec := &record{Runner: r, scan: scan{batch: batch, generation: generation}, dir: dir, summary: summary, begun: time.Now()}
	path := filepath.Join(dir, fmt.Sprintf(resultsName, generation))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	rec.file = file
	if err := rec.recover(has); err != nil {
		file.Close()
		return nil, err
	}
	return rec, nil
}

// recover checks what is there and cuts off half a line, and lines that no checkpoint
// has covered and whose evidence has not reached the disk. Those are judged again.
func (rec *record) recover(has func(evidence.Hash) (bool, error)) error {
	if has != nil {
		info, err := rec.file.Stat()
		if err != nil {
			return rec.failed(err)
		}
		objects := newHeld(EvidenceName, has)
		rec.accept = func(res *Result) (bool, error) {
			missing, err := objects.check(res)
			if missing != nil && info.Size()-rec.size > maxUncertain {
				err = missing
			}
			return missing == nil, err
		}
	}
	rest, err := rec.scan.run(rec.dir, func(res *Result) error {
		if (rec.lines-1)%ShardSize == 0 {
			rec.signatures = rec.signatures[:0]
		}
		rec.signatures = append(rec.signatures, indexed{res.Index, res.Signature})
		rec.summary.add(res)
		return nil
	})
	if err != nil {
		return err
	}
	rec.written, rec.durable = rec.size, rec.size
	if rest > 0 {
		err = rec.file.Truncate(rec.size)
	}
	if err == nil {
		err = syncDir(rec.dir)
	}
	if err != nil {
		return rec.failed(err)
	}
	return nil
}

// add appends a result.
func (rec *record) add(res *Result) error {
	rec.turn()
	res.Generation, res.Shard = rec.generation, rec.lines/ShardSize
	before := len(rec.unwritten)
	var err error
	if rec.unwritten, err = rec.chain.seal(rec.unwritten, res); err != nil {
		return err
	}
	rec.count(int64(len(rec.unwritten) - before))
	rec.summary.add(res)
	return rec.grown()
}

// grown writes what has been added, or makes it durable, when it is time.
func (rec *record) grown() error {
	if time.Since(rec.begun) >= rec.cfg.Checkpoint {
		return rec.checkpoint()
	}
	if rec.written-rec.durable >= maxUncertain {
		return errors.Join(rec.settle(), rec.checkpoint())
	}
	if len(rec.unwritten) >= maxUnwritten {
		return rec.write()
	}
	return nil
}

// write hands the lines to the operating system. Where not all of them found room,
// the file is cut back to whole lines, and the run can be resumed.
func (rec *record) write() error {
	n, err := rec.file.WriteAt(rec.unwritten, rec.written)
	for n > 0 && rec.unwritten[n-1] != '\n' {
		n--
	}
	rec.written += int64(n)
	rec.unwritten = rec.unwritten[:copy(rec.unwritten, rec.unwritten[n:])]
	if err != nil {
		return rec.failed(errors.Join(err, rec.file.Truncate(rec.written)))
	}
	return nil
}

// checkpoint begins to make durable what has been added, beside the work that goes on:
// a disk may take longer for it than the workers for a thousand filings.
func (rec *record) checkpoint() error {
	rec.begun = time.Now()
	if err := rec.write(); err != nil {
		return err
	}
	if rec.syncing != nil {
		select {
		case err := <-rec.syncing:
			if err = rec.settled(err); err != nil {
				return err
			}
		default:
			return nil // the last one is not through
		}
	}
	done := make(chan error, 1)
	rec.syncing, rec.covering = done, rec.written
	go func() { done <- rec.sync() }()
	return nil
}

// settle waits for the checkpoint that has begun.
func (rec *record) settle() error {
	if rec.syncing == nil {
		return nil
	}
	return rec.settled(<-rec.syncing)
}

// settled notes that a checkpoint is through.
func (rec *record) settled(err error) error {
	rec.syncing = nil
	if err == nil {
		rec.durable = rec.covering
	}
	return err
}

// sync makes durable what has been written, evidence first.
func (rec *record) sync() error {
	if rec.kept != nil {
		if err := rec.kept.sync(); err != nil {
			return err
		}
	}
	if err := rec.file.Sync(); err != nil {
		return rec.failed(err)
	}
	return nil
}

func (rec *record) failed(err error) error {
	return fmt.Errorf("batch: writing results: %w; what has been written is good, and the run can be resumed", err)
}

// close makes durable what can be, also after an error, and waits for it.
func (rec *record) close(err error) error {
	earlier := rec.settle()
	last := rec.write() // after an error as much as there is room for
	if last == nil || err != nil {
		last = errors.Join(last, rec.sync())
	}
	if err == nil {
		err = errors.Join(earlier, last)
	}
	return errors.Join(err, rec.file.Close())
}
