package browsertest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to do what is expected of it.
const patience = 15 * time.Second

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

// quote writes a text as a JavaScript literal.
func quote(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("browsertest: %q: %v", text, err)) // any string can be written
	}
	return string(literal)
}
