package browsertest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/citizencert/citizencert/examples/internal/browsertest"
	"github.com/citizencert/citizencert/pkitest"
)

const getTbs = `postMessage('{"func":"getTbs"}', '*')`

func TestAttacks(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	s.component.Script(pkitest.Behaviour{MuteWindow: true})
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(`<!doctype html><title>elsewhere</title><script>onmessage = (e) => { document.title = e.data }</script>`))
	}))
	defer evil.Close()

	// waiting returns a page that waits for its window to ask, and that window.
	waiting := func(t *testing.T) (tab, window *browsertest.Tab) {
		tab = browser.Visitor(t)
		tab.Open(s.origin + "/signin/?lang=en")
		browsertest.Evaluate[any](tab, "window.seen = 0, window.addEventListener('message', () => { window.seen++ }), null")
		tab.Type(pinField, pin)
		return tab, tab.Window(func() { tab.Click(sign) })
	}
	pinStays := func(t *testing.T, tab *browsertest.Tab) {
		t.Helper()
		tab.Wait("window.seen === 1")
		if left := browsertest.Evaluate[string](tab, "document.querySelector('[data-hipki-pin]').value"); left != pin {
			t.Errorf("the page has given the PIN away: the field has %q", left)
		}
	}

	t.Run("L14 the right origin but another window", func(t *testing.T) {
		tab, window := waiting(t)
		window.Wait("document.readyState === 'complete'")
		other := window.OpenWindow(s.component.Origin + "/popupForm")
		other.Wait("document.readyState === 'complete'")
		browsertest.Evaluate[any](other, "opener.opener."+getTbs+", null")
		pinStays(t, tab)

		// The window that was opened gets it.
		browsertest.Evaluate[any](window, "opener."+getTbs+", null")
		tab.Wait("document.querySelector('[data-hipki-pin]').value === ''")
	})
	t.Run("L14 the right window after navigation", func(t *testing.T) {
		tab, window := waiting(t)
		window.Open(evil.URL)
		browsertest.Evaluate[any](window, "opener."+getTbs+", null")
		pinStays(t, tab)
		if title := browsertest.Evaluate[string](window, "document.title"); title != "elsewhere" {
			t.Errorf("the other site was sent %q", title)
		}
	})
	t.Run("L14 the window navigates between question and answer", func(t *testing.T) {
		tab, window := waiting(t)
		window.Wait("document.readyState === 'complete'")
		// The page answers a question that is still on its way when the window
		// shows another site: the browser drops it, for the origin does not match.
		browsertest.Evaluate[any](window, "opener."+getTbs+", location.href = '"+evil.URL+"', null")
		tab.Wait("window.seen === 1")
		window.Wait("document.title === 'elsewhere'")
		if title := browsertest.Evaluate[string](window, "document.title"); title != "elsewhere" {
			t.Errorf("the other site was sent %q", title)
		}
	})
	s.requests.WantNowhere(t, pin)
}
