//go:build linux && !race

package verify_test

import (
	"crypto"
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

	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
	"github.com/citizencert/citizencert/verify/moica"
)

const (
	detachedSize  = 100 << 20
	detachedChild = "CITIZENCERT_DETACHED_CHILD" // names a folder
)

// BenchmarkDetached100MB verifies a file of 100 MiB beside its signature in
// processes of their own, which hold nothing else: their peak memory, and the
// time as a multiple of that of SHA-256 over the same file in the same process.
func BenchmarkDetached100MB(b *testing.B) {
	if dir := os.Getenv(detachedChild); dir != "" {
		for b.Loop() {
			detachedOnce(b, dir)
		}
		return
	}
	w := newWorld(b)
	dir := b.TempDir()
	content := make([]byte, detachedSize)
	for i := range content {
		content[i] = byte(i >> 8)
	}
	sum := sha256.Sum256(content)
	message := w.sign(b, w.card, "", &pkitest.CMSOptions{Detached: true, Hash: crypto.SHA256, MessageDigest: sum[:]})
	if err := os.Mkdir(filepath.Join(dir, "anchors"), 0o700); err != nil {
		b.Fatal(err)
	}
	files := map[string][]byte{
		"content": content, "message": message,
		"anchors/root.cer": w.G3.Root.Cert.Raw, "anchors/moica.cer": w.G3.MOICA.Cert.Raw,
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	var peaks, ratios []float64
	for b.Loop() {
		child := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkDetached100MB$", "-test.benchtime=1x")
		child.Env = append(os.Environ(), detachedChild+"="+dir)
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
	b.ReportMetric(peaks[len(peaks)/2]/1024, "peak-MiB")
	b.ReportMetric(ratios[len(ratios)/2], "verify/SHA-256")
}

// detachedOnce is one child: it hashes and verifies in turns, the first of them
// to warm up.
func detachedOnce(b *testing.B, dir string) {
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
	message := readFile(b, filepath.Join(dir, "message"))
	var hashing, verifying []time.Duration
	for range 4 {
		hashing = append(hashing, timed(b, dir, func(content io.Reader) error {
			_, err := io.CopyBuffer(struct{ io.Writer }{sha256.New()}, struct{ io.Reader }{content}, make([]byte, 256<<10))
			return err
		}))
		verifying = append(verifying, timed(b, dir, func(content io.Reader) error {
			_, err := v.Detached(b.Context(), message, content, nil)
			return err
		}))
	}
	slices.Sort(hashing[1:])
	slices.Sort(verifying[1:])
	fmt.Println("peak and ratio:", residentPeak(b), float64(verifying[2])/float64(hashing[2]))
}

func timed(b *testing.B, dir string, read func(io.Reader) error) time.Duration {
	content, err := os.Open(filepath.Join(dir, "content"))
	if err != nil {
		b.Fatal(err)
	}
	defer content.Close()
	start := time.Now()
	if err := read(content); err != nil {
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
