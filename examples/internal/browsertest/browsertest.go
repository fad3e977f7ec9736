// Package browsertest drives a real browser through a service: Chromium without a
// window and with its pop-up blocker on. Whatever a test does, a page that breaks
// its security policy or throws an exception fails it.
//
// It is the one place that knows chromedp.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// A Browser is the one browser of the tests of a package, which starts when the first
// of them needs it:
//
//	var browser browsertest.Browser
//
//	func TestMain(m *testing.M) { browser.Main(m) }
//
// What its visitors do stays apart. It can be used by tests in parallel.
type Browser struct {
	once sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error // why it has not started
}

// Visitor opens a tab of somebody who has no cookies yet, and closes it with the test.
// Without a browser on this machine the test is skipped, or fails if REQUIRE_SERVICES
// is 1.
func (b *Browser) Visitor(t *testing.T) *Tab {
	t.Helper()
	path := find("chromium", "chromium-browser", "google-chrome")
	if path == "" {
		missing(t, "chromium is not installed")
	}
	b.once.Do(func() { b.start(path) })
	if b.err != nil {
		t.Fatal(b.err)
	}
	return newTab(t, b.ctx, chromedp.WithNewBrowserContext())
}

func (b *Browser) start(path string) {
	ctx, stopProcess := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // containers run as root, and the pages are ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-popup-blocking", false),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)...)
	// What it logs are events of windows that have just closed.
	ctx, stop := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	b.ctx, b.stop = ctx, func() { stop(); stopProcess() }
	b.err = chromedp.Do(ctx)
}

// Main runs the tests of a package, and ends the browser if they have started it.
func (b *Browser) Main(m *testing.M) {
	m.Run()
	if b.stop != nil {
		b.stop()
	}
}

// find returns the path of the first program that is installed, or "".
func find(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// missing skips a test for want of something on this machine.
func missing(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("REQUIRE_SERVICES") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}
