package crl

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/algorithm"
	"github.com/citizencert/citizencert/internal/benchkit"
	"github.com/citizencert/citizencert/pkitest"
)

// benchLarge, in the environment, adds the lists of five million entries, for which
// package x509 takes 3.5 GB.
const benchLarge = "CITIZENCERT_BENCH_LARGE"

func sizes() []int {
	if os.Getenv(benchLarge) != "" {
		return []int{1_000_000, 5_000_000}
	}
	return []int{1_000_000}
}

// A benchList is a list on disk.
type benchList struct {
	name   string
	size   int64
	issuer *x509.Certificate
}

func newBenchList(b *testing.B, dir string, entries int, number int64) benchList {
	b.Helper()
	pki, err := pkitest.New(pkitest.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer pki.Close()
	ca := pki.G3.MOICA
	l := benchList{name: filepath.Join(dir, fmt.Sprintf("%d-%d.crl", entries, number)), issuer: ca.Cert}
	file, err := os.Create(l.name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	if err := ca.WriteCRL(w, pkitest.CRLOptions{Filler: entries, Number: big.NewInt(number)}); err != nil {
		b.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		b.Fatal(err)
	}
	l.size = info.Size()
	return l
}

// load reads a list as a Store does, and verifies it.
func (l *benchList) load(tb testing.TB) *List {
	file, err := os.Open(l.name)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	list, err := Read(file, 1<<40)
	if err != nil {
		tb.Fatal(err)
	}
	if err := list.signed.Verify(l.issuer.PublicKey, algorithm.Policy{}); err != nil {
		tb.Fatal(err)
	}
	return list
}

func (l *benchList) loadX509(tb testing.TB) *x509.RevocationList {
	data, err := os.ReadFile(l.name)
	if err != nil {
		tb.Fatal(err)
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		tb.Fatal(err)
	}
	if err := list.CheckSignatureFrom(l.issuer); err != nil {
		tb.Fatal(err)
	}
	return list
}

func (l *benchList) digest(tb testing.TB) {
	file, err := os.Open(l.name)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	h := sha256.New()
	if _, err := bufio.NewReaderSize(file, blockBytes).WriteTo(h); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkLoad reads a list from disk until it can be asked, signature verified.
// Use it with -benchtime 5x.
func BenchmarkLoad(b *testing.B) {
	for _, entries := range sizes() {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			l := newBenchList(b, b.TempDir(), entries, 1)
			var times [3][]time.Duration
			for b.Loop() {
				for i, op := range []func(){
					func() { l.load(b) },
					func() { l.loadX509(b) },
					func() { l.digest(b) },
				} {
					runtime.GC()
					start := time.Now()
					op()
					times[i] = append(times[i], time.Since(start))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(medianRatio(times[1], times[0]), "x509/load")
			b.ReportMetric(medianRatio(times[0], times[2]), "load/SHA-256")
			list := l.load(b)
			b.ReportMetric(float64(list.index.bytes())/float64(entries), "B/entry")
		})
	}
}

// bytes returns what the index takes in memory.
func (x *index) bytes() (n int) {
	for _, t := range x.tables {
		if t == nil {
			continue
		}
		for _, page := range t.pages {
			n += cap(page) + 24
		}
		n += 4 * cap(t.slots)
	}
	return n
}

func medianRatio(a, b []time.Duration) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = float64(a[i]) / float64(b[i])
	}
	return benchkit.Median(ratios)
}

// BenchmarkLookup asks for serial numbers that are on the list, and that are not, of
// the index in memory, the saved one, and a map of strings.
func BenchmarkLookup(b *testing.B) {
	for _, entries := range sizes() {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			dir := b.TempDir()
			l := newBenchList(b, dir, entries, 1)
			list := l.load(b)
			saved := saveBenchIndex(b, list, dir)
			serials := map[string]struct{}{}
			questions := benchSerials(func() int { return rand.IntN(entries) })
			misses := benchSerials(func() int { return entries + rand.IntN(entries) })
			if err := saved.index.each(func(number serial, _ entry) error { // touches every page
				serials[string(number.octets)] = struct{}{}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			next := 0
			ask := func(x *index, questions []serial, want bool) func() {
				return func() {
					next++
					if _, listed, err := x.lookup(questions[next%len(questions)]); listed != want || err != nil {
						b.Fatal(listed, err)
					}
				}
			}
			c := benchkit.Compare(b,
				benchkit.Case{Name: "hit", Op: ask(list.index, questions, true)},
				benchkit.Case{Name: "miss", Op: ask(list.index, misses, false)},
				benchkit.Case{Name: "saved-hit", Op: ask(saved.index, questions, true)},
				benchkit.Case{Name: "map-hit", Op: func() {
					next++
					if _, ok := serials[string(questions[next%len(questions)].octets)]; !ok {
						b.Fatal("not in the map")
					}
				}},
			)
			c.Ratio("hit", "map-hit")
		})
	}
}

// benchSerials returns serial numbers that lie side by side, so that it is not their
// absence from the cache that is measured.
func benchSerials(which func() int) []serial {
	const n, size = 1 << 16, 16
	octets := make([]byte, n*size)
	serials := make([]serial, n)
	for i := range serials {
		serials[i].octets = pkitest.FillerSerial(which()).FillBytes(octets[i*size : (i+1)*size])
	}
	return serials
}

func saveBenchIndex(b *testing.B, l *List, dir string) *List {
	b.Helper()
	file, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	key := bytes.Repeat([]byte{7}, MinIndexKey)
	if err := writeIndex(file, l, key); err != nil {
		b.Fatal(err)
	}
	saved, err := openIndex(file, key)
	if err != nil {
		b.Fatal(err)
	}
	return saved
}

// BenchmarkOpen opens a saved index and asks it the first question.
func BenchmarkOpen(b *testing.B) {
	for _, entries := range sizes() {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			dir := b.TempDir()
			l := newBenchList(b, dir, entries, 1)
			file, err := os.CreateTemp(dir, tempPattern)
			if err != nil {
				b.Fatal(err)
			}
			defer file.Close()
			key := bytes.Repeat([]byte{7}, MinIndexKey)
			if err := writeIndex(file, l.load(b), key); err != nil {
				b.Fatal(err)
			}
			number := serial{octets: pkitest.FillerSerial(1).Bytes()}
			for b.Loop() {
				saved, err := openIndex(file, key)
				if err != nil {
					b.Fatal(err)
				}
				if _, listed, err := saved.index.lookup(number); !listed || err != nil {
					b.Fatal(listed, err)
				}
			}
		})
	}
}

// BenchmarkSwap replaces a list again and again, while a reader asks without pause,
// and counts the answers that took more than a millisecond: on a machine with two
// cores and three busy goroutines, what the scheduler makes a reader wait is in
// there too, and a second reader that asks an index which nobody replaces tells how
// much that is.
func BenchmarkSwap(b *testing.B) {
	for _, entries := range sizes() {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			l := newBenchList(b, b.TempDir(), entries, 1)
			shelf := newShelf(1 << 40)
			key := shelfKey{url: "swap"}
			put := func() {
				if _, err := shelf.put(key, &holding{list: l.load(b)}); err != nil {
					b.Fatal(err)
				}
			}
			put()
			fixed := shelf.get(key).list.index
			var stop atomic.Bool
			slow, alone := make(chan int), make(chan int)
			go readShelf(&stop, slow, func() *index { return shelf.get(key).list.index })
			go readShelf(&stop, alone, func() *index { return fixed })
			for b.Loop() {
				put()
			}
			stop.Store(true)
			b.ReportMetric(float64(<-slow)/float64(b.N), "slow/swap")
			b.ReportMetric(float64(<-alone)/float64(b.N), "slow-fixed/swap")
		})
	}
}

// readShelf asks until it is stopped, and sends how many answers took more than a
// millisecond.
func readShelf(stop *atomic.Bool, slow chan<- int, index func() *index) {
	number := serial{octets: pkitest.FillerSerial(1).Bytes()}
	n := 0
	for !stop.Load() {
		start := time.Now()
		index().lookup(number)
		if time.Since(start) > time.Millisecond {
			n++
		}
	}
	slow <- n
}
