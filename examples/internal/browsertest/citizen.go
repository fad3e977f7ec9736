package browsertest

import (
	"fmt"
	"testing"
)

// SignWithCard signs what the page asks for: it enters the PIN, and in the window
// of the simulated component inserts one of the cards and confirms.
func (tab *Tab) SignWithCard(pin string, card int) {
	tab.t.Helper()
	tab.Type("[data-hipki-pin]", pin)
	window := tab.Window(func() { tab.Click("[data-hipki-sign]") })
	window.Wait("!document.getElementById('confirm').disabled")
	window.Click(fmt.Sprintf("input[name=card][value='%d']", card))
	window.Click("#confirm")
	tab.Wait("!document.querySelector('[data-hipki-pin]') || document.querySelector('[data-failed]')")
}

// InBothLanguages checks the page in Chinese and in English, on a phone as well as on
// a desk, and leaves it in English. It opens the page again for that.
func (tab *Tab) InBothLanguages(t *testing.T, name string) {
	t.Helper()
	address := Evaluate[string](tab, "location.origin + location.pathname")
	for _, phone := range []bool{true, false} {
		for _, lang := range []string{"zh-TW", "en"} {
			tab.Phone(phone)
			tab.Open(address + "?lang=" + lang)
			tab.look(t, name+" "+lang, phone)
		}
	}
}

// LookAt checks the page as it is, in the size of a phone as well as of a desk.
func (tab *Tab) LookAt(t *testing.T, name string) {
	t.Helper()
	for _, phone := range []bool{true, false} {
		tab.Phone(phone)
		tab.look(t, name, phone)
	}
}

func (tab *Tab) look(t *testing.T, name string, phone bool) {
	t.Helper()
	view := name + " " + map[bool]string{false: "desk", true: "phone"}[phone]
	tab.Screenshot(view)
	t.Run(view, tab.Accessible)
}
