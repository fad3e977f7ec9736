package benchkit

import (
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}} {
		if got := Median(tt.values); got != tt.want {
			t.Errorf("median of %v: got %v, want %v", tt.values, got, tt.want)
		}
	}
}

// What a comparison reports has the names of the cases. Times are not judged:
// the machine may be doing anything.
func TestCompare(t *testing.T) {
	for _, compare := range []func(*testing.B, ...Case) *Comparison{Compare, CompareWork} {
		var sink []byte
		res := testing.Benchmark(func(b *testing.B) {
			c := compare(b,
				Case{"one", func() { sink = make([]byte, 512) }},
				Case{"other", func() { time.Sleep(time.Microsecond) }},
			)
			c.Ratio("one", "other")
		})
		_ = sink
		if got := res.Extra["one/other"]; got <= 0 {
			t.Errorf("got ratio %v, want one", got)
		}
		if allocs, bytes := res.Extra["one-allocs"], res.Extra["one-B"]; allocs < 1 || bytes < 512 {
			t.Errorf("got %v allocations of %v bytes, want at least 1 of 512", allocs, bytes)
		}
	}
}
