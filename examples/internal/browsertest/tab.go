package browsertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// A Tab is a tab or window of the browser. Its methods fail the test if something
// does not happen in time.
type Tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func newTab(t *testing.T, parent context.Context, opts ...chromedp.ContextOption) *Tab {
	t.Helper()
	tab := &Tab{t: t}
	ctx, cancel := chromedp.NewContext(parent, append(opts, chromedp.WithListener(tab.listen))...)
	t.Cleanup(cancel)
	tab.ctx = ctx
	tab.do()
	t.Cleanup(func() {
		tab.mu.Lock()
		defer tab.mu.Unlock()
		for _, complaint := range tab.complaints {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	return tab
}

func (tab *Tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
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

// Open goes to an address.
func (tab *Tab) Open(address string) {
	tab.t.Helper()
	tab.do(chromedp.Navigate(address))
}

// Reload loads the page again.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.do(chromedp.Reload())
}

// Click clicks on the first element that a CSS selector names, as a mouse does.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.Wait("document.querySelector(" + quote(selector) + ")")
	tab.do(chromedp.Click(chromedp.CSS(selector)))
}

// ClickLast clicks on what closes the window, which then cannot answer for a click.
func (tab *Tab) ClickLast(selector string) {
	tab.t.Helper()
	tab.Wait("document.querySelector(" + quote(selector) + ")")
	tab.do(chromedp.Evaluate[chromedp.Void]("setTimeout(() => document.querySelector(" + quote(selector) + ").click(), 100), null"))
}

// Type types a text into a field. "\r" is the return key, "\t" the tabulator.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Press presses keys, wherever the focus is.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.do(chromedp.KeyEvent(keys))
}

// Window returns the window that the page opens during an action. It is shown, and
// has its script running, before Window returns.
func (tab *Tab) Window(opening func()) *Tab {
	tab.t.Helper()
	self := chromedp.FromContext(tab.ctx).Target.TargetID
	opened := chromedp.WaitNewTarget(tab.ctx, func(info *target.Info) bool {
		return info.Type == "page" && info.OpenerID == self // and not of a test in parallel
	})
	opening()
	select {
	case id := <-opened:
		return newTab(tab.t, tab.ctx, chromedp.WithTargetID(id))
	case <-time.After(patience):
		tab.t.Fatalf("no window has opened; the page says: %s", tab.Text("main"))
		return nil
	}
}

// OpenWindow has the page open a window, as if in answer to a click.
func (tab *Tab) OpenWindow(address string) *Tab {
	tab.t.Helper()
	return tab.Window(func() {
		tab.do(chromedp.Evaluate[chromedp.Void]("window.open("+quote(address)+"), null",
			func(p *runtime.EvaluateParams) { p.UserGesture = new(true) }))
	})
}

// Close closes the tab as the citizen does.
func (tab *Tab) Close() {
	tab.t.Helper()
	if err := chromedp.Cancel(tab.ctx); err != nil {
		tab.t.Fatal(err)
	}
}
