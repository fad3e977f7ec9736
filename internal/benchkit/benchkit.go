// Package benchkit compares the costs of several ways to do a thing on a machine
// that others use too.
//
// Benchmarks that run one after another differ by half when a neighbour's load
// changes in between. Here they are interleaved: in every round each case runs
// for a slice of a few milliseconds, and what is reported is the median of the
// ratios of the rounds. The number of rounds is that of the benchmark's
// iterations: -benchtime 40x asks for forty.
package benchkit

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// A Case is one way to do a thing. Op does it once.
type Case struct {
	Name string
	Op   func()
}

// slice is how long a case runs at a time: long beside the clock's resolution
// and a change of context, short beside changes of load.
const slice = 4 * time.Millisecond

// A Comparison has what cases have cost in each round.
type Comparison struct {
	b     *testing.B
	times map[string][]float64 // by name, nanoseconds for one Op, by round
}

// Compare runs the cases in turns until the benchmark has had its time, and
// reports of each case its median time, allocations and allocated bytes.
func Compare(b *testing.B, cases ...Case) *Comparison {
	b.Helper()
	began := time.Now()
	return compare(b, func() time.Duration { return time.Since(began) }, cases)
}

// CompareWork is Compare by the processor time of the process, garbage collection
// included, in place of the time that passes: for cases that wait for nothing, on a
// machine so busy that others run within a slice.
func CompareWork(b *testing.B, cases ...Case) *Comparison {
	b.Helper()
	return compare(b, ProcessorTime, cases)
}

func compare(b *testing.B, clock func() time.Duration, cases []Case) *Comparison {
	b.Helper()
	c := &Comparison{b: b, times: make(map[string][]float64)}
	counts := make([]int, len(cases))
	for i, one := range cases {
		counts[i] = calibrate(clock, one.Op)
	}
	for b.Loop() {
		for i, one := range cases {
			start := clock()
			for range counts[i] {
				one.Op()
			}
			c.times[one.Name] = append(c.times[one.Name], float64((clock()-start).Nanoseconds())/float64(counts[i]))
		}
	}
	b.ReportMetric(0, "ns/op") // of a round, which says nothing
	for _, one := range cases {
		allocs, bytes := Allocations(one.Op)
		b.ReportMetric(Median(c.times[one.Name])/1e3, one.Name+"-µs")
		b.ReportMetric(allocs, one.Name+"-allocs")
		b.ReportMetric(bytes, one.Name+"-B")
	}
	return c
}

// Ratio reports how many times the cost of the other case the one has had, as
// the median over the rounds.
func (c *Comparison) Ratio(one, other string) {
	ratios := make([]float64, len(c.times[one]))
	for i := range ratios {
		ratios[i] = c.times[one][i] / c.times[other][i]
	}
	c.b.ReportMetric(Median(ratios), one+"/"+other)
}

// calibrate returns how many times op fits into a slice, and warms it up.
func calibrate(clock func() time.Duration, op func()) int {
	n := 0
	for start := clock(); clock()-start < slice; n++ {
		op()
	}
	return n
}

// Allocations returns the number and bytes of allocations of one op, as the mean of
// many. Now and then the collector takes away memory that is used again otherwise:
// whoever wants a limit kept allows for part of an allocation.
func Allocations(op func()) (count, bytes float64) {
	const runs = 64
	op()
	var before, after runtime.MemStats
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.ReadMemStats(&before)
	for range runs {
		op()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / runs, float64(after.TotalAlloc-before.TotalAlloc) / runs
}

// Median returns the median of values, and 0 of none.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	switch n := len(sorted); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	default:
		return sorted[n/2]
	}
}
