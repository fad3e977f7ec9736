package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// InBothLanguages checks the page in Chinese and in English, on a phone as well as on
// a desk, and leaves it in English. It opens the page again for that.
func (tab *Tab) InBothLanguages(name string) {
	tab.t.Helper()
	address := Evaluate[string](tab, "location.origin + location.pathname")
	for _, phone := range []bool{true, false} {
		for _, lang := range []string{"zh-TW", "en"} {
			tab.Phone(phone)
			tab.Open(address + "?lang=" + lang)
			tab.look(name+" "+lang, phone)
		}
	}
}

// LookAt checks the page as it is, in the size of a phone as well as of a desk.
func (tab *Tab) LookAt(name string) {
	tab.t.Helper()
	for _, phone := range []bool{true, false} {
		tab.Phone(phone)
		tab.look(name, phone)
	}
}

func (tab *Tab) look(name string, phone bool) {
	tab.t.Helper()
	view := name + " " + map[bool]string{false: "desk", true: "phone"}[phone]
	tab.Screenshot(view)
	tab.t.Run(view, tab.Accessible)
}

// Phone gives the tab the size of a phone, or that of a desk if it is not on. What
// the browser says of itself changes with the next page.
func (tab *Tab) Phone(on bool) {
	tab.t.Helper()
	width, height, agent := int64(1200), int64(900), ""
	if on {
		width, height, agent = 360, 780, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
	}
	tab.do(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
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
