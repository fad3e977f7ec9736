//go:build unix

package batch

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock keeps two runs from one folder. The system gives the lock back when the
// process ends, however it does.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("batch: another run is writing to the folder of %s", path)
		}
		return nil, fmt.Errorf("batch: locking %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
