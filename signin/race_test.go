//go:build race

package signin_test

// underRace says that the race detector is on, which makes everything ten times
// as slow.
const underRace = true
