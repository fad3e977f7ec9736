//go:build !unix

package benchkit

import "time"

var started = time.Now()

// cpuTime is the time that has passed, where there is no other.
func cpuTime() time.Duration { return time.Since(started) }
