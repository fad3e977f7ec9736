package crl

import (
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/childtest"
)

// benchPeak, in the environment, makes BenchmarkPeak the process whose memory is
// measured, by the method named.
const benchPeak = "CITIZENCERT_BENCH_PEAK"

// BenchmarkPeak measures the peak of resident memory of processes that load a list.
func BenchmarkPeak(b *testing.B) {
	if method := os.Getenv(benchPeak); method != "" {
		method, rest, _ := strings.Cut(method, " ")
		name, issuer, _ := strings.Cut(rest, " ")
		l := benchList{name: name, issuer: parseBenchCert(b, issuer)}
		switch method {
		case "load":
			runtime.KeepAlive(l.load(b))
		case "x509":
			runtime.KeepAlive(l.loadX509(b))
		case "swap":
			shelf := newShelf(1 << 40)
			for range 5 {
				if h := shelf.get(shelfKey{}); h != nil {
					makeRoom(h.list)
				}
				if _, err := shelf.put(shelfKey{}, &holding{list: l.load(b)}); err != nil {
					b.Fatal(err)
				}
			}
		}
		peak, err := childtest.PeakMemory()
		if err != nil {
			b.Fatal(err)
		}
		fmt.Printf("\npeak %d\n", peak)
		return
	}
	for _, entries := range sizes() {
		b.Run(fmt.Sprintf("entries=%d", entries), func(b *testing.B) {
			dir := b.TempDir()
			l := newBenchList(b, dir, entries, 1)
			issuer := filepath.Join(dir, "issuer")
			if err := os.WriteFile(issuer, l.issuer.Raw, 0o600); err != nil {
				b.Fatal(err)
			}
			var idle, load, std, swap float64
			for b.Loop() {
				idle = childPeak(b, "idle "+l.name+" "+issuer)
				load = childPeak(b, "load "+l.name+" "+issuer)
				std = childPeak(b, "x509 "+l.name+" "+issuer)
				swap = childPeak(b, "swap "+l.name+" "+issuer)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(idle/1e6, "idle-MB")
			b.ReportMetric(load/1e6, "load-MB")
			b.ReportMetric(std/1e6, "x509-MB")
			b.ReportMetric(swap/1e6, "swap-MB")
			b.ReportMetric(std/load, "x509/load")
		})
	}
}

func parseBenchCert(b *testing.B, name string) *x509.Certificate {
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		b.Fatal(err)
	}
	return cert
}

func childPeak(b *testing.B, method string) float64 {
	cmd := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkPeak$", "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), benchPeak+"="+method)
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%s: %v\n%s", method, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(line, "peak ")), 64); err == nil && strings.HasPrefix(line, "peak ") {
			return n
		}
	}
	b.Fatalf("%s: no peak in %s", method, out)
	return 0
}
