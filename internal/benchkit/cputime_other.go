//go:build !unix

package benchkit

import "time"

var started = time.Now()

// ProcessorTime is the time that has passed, where there is no other.
func ProcessorTime() time.Duration { return time.Since(started) }
