//go:build linux && !race

// A gigabyte of content shows nothing under the race detector but the detector's
// own memory.

package verify_test

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/pkitest"
)

const (
	largeContent = 1 << 30
	largeMemory  = 64 << 20
	largeChild   = "CITIZENCERT_LARGE_CHILD"
)

// generated yields n octets without holding them.
func generated(n int64) io.Reader { return io.LimitReader(zeros{}, n) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A filing of 1 GB is verified in less than 64 MB of resident memory. A child
// process does it, so that what other tests have used does not count.
func TestLargeDetached(t *testing.T) {
	if os.Getenv(largeChild) != "" {
		verifyLarge(t)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestLargeDetached$")
	child.Env = append(os.Environ(), largeChild+"=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	_, after, ok := strings.Cut(string(out), "peak kB: ")
	var peak int64
	if _, err := fmt.Sscan(after, &peak); !ok || err != nil {
		t.Fatalf("the child did not say how much memory it used:\n%s", out)
	}
	if peak<<10 >= largeMemory {
		t.Errorf("got a peak of %d kB resident, want less than %d", peak, largeMemory>>10)
	}
	t.Logf("%d octets verified with a peak of %d kB resident", int64(largeContent), peak)
}

func verifyLarge(t *testing.T) {
	w := newWorld(t)
	h := sha256.New()
	if _, err := io.Copy(h, generated(largeContent)); err != nil {
		t.Fatal(err)
	}
	der := w.sign(t, w.card, "", &pkitest.CMSOptions{Detached: true, Hash: crypto.SHA256, MessageDigest: h.Sum(nil)})
	if _, err := w.verifier.Detached(t.Context(), der, generated(largeContent), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.verifier.Detached(t.Context(), der, generated(largeContent+1), nil); err == nil {
		t.Error("one octet more: got no error")
	}
	fmt.Println("peak kB:", residentPeak(t))
}

// residentPeak reads VmHWM: the rusage of a child would begin with its parent's.
func residentPeak(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kB int64
			if _, err := fmt.Sscan(value, &kB); err != nil {
				t.Fatal(err)
			}
			return kB
		}
	}
	t.Fatal("no VmHWM in /proc/self/status")
	return 0
}
