package browsertest

import (
	"fmt"

	"github.com/citizencert/citizencert/pkitest"
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

// SignWithPhone signs what the page asks for with a phone: it enters the ID number,
// and follows the link into the app.
func (tab *Tab) SignWithPhone(phone *pkitest.Phone) {
	tab.t.Helper()
	tab.Type("[data-fido-number]", phone.IDNumber)
	tab.Click(".fido-ways button[value=web]")
	tab.Wait("document.querySelector('a.fido-link')")
	if err := phone.Approve(Evaluate[string](tab, "document.querySelector('a.fido-link').href")); err != nil {
		tab.t.Fatal(err)
	}
}
