// Package browsertest drives a real browser through a service: Chromium without a
// window and with its pop-up blocker on. Whatever a test does, a page that breaks
// its security policy or throws an exception fails it.
//
// It is the one place that knows chromedp.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to do what is expected of it.
const patience = 15 * time.Second

// Start starts a browser, which ends with the test. Without one on this machine
// the test is skipped, or fails if REQUIRE_SERVICES is 1.
func Start(t *testing.T) *Browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		missing(t, "chromium is not installed")
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // containers run as root, and the pages are ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-popup-blocking", false),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)...)
	t.Cleanup(cancel)
	// What it logs are events of windows that have just closed.
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	b := &Browser{t, ctx}
	b.do(ctx)
	return b
}

// missing skips a test for want of something on this machine.
func missing(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("REQUIRE_SERVICES") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// A Browser is a running browser.
type Browser struct {
	t   *testing.T
	ctx context.Context
}

func (b *Browser) do(ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// Visitor opens a tab of somebody who has no cookies yet.
func (b *Browser) Visitor(t *testing.T) *Tab {
	t.Helper()
	return b.tab(t, b.ctx, chromedp.WithNewBrowserContext())
}

func (b *Browser) tab(t *testing.T, parent context.Context, opts ...chromedp.ContextOption) *Tab {
	t.Helper()
	tab := &Tab{Browser: &Browser{t, nil}}
	ctx, cancel := chromedp.NewContext(parent, append(opts, chromedp.WithListener(tab.listen))...)
	t.Cleanup(cancel)
	tab.ctx = ctx
	tab.do(ctx)
	t.Cleanup(func() {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		for _, complaint := range tab.complaints {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	return tab
}

// A Tab is a tab or window of the browser. Its methods fail the test if something
// does not happen in time.
type Tab struct {
	*Browser

	mu         sync.Mutex
	complaints []string
}

// listen remembers broken policies and exceptions. What the network says is
// another matter: a refusal has a status that the browser reports as an error.
func (tab *Tab) listen(event any) {
	var complaint string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError || e.Entry.Source == log.EntrySourceNetwork {
			return
		}
		complaint = e.Entry.Text
	case *runtime.EventExceptionThrown:
		complaint = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			complaint += " " + e.ExceptionDetails.Exception.Description
		}
	default:
		return
	}
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.complaints = append(tab.complaints, complaint)
}

// Complaints returns what the browser has complained about, and forgets it.
func (tab *Tab) Complaints() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	all := tab.complaints
	tab.complaints = nil
	return all
}

// Open goes to an address.
func (tab *Tab) Open(address string) {
	tab.t.Helper()
	tab.do(tab.ctx, chromedp.Navigate(address))
}

// Reload loads the page again.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.do(tab.ctx, chromedp.Reload())
}

// Click clicks on the first element that a CSS selector names, as a mouse does.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.Wait("document.querySelector(" + quote(selector) + ")")
	tab.do(tab.ctx, chromedp.Click(chromedp.CSS(selector)))
}

// ClickLast clicks on what closes the window, which then cannot answer for a click.
func (tab *Tab) ClickLast(selector string) {
	tab.t.Helper()
	tab.Wait("document.querySelector(" + quote(selector) + ")")
	tab.do(tab.ctx, chromedp.Evaluate[chromedp.Void]("setTimeout(() => document.querySelector("+quote(selector)+").click(), 100), null"))
}

// Type types a text into a field. "\r" is the return key, "\t" the tabulator.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.do(tab.ctx, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Press presses keys, wherever the focus is.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.do(tab.ctx, chromedp.KeyEvent(keys))
}

// Window returns the window that the page opens during an action. It is shown, and
// has its script running, before Window returns.
func (tab *Tab) Window(opening func()) *Tab {
	tab.t.Helper()
	opened := chromedp.WaitNewTarget(tab.ctx, func(info *target.Info) bool { return info.Type == "page" })
	opening()
	select {
	case id := <-opened:
		return tab.tab(tab.t, tab.ctx, chromedp.WithTargetID(id))
	case <-time.After(patience):
		tab.t.Fatalf("no window has opened; the page says: %s", tab.Text("main"))
		return nil
	}
}

// OpenWindow has the page open a window, as if in answer to a click.
func (tab *Tab) OpenWindow(address string) *Tab {
	tab.t.Helper()
	return tab.Window(func() {
		tab.do(tab.ctx, chromedp.Evaluate[chromedp.Void]("window.open("+quote(address)+"), null",
			func(p *runtime.EvaluateParams) { p.UserGesture = new(true) }))
	})
}

// Evaluate returns what a JavaScript expression comes to.
func Evaluate[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	v, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Text returns the text of an element as the citizen sees it, or "".
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return Evaluate[string](tab, "document.querySelector("+quote(selector)+")?.innerText ?? ''")
}

// Wait waits until a JavaScript expression is true, through all that the page
// goes through.
func (tab *Tab) Wait(expression string) {
	tab.t.Helper()
	var last error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		done, err := chromedp.Run(tab.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if done {
			return
		}
		last = err // a page that is being left cannot be asked
	}
	text, _ := chromedp.Run(tab.ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	tab.t.Fatalf("in vain: %s (%v) on\n%s", expression, last, text)
}

// WaitPath waits until the page of a path has loaded.
func (tab *Tab) WaitPath(prefix string) {
	tab.t.Helper()
	tab.Wait("document.readyState === 'complete' && location.pathname.startsWith(" + quote(prefix) + ")")
}

// WaitSays waits until the page has a text in an element.
func (tab *Tab) WaitSays(selector, text string) {
	tab.t.Helper()
	tab.Wait("document.querySelector(" + quote(selector) + ")?.innerText.includes(" + quote(text) + ")")
}

// Phone gives the tab the size of a phone, or that of a desk if it is not on. What
// the browser says of itself changes with the next page.
func (tab *Tab) Phone(on bool) {
	tab.t.Helper()
	width, height, agent := int64(1200), int64(900), ""
	if on {
		width, height, agent = 360, 780, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
	}
	tab.do(tab.ctx, chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent})
		return err
	}))
}

// Screenshot writes what the tab shows into the folder that SCREENSHOTS names, if
// it is set.
func (tab *Tab) Screenshot(name string) {
	tab.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644)
	}
	if err != nil {
		tab.t.Fatal(err)
	}
}

// Accessible checks the page with axe-core, whose file AXE_CORE names. t is that
// of a subtest, which is skipped without it.
func (tab *Tab) Accessible(t *testing.T) {
	t.Helper()
	path := os.Getenv("AXE_CORE")
	if path == "" {
		missing(t, "AXE_CORE is not set")
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Through the DevTools protocol the script gets past the page's policy.
	if _, err := chromedp.Run(tab.ctx, chromedp.Evaluate[chromedp.Void](string(source)+"\n;0")); err != nil {
		t.Fatal(err)
	}
	violations, err := chromedp.Run(tab.ctx, chromedp.Evaluate[string](
		`axe.run(document, {resultTypes: ["violations"]}).then((r) => r.passes.length + r.violations.length === 0 ? "nothing was checked" :
			r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.target + " " + n.html).join(", ")).join("\n"))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if violations != "" {
		t.Error(violations)
	}
	// A page that has to be scrolled sideways cannot be read on a phone.
	if wide := Evaluate[bool](tab, "document.documentElement.scrollWidth > document.documentElement.clientWidth"); wide {
		t.Error("the page is wider than its window")
	}
}

// quote writes a text as a JavaScript literal.
func quote(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("browsertest: %q: %v", text, err)) // any string can be written
	}
	return string(literal)
}

// Close closes the tab as the citizen does.
func (tab *Tab) Close() {
	tab.t.Helper()
	if err := chromedp.Cancel(tab.ctx); err != nil {
		tab.t.Fatal(err)
	}
}
