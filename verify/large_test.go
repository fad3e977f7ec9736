//go:build linux && !race

// A gigabyte of content shows nothing under the race detector but the detector's
// own memory.

package verify_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/citizencert/citizencert/internal/childtest"
	"github.com/citizencert/citizencert/pkitest"
	"github.com/citizencert/citizencert/verify"
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
	inChild(t, verifyLarge)
}

// inChild has a test run in a child process, which says how much memory it used.
func inChild(t *testing.T, test func(*testing.T)) {
	t.Helper()
	if os.Getenv(largeChild) != "" {
		test(t)
		peak, err := childtest.PeakMemory()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("peak:", peak)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), largeChild+"=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	_, after, ok := strings.Cut(string(out), "peak: ")
	var peak int64
	if _, err := fmt.Sscan(after, &peak); !ok || err != nil {
		t.Fatalf("the child did not say how much memory it used:\n%s", out)
	}
	if peak >= largeMemory {
		t.Errorf("got a peak of %d bytes resident, want less than %d", peak, largeMemory)
	}
	t.Logf("%d octets verified with a peak of %d kB resident", int64(largeContent), peak>>10)
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
}

// A message with 1 GB of content inside takes no more, in DER or in pieces.
func TestLargeAttached(t *testing.T) { inChild(t, verifyLargeAttached) }

func verifyLargeAttached(t *testing.T) {
	w := newWorld(t)
	h := sha256.New()
	if _, err := io.Copy(h, generated(largeContent)); err != nil {
		t.Fatal(err)
	}
	sum := h.Sum(nil)
	whole, behind := w.attachedHeads(t, largeContent, sum)
	piece := []byte{0x04, 0x83, 0x10, 0, 0} // 1 MiB
	var pieces []io.Reader
	for range largeContent >> 20 {
		pieces = append(pieces, bytes.NewReader(piece), generated(1<<20))
	}
	first, last := w.streamedHeads(t, sum)
	for name, message := range map[string]func(n int64) io.Reader{
		"DER": func(n int64) io.Reader {
			return io.MultiReader(bytes.NewReader(whole), generated(n), bytes.NewReader(behind))
		},
		"in pieces": func(int64) io.Reader {
			return io.MultiReader(append(append([]io.Reader{bytes.NewReader(first)}, pieces...), bytes.NewReader(last))...)
		},
	} {
		var got counter
		if _, err := w.verifier.CopyUnverified(t.Context(), &got, message(largeContent), nil); err != nil || got != largeContent {
			t.Errorf("%s: got %d octets and error %v", name, got, err)
		}
	}
	res, err := w.verifier.CopyUnverified(t.Context(), nil, io.MultiReader(bytes.NewReader(whole), generated(largeContent-1), bytes.NewReader(behind)), nil)
	wantReason(t, res, err, verify.ReasonMalformed)
}

// A counter counts the octets that are written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
