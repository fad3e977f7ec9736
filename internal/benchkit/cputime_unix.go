//go:build unix

package benchkit

import (
	"syscall"
	"time"
)

// ProcessorTime returns how long this process has had processors for.
func ProcessorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // of its arguments alone
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
