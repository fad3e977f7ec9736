package nats_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/citizencert/citizencert/contrib/nats"
	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/verify/batch"
)

// BenchmarkRun compares two worker processes and a server process with the local runner
// on the same cores, in turns, and reports the median of the ratios of the rounds; and
// what the coordinator has received of the network for each filing. All
// processes are started before, and have not seen the signers of the round.
func BenchmarkRun(b *testing.B) {
	const filings = 12_000
	w := newWorld(b, filings)
	server := startServer(b, b.TempDir(), "127.0.0.1:0")
	conn := connect(b, server.said)
	var ratios, network []float64
	for round := 0; b.Loop(); round++ {
		began := time.Now()
		local := w.runner(b, func(c *batch.Config) { c.Workers = runtime.GOMAXPROCS(0) })
		if _, err := local.Run(b.Context(), b.TempDir(), w.open(b), batch.RunOptions{}); err != nil {
			b.Fatal(err)
		}
		alone := time.Since(began)

		name := fmt.Sprintf("round-%d", round)
		for range 2 {
			job{URL: server.said, Name: name, Source: w.source, Policy: w.policy, Workers: max(1, runtime.GOMAXPROCS(0)/2)}.start(b)
		}
		before := conn.Stats().InBytes
		began = time.Now()
		if _, err := w.run(b.Context(), b, b.TempDir(), nats.Config{Conn: conn, Name: name}, batch.RunOptions{}); err != nil {
			b.Fatal(err)
		}
		ratios = append(ratios, alone.Seconds()/time.Since(began).Seconds())
		network = append(network, float64(conn.Stats().InBytes-before)/filings)
	}
	b.ReportMetric(benchkit.Median(ratios), "of-local-rate")
	b.ReportMetric(benchkit.Median(network), "B/filing")
}

// BenchmarkResults is how many results of the size of a shard's a server keeps in a
// second, one after the other and everything made durable.
func BenchmarkResults(b *testing.B) {
	js, err := jetstream.New(inProcess(b))
	if err != nil {
		b.Fatal(err)
	}
	bucket, err := js.CreateKeyValue(b.Context(), jetstream.KeyValueConfig{Bucket: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	part := make([]byte, 512<<10)
	var times []float64
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		for i := range 4 { // the parts of a result, and its index
			value := part
			if i == 3 {
				value = part[:2000]
			}
			if _, err := bucket.Put(b.Context(), fmt.Sprintf("%d.%d", n, i), value); err != nil {
				b.Fatal(err)
			}
		}
		times = append(times, time.Since(began).Seconds())
	}
	b.ReportMetric(1/benchkit.Median(times), "results/s")
}
