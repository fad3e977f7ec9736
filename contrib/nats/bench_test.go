package nats_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify/batch"
)

// BenchmarkRun compares two worker processes and a server process with the local runner
// on the same cores, in turns. It reports the medians of the rounds:
//
//	of-local-rate       the local runner's time, of the time with processes
//	of-local-processor  the processor time of all processes, the start of the children
//	                    included, as a multiple of the local runner's
//	B/filing            what the coordinator has received of the network
//
// The first is the goal, and only a quiet machine can tell it; the second is what the
// queue adds to the work, whatever else the machine does. All processes are started
// before, and have not seen the signers of the round. Each worker has half of the
// processors, as who runs two on one machine gives it: with all of them, the scheduler
// moves from core to core what one worker does.
//
// The filings are 1,000 of 100 citizens, named over and over. To sign as many as there
// are names would take minutes, and path building, which is the same everywhere, would
// be more of the work and the queue less.
func BenchmarkRun(b *testing.B) {
	for _, filings := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("filings=%dk", filings/1000), func(b *testing.B) {
			w := newWorldOf(b, filings, pkitest.FilingsConfig{N: 1000, Citizens: 100})
			var rates, work, network []float64
			for b.Loop() {
				alone := w.alone(b)
				spread, received := w.spread(b)
				rates = append(rates, alone.passed.Seconds()/spread.passed.Seconds())
				work = append(work, spread.processor.Seconds()/alone.processor.Seconds())
				network = append(network, float64(received)/float64(filings))
			}
			b.ReportMetric(0, "ns/op") // of a round, which says nothing
			b.ReportMetric(benchkit.Median(rates), "of-local-rate")
			b.ReportMetric(benchkit.Median(work), "of-local-processor")
			b.ReportMetric(benchkit.Median(network), "B/filing")
		})
	}
}

// A cost is what a run has taken.
type cost struct{ passed, processor time.Duration }

func costOf(run func()) cost {
	began, before := time.Now(), benchkit.ProcessorTime()
	run()
	return cost{time.Since(began), benchkit.ProcessorTime() - before}
}

// alone judges the filings by the local runner.
func (w *world) alone(b *testing.B) cost {
	runner, src := w.runner(b, func(c *batch.Config) { c.Workers = runtime.GOMAXPROCS(0) }), w.open(b)
	return costOf(func() {
		if _, err := runner.Run(b.Context(), b.TempDir(), src, batch.RunOptions{}); err != nil {
			b.Fatal(err)
		}
	})
}

// spread has two worker processes judge them, and says what the coordinator, which is in
// this process, has received.
func (w *world) spread(b *testing.B) (cost, uint64) {
	server := startServer(b, b.TempDir(), "127.0.0.1:0")
	half := max(1, runtime.GOMAXPROCS(0)/2)
	worker := job{URL: server.said, Name: "bench", Source: w.source, Policy: w.policy, Workers: half, Processors: half}
	first, second := worker.start(b), worker.start(b)
	conn := connect(b, server.said)
	cfg := nats.Config{Conn: conn, Name: worker.Name, Runner: w.runner(b, nil), Source: w.open(b)}
	all := costOf(func() {
		if _, err := nats.Run(b.Context(), b.TempDir(), cfg, batch.RunOptions{}); err != nil {
			b.Fatal(err)
		}
	})
	received := conn.Stats().InBytes
	conn.Close()
	for _, c := range []*child{first, second} { // they end with the batch
		all.processor += c.used(b)
	}
	if err := server.Process.Signal(os.Interrupt); err != nil {
		b.Fatal(err)
	}
	all.processor += server.used(b)
	return all, received
}

// BenchmarkResults is how many results of the size of a shard's, packed, a server keeps
// in a second, one after the other and everything made durable.
func BenchmarkResults(b *testing.B) {
	js, err := jetstream.New(inProcess(b))
	if err != nil {
		b.Fatal(err)
	}
	bucket, err := js.CreateKeyValue(b.Context(), jetstream.KeyValueConfig{Bucket: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	var times []float64
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		for part, size := range []int{240_000, 1500} { // the lines, and the index
			if _, err := bucket.Put(b.Context(), fmt.Sprintf("%d.%d", n, part), make([]byte, size)); err != nil {
				b.Fatal(err)
			}
		}
		times = append(times, time.Since(began).Seconds())
	}
	b.ReportMetric(1/benchkit.Median(times), "results/s")
}
