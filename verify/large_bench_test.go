//go:build linux && !race

package verify_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

const (
	largeFile       = 100 << 20
	largeBenchChild = "CITIZENCERT_LARGE_BENCH_CHILD" // names a folder
)

// BenchmarkDetached100MB verifies a file of 100 MiB beside its signature.
func BenchmarkDetached100MB(b *testing.B) {
	compareLarge(b, pkitest.CMSOptions{Detached: true}, func(v *verify.Verifier, dir string, content io.Reader) error {
		_, err := v.Detached(b.Context(), readFile(b, filepath.Join(dir, "message")), content, nil)
		return err
	}, "content")
}

// BenchmarkAttached100MB verifies the same file inside a message in DER, which is
// read once, and drops the content.
func BenchmarkAttached100MB(b *testing.B) {
	compareLarge(b, pkitest.CMSOptions{}, func(v *verify.Verifier, _ string, message io.Reader) error {
		_, err := v.CopyUnverified(b.Context(), nil, message, nil)
		return err
	}, "message")
}

// compareLarge signs a file and has op verify it from a reader, in processes of
// their own, which hold nothing else: their peak memory, and the time as a multiple
// of that of SHA-256 over the same file in the same process.
func compareLarge(b *testing.B, opts pkitest.CMSOptions, op func(v *verify.Verifier, dir string, file io.Reader) error, file string) {
	if dir := os.Getenv(largeBenchChild); dir != "" {
		for b.Loop() {
			verifyLargeOnce(b, dir, file, op)
		}
		return
	}
	w := newWorld(b)
	dir := b.TempDir()
	content := make([]byte, largeFile)
	for i := range content {
		content[i] = byte(i >> 8)
	}
	files := map[string][]byte{
		"content": content, "message": w.sign(b, w.card, string(content), &opts),
		"anchors/root.cer": w.G3.Root.Cert.Raw, "anchors/moica.cer": w.G3.MOICA.Cert.Raw,
	}
	if err := os.Mkdir(filepath.Join(dir, "anchors"), 0o700); err != nil {
		b.Fatal(err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var peaks, ratios []float64
	for b.Loop() {
		child := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^"+b.Name()+"$", "-test.benchtime=1x")
		child.Env = append(os.Environ(), largeBenchChild+"="+dir)
		out, err := child.CombinedOutput()
		if err != nil {
			b.Fatalf("child: %v\n%s", err, out)
		}
		var peak, ratio float64
		_, after, _ := strings.Cut(string(out), "peak and ratio: ")
		if _, err := fmt.Sscan(after, &peak, &ratio); err != nil {
			b.Fatalf("the child did not say what it used:\n%s", out)
		}
		peaks, ratios = append(peaks, peak), append(ratios, ratio)
	}
	slices.Sort(peaks)
	slices.Sort(ratios)
	b.ReportMetric(peaks[len(peaks)/2]/(1<<20), "peak-MiB")
	b.ReportMetric(ratios[len(ratios)/2], "verify/SHA-256")
}

// verifyLargeOnce is one child: it hashes the content and verifies in turns, the
// first of them to warm up, and says the median of the ratios of the others.
func verifyLargeOnce(b *testing.B, dir, file string, op func(v *verify.Verifier, dir string, file io.Reader) error) {
	var pins []moica.Pin
	for _, name := range []string{"root", "moica"} {
		sum := sha256.Sum256(readFile(b, filepath.Join(dir, "anchors", name+".cer")))
		pins = append(pins, moica.Pin{Name: name, SHA256: hex.EncodeToString(sum[:]), Root: name == "root"})
	}
	anchors, err := moica.LoadTestAnchors(os.DirFS(filepath.Join(dir, "anchors")), pins...)
	if err != nil {
		b.Fatal(err)
	}
	v, err := verify.New(verify.Config{Scheme: moica.Test(anchors), Clock: noon, InsecureSkipRevocation: true})
	if err != nil {
		b.Fatal(err)
	}
	var ratios []float64
	buffer := make([]byte, 256<<10)
	for range 6 {
		hashing := timed(b, filepath.Join(dir, "content"), func(content io.Reader) error {
			_, err := io.CopyBuffer(struct{ io.Writer }{sha256.New()}, struct{ io.Reader }{content}, buffer)
			return err
		})
		verifying := timed(b, filepath.Join(dir, file), func(r io.Reader) error { return op(v, dir, r) })
		ratios = append(ratios, float64(verifying)/float64(hashing))
	}
	ratios = ratios[1:]
	slices.Sort(ratios)
	peak, err := childtest.PeakMemory()
	if err != nil {
		b.Fatal(err)
	}
	fmt.Println("peak and ratio:", peak, ratios[len(ratios)/2])
}

func timed(b *testing.B, name string, read func(io.Reader) error) time.Duration {
	file, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	start := time.Now()
	if err := read(file); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

func readFile(b *testing.B, name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return data
}
