//go:build !race

package signin_test

const underRace = false
